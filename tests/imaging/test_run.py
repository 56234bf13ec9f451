"""The image command: its files, the same from a file of lines, and what it refuses."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bubbleloc.console.messages import explain
from bubbleloc.console.settings.using import Image
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.formats import read
from bubbleloc.imaging.run import image_array, recorded, simulated
from bubbleloc.models.runs import open_run
from bubbleloc.units import Scale
from tests.console.test_bad_input import command

REGION = {"depth_mm": (15.0, 35.0), "pixel_mm": 0.2}
ARRAY = {"elements": 24, "count": 60, "seed": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    return image_array(Image(output=str(folder), isolation_mm=2.0, **ARRAY, **REGION))


def test_files_and_what_they_say(made):
    names = sorted(path.name for path in made.folder.iterdir())
    assert names == ["image.npz", "image.png", "image.svg", "widths.csv"]
    assert (made.lines, made.pixels) == (24, (100, 140))
    with np.load(made.folder / "image.npz") as arrays:
        assert arrays["rf"].shape == arrays["localized"].shape == made.pixels
        assert (arrays["depth_m"][0], arrays["lateral_m"][0]) == pytest.approx((15.1e-3, -13.9e-3))
    widths = pd.read_csv(made.folder / "widths.csv")
    assert len(widths) == 2 * made.widths["bubbles"][0]
    rf, localized = (row for _, row in made.widths.iterrows())
    assert rf["axial_fwhm_um"] > 10 * localized["axial_fwhm_um"]
    assert rf["lateral_fwhm_um"] > 2 * localized["lateral_fwhm_um"]
    assert localized["depth_error_um"] < 20


def test_an_image_of_a_file_of_the_same_lines_is_the_same(made, tmp_path):
    data = open_run("bubbleloc:robust").config.data
    lines, _ = simulated(DatasetPlan(data).setup(), data.bubbles, Image(**ARRAY))
    np.save(tmp_path / "array.npy", lines.signal.T)
    (tmp_path / "again").mkdir()
    (tmp_path / "again/widths.csv").write_text("of another image")
    file = {"input": str(tmp_path / "array.npy"), "transpose": True, "sampling_rate_hz": 62.5e6}
    again = image_array(Image(output=str(tmp_path / "again"), **file, **REGION))
    assert again.widths is None
    assert not (again.folder / "widths.csv").exists()
    first, second = (made.folder / "image.npz").read_bytes(), again.folder / "image.npz"
    assert first == second.read_bytes()


def opened(path, scale, settings):
    return recorded(read(path, **settings.hints()), scale, settings)


def test_an_image_has_bubbles_whatever_the_share_of_empty_lines_in_the_training(monkeypatch):
    monkeypatch.setattr("bubbleloc.imaging.run.simulate_rf", lambda scene, _: lines_of(scene))
    data = open_run("bubbleloc:robust").config.data
    assert data.bubbles["none"] > 0
    for seed in range(30):
        _, scene = simulated(DatasetPlan(data).setup(), data.bubbles, Image(seed=seed, count=7))
        assert len(scene) == 7


def lines_of(_):
    return SimpleNamespace(volts=np.zeros((96, 900)))


@pytest.mark.parametrize(
    ("volts", "message"),
    [
        (np.ones((1, 900)), "holds 1 lines: give one per element"),
        (np.full((4, 900), np.nan), "line 0 is NaN or infinite at sample 0"),
    ],
)
def test_files_that_hold_no_lines_of_an_array_are_refused(volts, message, tmp_path):
    np.save(tmp_path / "array.npy", volts)
    scale = open_run("bubbleloc:small").card.scale
    with pytest.raises(InputError, match=message):
        opened(tmp_path / "array.npy", scale, Image(sampling_rate_hz=62.5e6))


def test_another_sampling_rate_is_refused(tmp_path):
    np.savez(tmp_path / "array.npz", rf=np.ones((4, 900)), fs=50e6)
    scale = open_run("bubbleloc:small").card.scale
    with pytest.raises(InputError, match=r"sampled at 50 MHz, the network wants 62\.5 MHz"):
        opened(tmp_path / "array.npz", scale, Image())


def test_lines_need_a_sampling_rate_and_have_the_speed_of_sound_of_their_file(tmp_path):
    scale = open_run("bubbleloc:small").card.scale
    np.savez(tmp_path / "array.npz", rf=np.ones((4, 900)), speed_of_sound_m_s=1540)
    with pytest.raises(InputError, match=r"array\.npz does not say its sampling rate"):
        opened(tmp_path / "array.npz", scale, Image())
    lines = opened(tmp_path / "array.npz", scale, Image(sampling_rate_hz=62.5e6))
    assert lines.array.scale == Scale(62.5e6, 1540, 1.7e6)
    given = Image(sampling_rate_hz=62.5e6, speed_of_sound_m_s=1500)
    assert opened(tmp_path / "array.npz", scale, given).array.scale.speed_of_sound_m_s == 1500


def test_simulated_lines_are_like_those_that_the_network_was_trained_on(monkeypatch, tmp_path):
    trained = open_run("bubbleloc:robust")
    trained.card = replace(trained.card, scale=Scale(50e6, 1540, 1.7e6))  # as of such files
    monkeypatch.setattr("bubbleloc.imaging.run.open_run", lambda *_: trained)
    monkeypatch.setattr("bubbleloc.imaging.run._write", lambda *_: None)
    with pytest.warns(UserWarning, match="Segers"):
        made = image_array(Image(output=str(tmp_path), elements=4, count=2))
    assert made.scale == trained.card.scale


def test_frames_that_are_not_imaged_are_told(monkeypatch, tmp_path):
    monkeypatch.setattr("bubbleloc.imaging.run._write", lambda *_: None)
    np.save(tmp_path / "rf.npy", np.random.default_rng(0).normal(size=(3, 4, 900)))
    asked = {"input": str(tmp_path / "rf.npy"), "output": str(tmp_path), "sampling_rate_hz": 62.5e6}
    told = image_array(Image(**asked)).doubts[-1]
    assert told == "only frame 0 of 3 frames is imaged; choose another with frames=[1,1]"
    assert "only frame" not in str(image_array(Image(**asked, frames=(2, 2))).doubts)


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is no folder that you may write to"):
        image_array(Image(run="no such run", output=str(tmp_path / "file")))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("depth_mm=[70,10]", "the smaller number first"),
        ("depth_mm=[-1,10]", "depth_mm=.*: give a number, 0 or more"),
        ("lateral_mm=3", "lateral_mm=3: give two numbers"),
        ("pressure_pa=100", "pressure_pa=100: give a pressure in Pa"),
        ("pixel_mm=0", "pixel_mm=0: give a number above 0"),
        ("pixel_mm=1e-6", "choose a size and a region"),
        ("elements=1", "elements=1: give 2 to 4096"),
        ("count=0", "count=0: give a whole number"),
        ("input=nowhere.h5", "no file nowhere.h5"),
        ("run=nowhere", "nowhere is no run directory"),
    ],
)
def test_bad_settings_are_refused_in_one_line(override, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        command("image", override)
    line = explain(refused.value)
    assert line is not None
    assert "\n" not in line
    assert re.search(message, line), line
    assert not any(tmp_path.iterdir())


def test_the_command_prints_the_widths(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    few = ["elements=8", "count=5", "isolation_mm=1", "pixel_mm=0.5", "depth_mm=[5,95]"]
    command("image", *few)
    said = capsys.readouterr().out
    assert "images: outputs/image (56 × 180 pixels from 8 lines)" in said
    assert "| localized lines |" in said
