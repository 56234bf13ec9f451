"""What a network may not fit is said, and only that."""

import re
import shlex
import warnings
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import bubbleloc
from bubbleloc import formats
from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.console.settings import Train
from bubbleloc.data import universal
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.formats import recording_of_array
from bubbleloc.localization import localize_lines
from bubbleloc.localization.doubts import (
    _unlike,
    compared,
    doubts,
    rounding_noise_db,
    train_command,
)
from bubbleloc.metrics.matching import match_detections
from bubbleloc.models.runs import open_run
from bubbleloc.nn.released import RELEASED
from bubbleloc.physics import P4_1
from tests.conftest import localize_recording
from tests.console.test_bad_input import command
from tests.formats.written import (
    Acquisition,
    workspace,
    write_picmus,
    write_uff,
    write_v5,
    write_v73,
    write_zea,
)

RATE = 62.5e6


@pytest.fixture(scope="module")
def simulated(tiny):
    """Sixteen lines that no network was trained on, and their arrivals."""
    lines, arrivals = [], []
    for split in ("train", "val", "test"):
        with h5py.File(tiny / f"{split}.h5") as file:
            lines.append(file["rf"][:])
            offset = file["bubbles/offset"][:]
            arrivals += np.split(file["bubbles/arrival_sample"][:], offset[1:-1])
    return np.concatenate(lines), arrivals


def counts(lines, bits, of_each=False):
    """Whole numbers that fill a converter: the loudest line does, or each one by itself."""
    peak = np.abs(lines).max(axis=1, keepdims=True) if of_each else np.abs(lines).max()
    return np.rint(lines / peak * (2 ** (bits - 1) - 1)).astype(np.int16)


