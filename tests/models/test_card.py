"""What a trained network knows: its card."""

import shutil
from pathlib import Path

import h5py
import pandas as pd
import pytest
import torch
import yaml

from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.models import run_folder, runs
from bubbleloc.models.runs import open_run
from bubbleloc.nn import released_card
from bubbleloc.nn.heads import UNCALIBRATED
from bubbleloc.nn.released import RELEASED
from bubbleloc.physics import Setup, matched_filter
from bubbleloc.training import session
from tests.training.test_learner import SMALL, settings


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """A run on lines that claim 50 MHz, with noise."""
    data = shutil.copytree(tiny, tmp_path_factory.mktemp("card") / "data")
    for path in data.glob("*.h5"):
        with h5py.File(path, "r+") as file:
            file.attrs.update(sampling_rate_hz=50e6, speed_of_sound_m_s=1540.0)
    run = data.parent / "run"
    session.start(settings(data, *SMALL, "noise=0.01"), run)
    return run


def test_a_card_knows_the_lines_and_the_thresholds(trained):
    opened = open_run(trained)
    card = opened.card
    assert (card.scale.sampling_rate_hz, card.scale.speed_of_sound_m_s) == (50e6, 1540.0)
    assert card.waveform == "tristate"
    assert card.noise == Noise(0.01)
    assert card.parameters == opened.network.parameter_count
    assert card.model == runs.open_run(trained).config.model.plain()
    assert list(card.thresholds) == list(range(1, 10))
    assert card.selection == "val"
    assert not opened.network.training
    assert open_run(trained, "last").card.thresholds


def test_a_compressing_network_brings_its_matched_filter(tiny, tmp_path):
    session.start(settings(tiny, *SMALL, "compression=true"), tmp_path / "run")
    scaling = open_run(tmp_path / "run").network.scaling
    expected = torch.from_numpy(matched_filter(Setup())).float()
    torch.testing.assert_close(scaling.matched.flatten()[len(expected) - 1 :], expected)


@pytest.mark.slow  # draws all figures of two reports
def test_thresholds_are_those_that_an_evaluation_chooses(trained):
    data = Path(runs.open_run(trained).config.data.folder)
    for checkpoint in ("best", "last"):
        report = evaluate_run(trained, checkpoint=checkpoint, folder=data, baselines=[]).page.parent
        table = pd.read_csv(report / "matched.csv").set_index("tolerance")["threshold"]
        assert open_run(trained, checkpoint).card.thresholds == pytest.approx(table.to_dict())


def test_thresholds_of_other_weights_are_not_used(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    assert open_run(run).threshold(4) == open_run(run).card.thresholds[4]
    content = run_folder.read_checkpoint(run / "checkpoints/best.ckpt")
    torch.save({**content, "epoch": 7}, run / "checkpoints/best.ckpt")
    assert open_run(run).card.thresholds == {}
    with pytest.raises(InputError, match=r"tolerance 4 .* give threshold=.*train resume="):
        open_run(run).threshold(4)
    session.resume(run)  # nothing is left to train
    assert open_run(run).card.thresholds


def test_without_a_card_settings_and_data_tell_the_rest(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "card.yaml").unlink()
    card = open_run(run).card
    assert card.thresholds == {}
    assert card.scale == open_run(trained).card.scale
    assert card.noise == Noise(0.01)


@pytest.mark.parametrize("damage", ["checkpoints: 3", "- 1", "a: [", "noise: {}"])
def test_a_damaged_card_is_named(trained, tmp_path, damage):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "card.yaml").write_text(damage)
    with pytest.raises(InputError, match=r"card.yaml is damaged"):
        _ = open_run(run).card


@pytest.mark.parametrize("part", ["thresholds", "calibration"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), "many"])
def test_a_card_with_numbers_that_are_not_finite_is_damaged(trained, tmp_path, part, value):
    """A network with such a calibration would report no bubble, and not say why."""
    run = shutil.copytree(trained, tmp_path / "run")
    content = yaml.safe_load((run / "card.yaml").read_text())
    values = {"thresholds": {4: value}, "calibration": [*UNCALIBRATED[:-1], value]}
    content["checkpoints"]["best"][part] = values[part]
    (run / "card.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"card.yaml is damaged"):
        _ = open_run(run).card


@pytest.mark.parametrize("name", RELEASED)
def test_networks_of_the_package_have_the_same_card(name, trained):
    opened = open_run(f"bubbleloc:{name}")
    assert opened.network.parameter_count == opened.card.parameters
    assert opened.card.scale.sampling_rate_hz == 62.5e6
    assert opened.threshold(4) is None
    assert yaml.safe_load((trained / "card.yaml").read_text()).keys() <= released_card(name).keys()
