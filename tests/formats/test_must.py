"""Lines with a struct ``param`` of MUST, and files of the field that are refused by name."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from scipy.signal import hilbert, resample_poly

from bubbleloc import formats
from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.units import Scale
from tests.formats import written
from tests.formats.written import Acquisition, tilted

DISK = Path(__file__).resolve().parents[3] / "shared/measured/PWI_disk.mat"
FC = 2.5e6
FINER = 4  # samples between those of a line: both sum by linear interpolation


def param(made, **more):
    return {"fs": made.rate_hz, "fc": FC, "c": written.SOUND, "t0": made.begin_s} | more


def write_v5(path, lines, values):
    scipy.io.savemat(path, {"RF": lines, "param": values})


def write_v73(path, lines, values):
    written.write_v73(path, {"RF": lines, "param": values})


WRITERS = pytest.mark.parametrize(("name", "write"), [("v5.mat", write_v5), ("v73.mat", write_v73)])


@WRITERS
def test_rate_start_speed_and_array_are_those_of_param(name, write, tmp_path):
    made = Acquisition(delay_s=tilted(5))
    values = param(made, pitch=written.PITCH_M, Nelements=6, TXdelay=made.delay_s[None])
    write(tmp_path / name, made.volts().transpose(2, 1, 0), values)
    recording = formats.read(tmp_path / name)
    assert recording.volts.shape == (made.frames, made.elements, made.samples)
    assert recording.start_s == pytest.approx(made.start_s)
    assert (recording.sampling_rate_hz, recording.speed_of_sound_m_s) == (20e6, 1480)
    np.testing.assert_allclose(recording.element_m[:, 0], made.x_m)
    np.testing.assert_allclose(recording.volts[1], made.volts()[1], atol=1e-6)
    assert np.degrees(recording.angle_rad) == pytest.approx(5)
    assert any("calibrate= measures" in note for note in recording.notes)
    assert recording.sources["sampling_rate_hz"] == "param.fs"
    write(tmp_path / name, made.volts().transpose(2, 1, 0), param(made, pitch=3e-4, Nelements=7))
    with pytest.raises(InputError, match=r"param.Nelements is 7, and lines are 6"):
        formats.read(tmp_path / name)


def test_a_convex_array_is_one(tmp_path):
    made = Acquisition()
    values = param(made, pitch=5e-4, Nelements=6, radius=20e-3)
    write_v5(tmp_path / "a.mat", made.volts().transpose(2, 1, 0), values)
    element_m = formats.read(tmp_path / "a.mat").element_m
    np.testing.assert_allclose(np.hypot(*np.diff(element_m[:, [0, 2]], axis=0).T), 5e-4)
    assert element_m[0, 2] == element_m[-1, 2] == 0
    assert element_m[2, 2] == pytest.approx(
        20e-3 * (1 - np.cos(2.5 * 2 * np.arcsin(1 / 80))), rel=0.05
    )


def narrow(frame, element, time_s):
    late = time_s[:, None] - 1e-6 * np.array([12.0, 19.3, 27.1]) - 0.17e-6 * element
    return (np.exp(-((late / 1.6e-6) ** 2)) * np.cos(2 * np.pi * FC * late)).sum(axis=1)


@pytest.mark.parametrize("ratio", [4 / 3, 4 / 3 * 1.01, 0.8])
@WRITERS
def test_undersampled_rf_becomes_the_rf_that_it_was(name, write, ratio, tmp_path):
    made = Acquisition(rate_hz=ratio * FC, samples=160, echo=narrow)
    write(tmp_path / name, made.volts().transpose(2, 1, 0), param(made, bandwidth=15.0))
    recording = formats.read(tmp_path / name)
    assert recording.sampling_rate_hz >= 4 * FC
    time_s = recording.start_s + np.arange(recording.samples) / recording.sampling_rate_hz
    line, truth = recording.volts[1][5], made.echo(1, 5, time_s)
    assert np.corrcoef(line, truth)[0, 1] > 0.99
    write(tmp_path / name, made.volts().transpose(2, 1, 0), param(made, fs=2.02 * FC))
    with pytest.raises(InputError, match=r"folds onto itself: record at 4/3"):
        formats.read(tmp_path / name)


def test_a_real_disk_is_imaged_as_by_must():
    """Envelopes of delay-and-sum of the same plane waves, by MUST from IQ, by us from RF."""
    if not DISK.is_file():
        pytest.skip("the measured files are not here (../shared/measured)")
    pymust = pytest.importorskip("pymust", reason="pymust is not installed")
    recording = formats.read(DISK)
    scale = Scale(recording.sampling_rate_hz, recording.speed_of_sound_m_s, recording.frequency_hz)
    grid = Grid.covering((-12.5e-3, 12.5e-3), (10e-3, 35e-3), 0.2e-3)
    fine = replace(scale, sampling_rate_hz=FINER * scale.sampling_rate_hz)
    signal = resample_poly(hilbert(recording.volts[0], axis=1), FINER, 1, axis=1)
    begin = recording.start_s * fine.sampling_rate_hz
    ours = ArrayLines(signal, Array(recording.element_m[:, 0], fine, -begin)).image(grid)

    stored = scipy.io.loadmat(DISK, squeeze_me=True)
    values = pymust.utils.Param()
    for name in stored["param"].dtype.names:
        values[name] = np.asarray(stored["param"][name].item()).squeeze()[()]
    iq = pymust.rf2iq(stored["RF"][:, :, 0].astype(float), values.fs, values.fc)
    iq = resample_poly(iq, FINER, 1, axis=0)
    values.fs *= FINER
    values.fnumber = 0  # all elements, as we sum them
    x, z = np.meshgrid(grid.lateral_m, grid.depth_m)
    values.TXdelay = np.zeros((1, 128))
    matrix = pymust.dasmtx(iq, x, z, values)
    theirs = np.abs(matrix @ iq.ravel(order="F")).reshape(x.shape, order="F")
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] >= 0.98


def write_group(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name.replace("__", "/")] = value


FOREIGN = {
    "PALA": ("a.mat", lambda path: scipy.io.savemat(path, {"RFdata": np.zeros((9, 5, 3))})),
    "PROTEUS": ("a.mat", lambda path: scipy.io.savemat(path, {"RF_PROTEUS": np.zeros((9, 5))})),
    "k-Wave": ("a.mat", lambda path: scipy.io.savemat(path, {"sensor_data": np.zeros((9, 50))})),
    "Ultratrace": (
        "a.h5",
        lambda path: write_group(
            path, acquisitions__0__iq_frames=np.zeros((2, 3, 4), np.complex64), config__x=1
        ),
    ),
}


@pytest.mark.parametrize("program", FOREIGN)
def test_files_of_other_programs_are_refused_by_name(program, tmp_path):
    name, write = FOREIGN[program]
    write(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}: .*{program}.*; give key=, axes=") as error:
        formats.read(tmp_path / name)
    assert "\n" not in str(error.value)