def said(lines, model):
    """Mean F1 of lines, and what is doubted."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = localize_lines(lines[0], model=model)
    texts = [str(warning.message) for warning in caught]
    found = [table["sample"][table["line"] == i].to_numpy() for i in range(len(lines[1]))]
    f1 = [match_detections(f, true, 4).f1 for f, true in zip(found, lines[1], strict=True)]
    return np.mean(f1), [text for text in texts if "rounded" in text]


@pytest.mark.parametrize("model", ["small", "large", "robust", "robust-small"])
def test_rounding_is_doubted_where_it_costs_f1(simulated, model):
    volts, arrivals = simulated
    clean, doubt = said((volts, arrivals), model)
    assert doubt == []
    for bits, of_each in ((16, True), (14, True), (16, False), (14, False)):
        f1, doubt = said((counts(volts, bits, of_each), arrivals), model)
        assert bool(doubt) == (clean - f1 > 0.02), (bits, of_each, clean - f1, doubt)
        assert bool(doubt) == (model in ("small", "large") and not of_each)


def test_a_step_is_measured_against_the_rms_of_its_line():
    line = np.random.default_rng(0).normal(size=8446).astype(np.float32)
    assert rounding_noise_db(line) < -120
    for step in (0.01, 3e-4):
        expected = 10 * np.log10(step**2 / 12)
        assert rounding_noise_db(step * np.rint(line / step)) == pytest.approx(expected, abs=0.5)
        assert rounding_noise_db(7 + 16 * np.rint(line / step)) == pytest.approx(expected, abs=0.5)
    assert rounding_noise_db(np.ones(3, np.float32)) == -np.inf


def test_the_image_of_a_recording_comes_with_the_same_doubts(simulated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("counts.npy", counts(simulated[0], 16))
    file = ["input=counts.npy", "sampling_rate_hz=62.5e6", "pixel_mm=1"]
    with pytest.MonkeyPatch.context() as patch:
        told = []
        patch.setattr("bubbleloc.console.messages.tell", told.append)
        command("image", *file)
        assert told == []
        command("image", "run=bubbleloc:small", *file)
    of_table = localize_recording(
        "bubbleloc:small", "counts.npy", "a.csv", sampling_rate_hz=RATE
    ).doubts
    assert told == [f"warning: {doubt}" for doubt in of_table]
    assert "bubbleloc:robust" in told[0]


def test_lines_that_are_not_compared_are_said_to_be_unknown(simulated):
    run = open_run("bubbleloc:robust")
    lines = simulated[0][:2]
    short, long = recording_of_array("a", lines[:, :2000]), recording_of_array("a", lines)

    def doubted(recording, card):
        return doubts(recording, compared(recording, card, lambda volts: volts))

    (doubt,) = doubted(short, run.card)
    assert doubt.startswith("lines shorter than 33 µs are not compared with those of the training")
    (doubt,) = doubted(long, replace(run.card, likeness=None))
    assert "for which it needs 50 validation lines of 33 µs" in doubt
    assert doubted(long, run.card) == []
    with pytest.warns(UserWarning, match="lines shorter than 33 µs are not compared"):
        localize_lines(lines[:, :2000])


@pytest.mark.parametrize("threshold", [2, -0.1])
def test_a_threshold_of_probabilities_is_one(simulated, threshold):
    with pytest.raises(
        InputError, match=r"threshold=.*: bubbleloc:robust tells probabilities; give 0 to 1"
    ):
        localize_lines(simulated[0][:1], threshold=threshold)


@pytest.mark.parametrize(
    ("worst", "reason"),
    [
        ("direction", "echoes of another shape in time"),
        ("mid_mhz", r"trained with the 50 % at 1\.9–2\.6 MHz"),
        ("share_db@3.5", r"dB of the power from 3\.5 MHz on"),
    ],
)
def test_a_reason_is_told_where_no_feature_alone_is_outside_too_often(worst, reason):
    """Each of three features is outside in less than a tenth of 24 lines, one in two of them."""
    likeness = bubbleloc.load("robust")[1].likeness
    features = {name: np.full(24, low) for name, (low, _) in likeness.ranges.items()}
    outside = {name: np.zeros(24, bool) for name in features}
    for line, name in enumerate(("polarity", "clipped", worst, worst)):
        outside[name][line] = True
    (told,) = _unlike(likeness, features, outside)
    assert re.search(reason, told)


def test_the_training_that_is_recommended_simulates_a_dataset_of_its_own(simulated, tmp_path):
    np.save(tmp_path / "my rf.npy", simulated[0])
    recording = formats.read(tmp_path / "my rf.npy", sampling_rate_hz=62.5e6)
    words = shlex.split(train_command(recording, {"mid_mhz": 2.1}))
    config, _ = composed("train", words[2:])
    plan = DatasetPlan(checked_settings(Train, config).data)
    assert plan.folder == Path("data/my_rf")
    plan.refuse_mistyped_folder()


def with_response(write, path):
    """Write a Verasonics workspace whose Trans has the response of a probe."""
    variables = workspace(Acquisition())
    response = np.fft.irfft(P4_1.transmit(np.fft.rfftfreq(4096, 1 / 250e6)))[:1000, None]
    variables["Trans"] |= {"IR1wy": response}
    write(path, variables)


def with_band(write, path):
    variables = workspace(Acquisition())
    variables["Trans"] |= {"Bandwidth": np.array([1.5, 3.5])}
    write(path, variables)


RECORDINGS = {
    "a b/v5.mat": lambda path: with_response(write_v5, path),
    "a b/v73.mat": lambda path: with_response(write_v73, path),
    "v5 'n (1).mat": lambda path: with_band(write_v5, path),
    "v73.mat": lambda path: write_v73(path, workspace(Acquisition())),
    "a.uff": lambda path: write_uff(path, Acquisition()),
    "z.hdf5": lambda path: write_zea(path, Acquisition()),
    "p.hdf5": lambda path: write_picmus(path, Acquisition()),
    "ä = {b}.npy": lambda path: np.save(path, Acquisition().volts()[0]),
}


@pytest.mark.parametrize("released", [RELEASED, ("universal",)])
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_training_that_is_recommended_runs_as_printed(name, released, tmp_path, monkeypatch):
    monkeypatch.setattr("bubbleloc.localization.doubts.RELEASED", released)
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    RECORDINGS[name](path)
    hints = {"sampling_rate_hz": 20e6} if path.suffix == ".npy" else {}
    words = shlex.split(train_command(formats.read(path, **hints), {"mid_mhz": 2.1}))
    config, _ = composed("train", words[2:])
    plan = DatasetPlan(checked_settings(Train, config).data)
    plan.refuse_mistyped_folder()
    _ = plan.input_hashes()
    scene, draw = plan.scene("train", 0), plan.draw("train", 0)
    assert (draw is None) == (released == RELEASED)
    if draw is not None:
        line = universal.simulated(scene, draw, plan.setup())
        assert np.isfinite(line.rf).all()
        setup = draw.setup
    else:
        setup = plan.setup()
    assert 1e6 < setup.probe.center_hz < 4e6
    assert 1e6 < setup.carrier_hz < 4e6
