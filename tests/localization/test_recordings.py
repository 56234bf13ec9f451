"""One scene, written by every system: the same bubbles come back."""

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import CubicSpline

from bubbleloc.localization import localize_lines
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from tests.conftest import localize_recording
from tests.formats import written
from tests.formats.written import Acquisition, tilted

RATE, SKIPPED, ELEMENTS, COUNTS = 62.5e6, 200, 2, 32.0
OPTIONS = {"delay_s": tilted(5, ELEMENTS), "lens_s": 0.8e-6}
PLAIN = {"sampling_rate_hz": RATE, "start_s": SKIPPED / RATE, "speed_of_sound_m_s": 1480.0}


@pytest.fixture(scope="module")
def scene(tiny):
    """Four lines, two frames of two elements, and their arrivals after what is not recorded."""
    with h5py.File(tiny / "test.h5") as file:
        rf, offset = file["rf"][:], file["bubbles/offset"][:]
        arrival = np.split(file["bubbles/arrival_sample"][:], offset[1:-1])
    rf = rf / np.abs(rf).max(axis=1, keepdims=True)
    time_s = np.arange(rf.shape[1]) / RATE
    splines = [CubicSpline(time_s, line) for line in rf]

    def record(rate_hz=RATE, loudness=1.0, **options):
        made = Acquisition(
            frames=2,
            elements=ELEMENTS,
            samples=int((rf.shape[1] - SKIPPED - 1) * rate_hz / RATE),
            rate_hz=rate_hz,
            echo=lambda frame, element, at: loudness * splines[frame * ELEMENTS + element](at),
            **{"delay_s": np.zeros(ELEMENTS), **options},
        )
        made.begin_s = SKIPPED / RATE + np.mean(made.delay_s) + 2 * made.lens_s
        return made

    return record, [samples[samples >= SKIPPED] for samples in arrival]


def own(path, made):
    with h5py.File(path, "w") as file:
        file["rf"] = made.volts().reshape(-1, made.samples).astype(np.float32)
        file["done"] = np.ones(len(file["rf"]), bool)
        facts = {"speed_of_sound_m_s": 1480.0, "start_s": made.start_s}
        file.attrs.update({"schema_version": 1, "sampling_rate_hz": made.rate_hz, **facts})


def table_of_times(path, made):
    (lines,) = made.volts()[:1]
    rows = np.column_stack([1e6 * made.time_s, lines.T])
    np.savetxt(path, rows, "%.9g", delimiter=",", header="time (us),a,b", comments="")


def found(path, tmp_path, **settings):
    """Samples of the detections, per line, at the rate of the scene."""
    recording = localize_recording(
        "bubbleloc:robust-small", path, tmp_path / "found.csv", **settings
    ).recording
    table, angle_rad = pd.read_csv(tmp_path / "found.csv"), recording.sent(1480.0).angle_rad or 0.0
    x_mm = 1e3 * recording.element_m[table["element"], 0] if angle_rad else 0.0
    travelled_mm = table["depth_mm"] * (1 + np.cos(angle_rad)) + x_mm * np.sin(angle_rad)
    np.testing.assert_allclose(travelled_mm, table["time_us"] * 1.48, rtol=1e-5)
    place = table["element"] + table["frame"] * (table["element"].max() + 1)
    return [table["time_us"][place == line].to_numpy() * RATE / 1e6 for line in range(4)]


def f1(detected, arrival):
    hits = [
        len(match_detections(Detections(d, np.ones(len(d))), a, 4).true)
        for d, a in zip(detected, arrival, strict=True)
    ]
    return 2 * sum(hits) / (sum(map(len, detected)) + sum(map(len, arrival)))


CASES = {
    "own.h5": (own, {}, {}, 1.0),
    "a.uff": (written.write_uff, {}, {}, 1.0),
    "zea.h5": (written.write_zea, {**OPTIONS, "gain_db": (6.0, 34.0)}, {}, 1.0),
    "a.npy": (lambda path, made: np.save(path, made.volts()), {}, PLAIN, 1.0),
    "v5.mat": (
        lambda path, made: written.write_v5(path, written.workspace(made, [7, 3])),
        {**OPTIONS, "loudness": COUNTS},
        {},
        0.98,
    ),
    "v73.mat": (
        lambda path, made: written.write_v73(path, written.workspace(made, [7, 3])),
        {**OPTIONS, "loudness": 0.6 * COUNTS, "gain_db": (0.0, 1.2)},
        {},
        0.98,
    ),
    "40 MHz.npy": (
        lambda path, made: np.save(path, made.volts()),
        {"rate_hz": 40e6},
        {**PLAIN, "sampling_rate_hz": 40e6, "resample": True},
        0.98,
    ),
    "40 MHz.mat": (
        lambda path, made: written.write_v5(path, written.workspace(made, [7, 3])),
        {**OPTIONS, "loudness": COUNTS, "rate_hz": 40e6},
        {"resample": True},
        0.98,
    ),
    "a.csv": (table_of_times, {}, {}, 1.0),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_bubbles_come_back(scene, tmp_path, name):
    """Within 0.1 sample, 0.3 if resampled; rounding to integers moves some positions further."""
    record, arrival = scene
    write, recorded, settings, share = CASES[name]
    own(tmp_path / "truth.h5", record())
    expected = found(tmp_path / "truth.h5", tmp_path)
    write(tmp_path / name, record(**recorded))
    detected = found(tmp_path / name, tmp_path, **settings)
    lines = 2 if name == "a.csv" else 4
    within = 0.3 if "rate_hz" in recorded else 0.1
    apart = [
        np.abs(np.subtract.outer(expected[line], detected[line])).min(axis=1)
        for line in range(lines)
    ]
    assert np.mean(np.concatenate(apart) <= within) >= share
    whole = f1(expected[:lines], arrival[:lines])
    assert f1(detected[:lines], arrival[:lines]) == pytest.approx(whole, abs=0.01)


def test_doubts_are_told(tiny, tmp_path):
    with h5py.File(tiny / "test.h5") as file:
        rf = file["rf"][:]
    quiet = localize_recording("bubbleloc:small", tiny / "test.h5", tmp_path / "a.csv")
    assert quiet.doubts == []
    rf[2] = 7.0
    for name, lines in (("dead", rf), ("backwards", rf[:, ::-1])):
        np.save(tmp_path / f"{name}.npy", lines)
    settings = {"sampling_rate_hz": RATE}
    (dead,) = localize_recording(
        "bubbleloc:small", tmp_path / "dead.npy", tmp_path / "a.csv", **settings
    ).doubts
    assert dead.startswith("1 of 4 lines are constant, the first of frame 0, element 2;")
    assert 2 not in set(pd.read_csv(tmp_path / "a.csv")["element"])
    _, unlike, train = localize_recording(
        "bubbleloc:small", tmp_path / "backwards.npy", tmp_path / "a.csv", **settings
    ).doubts
    assert unlike.startswith("100% of the lines are unlike those that the network was trained on")
    assert "time backwards" in unlike
    assert "model.line_mean=true data.name=backwards" in train
    with pytest.warns(UserWarning, match="more than half of the power is white noise"):
        localize_lines(np.random.default_rng(0).normal(size=(2, 8446)))
    with pytest.warns(UserWarning, match="unlike those"):
        localize_lines(rf[:2, ::-1])
