"""Arrays in groups and structs, the numbers beside them, and the order of their axes."""

import fcntl

import h5py
import numpy as np
import pytest
import scipy.io

from bubbleloc import formats
from bubbleloc.errors import InputError
from bubbleloc.localization import localize_lines

LINES = np.random.default_rng(0).standard_normal((4, 90)).astype(np.float32)
NEAR = {"fs": 62.5e6, "start_s": 5e-6, "speed_of_sound_m_s": 1540.0}


def write_group(path):
    with h5py.File(path, "w") as file:
        file["acq/rf"], file["fs"], file["receive_delay_s"] = LINES, 10e6, 1e-6
        for name, value in NEAR.items():
            file[f"acq/{name}"] = value


def write_attributes(path):
    with h5py.File(path, "w") as file:
        file["acq/rf"], file["receive_delay_s"] = LINES, 1e-6
        file["acq"].attrs.update(NEAR)
        file.attrs["fs"] = 10e6


def write_v73(path):
    with h5py.File(path, "w") as file:
        file["acq/rf"], file["fs"], file["receive_delay_s"] = LINES.T, [[10e6]], [[1e-6]]
        for name, value in NEAR.items():
            file[f"acq/{name}"] = [[value]]


def write_v5(path):
    scipy.io.savemat(path, {"acq": {"rf": LINES, **NEAR}, "fs": 10e6, "receive_delay_s": 1e-6})


WRITERS = {"a.h5": write_group, "b.h5": write_attributes, "v73.mat": write_v73, "v5.mat": write_v5}


@pytest.mark.parametrize("key", [None, "acq.rf", "acq/rf"])
@pytest.mark.parametrize("name", WRITERS)
def test_numbers_in_the_struct_or_group_of_the_array_come_first(name, key, tmp_path):
    WRITERS[name](tmp_path / name)
    recording = formats.read(tmp_path / name, key=key)
    np.testing.assert_array_equal(recording.volts[0], LINES)
    assert (recording.sampling_rate_hz, recording.speed_of_sound_m_s) == (62.5e6, 1540.0)
    assert recording.start_s == pytest.approx(4e-6)  # less the delay, which stands outside
    assert "acq" in recording.sources["sampling_rate_hz"]


def test_complex_arrays_of_matlab_7_3_are_read_as_those_of_version_5(tmp_path):
    iq = LINES + 1j * LINES[::-1]
    scipy.io.savemat(tmp_path / "v5.mat", {"iq": iq, "fs": 10e6})
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        pairs = np.empty(iq.T.shape, dtype=[("real", "f4"), ("imag", "f4")])
        pairs["real"], pairs["imag"] = iq.T.real, iq.T.imag
        file["iq"], file["fs"] = pairs, [[10e6]]
    both = [formats.read(tmp_path / f"{v}.mat", modulation_hz=2e6) for v in ("v5", "v73")]
    np.testing.assert_allclose(both[0].volts[0], both[1].volts[0], atol=1e-6)
    assert both[0].sampling_rate_hz == both[1].sampling_rate_hz


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        (("samples", "frames"), (5, 1, 90)),
        (("frames", "samples"), (5, 1, 90)),
        (("samples", "elements"), (1, 5, 90)),
        (("frames", "samples", "elements"), (3, 5, 90)),
        (("elements", "frames", "samples"), (3, 5, 90)),
        (("samples", "frames", "elements"), (3, 5, 90)),
    ],
)
def test_axes_name_any_order(axes, shape, tmp_path):
    lengths = dict(zip(("frames", "elements", "samples"), shape, strict=True))
    truth = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    missing = [name for name in lengths if name not in axes]
    stored = truth.squeeze(axis=tuple(list(lengths).index(name) for name in missing))
    order = [name for name in lengths if name in axes]
    stored = stored.transpose([order.index(name) for name in axes])
    np.save(tmp_path / "a.npy", stored)
    scipy.io.savemat(tmp_path / "v5.mat", {"rf": stored})
    with h5py.File(tmp_path / "v73.mat", "w") as file:
        file["rf"] = stored.T
    for name in ("a.npy", "v5.mat", "v73.mat"):
        recording = formats.read(tmp_path / name, axes=axes)
        assert recording.volts.shape == shape
        for frame in range(shape[0]):
            np.testing.assert_array_equal(recording.volts[frame], truth[frame])
    with pytest.raises(InputError, match=r"axes=samples names 1: name all of them"):
        formats.read(tmp_path / "a.npy", axes=("samples",))


