"""Trainings of ``bubbleloc.examples.smnist`` that are stopped end where others end."""

import shutil
import signal

import pytest
import torch
import yaml

from bubbleloc.errors import InputError
from bubbleloc.examples import classification
from bubbleloc.examples.classification import Classification
from bubbleloc.files import exclusive
from bubbleloc.models import run_folder
from bubbleloc.training.logs import METRICS
from tests.conftest import run
from tests.examples.test_images import write_mnist
from tests.examples.test_smnist import pulses, settings
from tests.training.test_resuming import same_weights, same_weights_of_best, start, wait_for

SHORT = {"epochs": 3, "dropout": 0.2, "input_dropout": 0.1}


def rate(folder):
    content = run_folder.read_checkpoint(run_folder.checkpoint_path(folder, "last"))
    return content["optimizer_states"][0]["param_groups"][0]["lr"]


@pytest.mark.parametrize("lr", [1e-2, 1e-6])  # it learns; the rate drops, as nothing improves
@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_stopped_training_ends_with_the_same_weights(tmp_path, monkeypatch, lr, epoch):
    chosen = settings(**SHORT, lr=lr, plateau={"factor": 5, "patience": 0})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = classification.run(chosen, pulses(), whole)
    training_step = Classification.training_step

    def stopped(self, batch, batch_index):
        if (self.current_epoch, batch_index) == (epoch, 5):
            raise KeyboardInterrupt
        return training_step(self, batch, batch_index)

    monkeypatch.setattr(Classification, "training_step", stopped)
    with pytest.raises(KeyboardInterrupt) as stop:
        classification.run(chosen, pulses(), cut)
    said = f"go on with: bubbleloc smnist resume={cut}"
    assert stop.value.__notes__ == [said]
    monkeypatch.setattr(Classification, "training_step", training_step)
    result = classification.run(chosen, pulses(), cut, resume=True)
    assert result | {"minutes": 0} == expected | {"minutes": 0}
    assert same_weights(whole, cut)
    assert same_weights_of_best(whole, cut)
    assert (cut / METRICS).read_text() == (whole / METRICS).read_text()
    assert rate(cut) == rate(whole)
    assert lr > 1e-6 or rate(whole) < lr


def test_epochs_differ(tmp_path, monkeypatch):
    seen = []

    def remember(self, batch, batch_index):
        seen.append((batch[1], torch.nn.functional.dropout(torch.ones(64))))
        return training_step(self, batch, batch_index)

    training_step = Classification.training_step
    monkeypatch.setattr(Classification, "training_step", remember)
    classification.run(settings(**SHORT | {"epochs": 2}), pulses(), tmp_path)
    labels, masks = (torch.stack(parts) for parts in zip(*seen, strict=True))
    first, second = labels.split(20)
    assert not first.equal(second)
    assert sorted(first.flatten()) == sorted(second.flatten())
    assert len(masks.unique(dim=0)) == len(masks)


@pytest.mark.slow
def test_the_command_goes_on_under_its_own_settings(tmp_path):
    write_mnist(tmp_path / "set")
    short = ("folder=set", "epochs=20", "batch_size=4")
    small = (*short, "hidden_channels=2", "blocks=1", "accelerator=cpu")
    done = run(tmp_path, "examples.smnist", *small, "hydra.run.dir=whole")
    assert done.returncode == 0, done.stderr
    process = start(tmp_path, *small, "hydra.run.dir=cut", module="examples.smnist")
    wait_for(tmp_path / "cut/checkpoints/last.ckpt", process)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 143, errors
    said = "terminated; go on with: bubbleloc smnist resume=cut"
    assert errors.strip().splitlines()[-1] == said
    refused = run(tmp_path, "examples.smnist", "resume=cut", "lr=0.1")
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        "error: lr=0.1: a resumed run keeps its own settings; leave out all but resume=cut"
    )
    resumed = run(tmp_path, "examples.smnist", "resume=cut")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.splitlines()[-1] == "run: cut"
    assert same_weights(tmp_path / "whole", tmp_path / "cut")
    assert not list((tmp_path / "outputs").glob("smnist/*"))


def test_a_finished_run_comes_out_as_before(tmp_path):
    first = classification.run(settings(**SHORT), pulses(), tmp_path / "run")
    again = classification.run(settings(**SHORT), pulses(), tmp_path / "run", resume=True)
    assert again | {"minutes": 0} == first | {"minutes": 0}


def test_a_run_in_use_is_not_resumed_a_second_time(tmp_path):
    with (
        exclusive(tmp_path / run_folder.CONFIG_FILE),
        pytest.raises(InputError, match="being written by another process"),
    ):
        classification.run(settings(**SHORT), pulses(), tmp_path, resume=True)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, caplog):
    classification.run(settings(**SHORT), pulses(), tmp_path / "whole")
    cut = shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (cut / "checkpoints/last.ckpt").write_bytes(b"PK")
    classification.run(settings(**SHORT), pulses(), cut, resume=True)
    assert "last.ckpt is damaged" in caplog.text
    assert same_weights(tmp_path / "whole", cut)


def test_only_runs_of_the_example_are_resumed(tmp_path):
    config = tmp_path / "run/config.yaml"
    config.parent.mkdir()
    config.write_text(yaml.safe_dump({"model": {}}))
    refused = run(tmp_path, "examples.smnist", "resume=run")
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert "is not the configuration of a run of bubbleloc smnist (no folder)" in line
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [config]
