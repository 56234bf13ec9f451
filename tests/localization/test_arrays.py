"""Arrays of any order of axes, and paths, as Python hands them over."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from bubbleloc import localize_lines
from bubbleloc.errors import InputError
from tests.conftest import localize_recording
from tests.console.test_bad_input import command

RATE_HZ = 62.5e6
NOISE = np.random.default_rng(0).normal(size=(2, 3, 1690))
UNEQUAL = [NOISE[0, 0], NOISE[0, 1, :800]]


@pytest.fixture(scope="module")
def frames(short_lines):
    """Two frames of three elements."""
    return short_lines[:6].reshape(2, 3, -1)


def test_the_axes_of_an_array_may_have_any_order(frames):
    expected = localize_lines(frames.reshape(6, -1), model="small")
    assert len(expected) > 20
    for axes in ("fes", "fse", "efs", "esf", "sfe", "sef"):
        turned = frames.transpose(["fes".index(axis) for axis in axes])
        table = localize_lines(turned, model="small", axes=axes)
        assert list(table)[:3] == ["frame", "element", "sample"]
        np.testing.assert_array_equal(3 * table["frame"] + table["element"], expected["line"])
        assert_frame_equal(table.iloc[:, 2:], expected.iloc[:, 1:])
    backwards = localize_lines(frames.T, model="small", transpose=True)
    assert_frame_equal(backwards, table)
    columns = localize_lines(frames[0].T, model="small", axes=("samples", "elements"))
    assert set(columns["frame"]) == {0}
    assert set(columns["element"]) == {0, 1, 2}


def test_a_path_gives_the_table_of_its_array(frames, tmp_path):
    np.save(tmp_path / "rf.npy", frames)
    expected = localize_lines(frames, model="small", axes="fes")
    for path in (tmp_path / "rf.npy", str(tmp_path / "rf.npy")):
        assert_frame_equal(localize_lines(path, RATE_HZ, "small"), expected)
    last = localize_lines(tmp_path / "rf.npy", RATE_HZ, "small", frames=[1, 1])
    assert_frame_equal(last, expected[expected["frame"] == 1].reset_index(drop=True))
    with pytest.raises(InputError, match=r"rf\.npy does not say its sampling rate"):
        localize_lines(tmp_path / "rf.npy", model="small")


def test_the_command_takes_the_letters_of_axes(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("rf.npy", frames.transpose(0, 2, 1))
    expected = localize_lines(frames, model="small", axes="fes")
    for axes in ("fse", "frames,samples,elements", "[frames, samples, elements]"):
        told = ("run=bubbleloc:small", "input=rf.npy", "sampling_rate_hz=62.5e6", f"axes={axes}")
        command("localize", *told)
        table = pd.read_csv("bubbles.csv")
        np.testing.assert_allclose(table[list(expected)], expected, rtol=1e-5)


def test_times_band_and_region_are_those_of_the_command(frames, tmp_path):
    np.save(tmp_path / "rf.npy", frames)
    told = {"start_s": 2e-6, "receive_delay_s": 1e-7, "band_mhz": [0.8, 5], "region_mm": [4, 14]}
    output = tmp_path / "b.csv"
    localize_recording(
        "bubbleloc:small", tmp_path / "rf.npy", output, sampling_rate_hz=RATE_HZ, **told
    )
    expected = pd.read_csv(output)
    told["region_mm"] = np.array(told["region_mm"])  # NumPy's numbers are numbers, too
    table = localize_lines(frames, RATE_HZ, "small", axes="fes", **told)
    assert table["depth_mm"].between(4, 14).all()
    for name in table:
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-5)


@pytest.mark.parametrize(
    ("volts", "settings", "message"),
    [
        (UNEQUAL, {}, "volts holds objects .* such as lines of different lengths: cut them"),
        (np.array(UNEQUAL, object), {}, "volts holds objects .* lines of different lengths"),
        (NOISE, {}, r"shape \(2, 3, 1690\): name its axes, such as axes='fes'"),
        (NOISE[0], {"axes": "fx"}, "axes=fx: choose one of frames, elements, samples"),
        (NOISE[0], {"axes": "ss"}, "axes=ss: give each axis once"),
        (NOISE[0], {"axes": "fes"}, "names 3: name all of them"),
        (NOISE[0, 0, :300], {}, "1 line of 300 samples, .*: give lines of 420 samples or more$"),
        (NOISE[0, :, :300], {}, "3 lines of 300 samples, .*: give lines of 420 samples or more$"),
        (NOISE[0], {"output": "b.csv"}, "output: a setting of the command alone"),
        (NOISE[0], {"tolerence": 3}, "unknown setting tolerence, did you mean 'tolerance'"),
        (NOISE[0], {"region_mm": (9, 2)}, "region_mm=.9, 2.: give the smaller number first"),
        (NOISE[0], {"model": 3}, "3 is no run directory"),
        (None, {}, "volts holds objects in place of numbers"),
        ("nowhere.npy", {}, "no file nowhere.npy: give the name of a file of RF lines"),
    ],
)
def test_what_does_not_fit_is_refused_in_words_of_python(volts, settings, message):
    with pytest.raises(InputError, match=message):
        localize_lines(volts, **settings)


def test_files_that_hold_no_numbers_are_named(tmp_path):
    np.savetxt(tmp_path / "text.npy.txt", NOISE[0])
    (tmp_path / "text.npy.txt").rename(tmp_path / "text.npy")
    np.save(tmp_path / "unequal.npy", np.array(UNEQUAL, object), allow_pickle=True)
    np.savez(tmp_path / "unequal.npz", rf=np.array(UNEQUAL, object))
    for name, message in (
        ("text.npy", "is no .npy file, whatever its name says: write it with numpy.save, or"),
        ("unequal.npy", "holds objects in place of numbers, such as lines of different lengths"),
        ("unequal.npz", "holds objects in place of numbers, such as lines of different lengths"),
    ):
        with pytest.raises(InputError, match=f"{name} {message}"):
            localize_lines(tmp_path / name, RATE_HZ)