def test_more_lines_than_samples_are_doubted(tmp_path):
    """Samples × frames, as MATLAB keeps frames of one channel, looks like many short lines."""
    with pytest.warns(UserWarning, match=r"2000 lines of 1500 samples: .* axes=samples,frames"):
        localize_lines(np.random.default_rng(0).standard_normal((2000, 1500))[:, :1500])


@pytest.mark.parametrize("digits", [5, 6])
def test_a_heading_makes_a_rounded_column_the_time(digits, tmp_path):
    time_s = np.arange(8446) / 62.5e6 - 2e-6
    rows = "".join(f"{t:.{digits}g},{i % 7}\n" for i, t in enumerate(time_s))
    (tmp_path / "a.csv").write_text(f"Time (s),Ch1 (V)\n{rows}")
    for hints in ({}, {"sampling_rate_hz": 62.5e6, "transpose": True}):
        recording = formats.read(tmp_path / "a.csv", **hints)
        assert recording.volts.shape == (1, 1, 8446)
        assert recording.sampling_rate_hz == 62.5e6
        assert recording.start_s == pytest.approx(-2e-6, abs=1e-9)


def test_a_column_of_times_in_two_units_is_refused(tmp_path):
    time_s = np.arange(500) / 62.5e6 - 2e-6
    rows = "".join(f"{t * (1e9 if abs(t) < 1e-6 else 1e6):.4f},1\n" for t in time_s)
    (tmp_path / "a.csv").write_text(f"Time (us),V\n{rows}")
    with pytest.raises(InputError, match="does not rise in equal steps"):
        formats.read(tmp_path / "a.csv")


def test_a_count_of_samples_keeps_its_start(tmp_path):
    (tmp_path / "a.csv").write_text("".join(f"{i},{i % 7}\n" for i in range(256, 900)))
    recording = formats.read(tmp_path / "a.csv", sampling_rate_hz=40e6)
    assert recording.start_s == pytest.approx(256 / 40e6)
    with pytest.raises(InputError, match=r"counts samples from 256 on: give sampling_rate_hz="):
        formats.read(tmp_path / "a.csv")


def test_troubles_of_hdf5_and_matlab_files_are_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rf"] = np.zeros((4, 9000))
    with (tmp_path / "a.h5").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="has locked it: close it"):
            formats.read(tmp_path / "a.h5")
    (tmp_path / "b.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:20000])
    scipy.io.savemat(tmp_path / "a.mat", {"rf": LINES, "fs": 1e6, "Trans": {"frequency": 1.0}})
    (tmp_path / "b.mat").write_bytes((tmp_path / "a.mat").read_bytes()[:-40])
    for name in ("b.h5", "b.mat"):
        with pytest.raises(InputError, match=f"{name} is cut off, .* copy it again"):
            formats.read(tmp_path / name)


def test_a_filter_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "hdf5plugin", None)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        stored.set_chunk((4, 90))
        stored.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(LINES.shape)
        h5py.h5d.create(file.id, b"rf", h5py.h5t.IEEE_F32LE, space, stored)
    with pytest.raises(InputError, match=r"number 32015\): pip install 'bubbleloc\[hdf5\]'"):
        formats.read(tmp_path / "a.h5")


def test_files_packed_by_blosc_are_read(tmp_path):
    plugin = pytest.importorskip("hdf5plugin", reason="hdf5plugin is not installed")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("rf", data=LINES, **plugin.Blosc())
    np.testing.assert_array_equal(formats.read(tmp_path / "a.h5").volts[0], LINES)
