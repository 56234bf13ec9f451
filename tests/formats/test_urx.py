"""URX files, in the layout of ultrasound-rawdata-exchange 1.4."""

import h5py
import numpy as np
import pytest

from bubbleloc import formats
from bubbleloc.errors import InputError
from tests.formats import written
from tests.formats.written import SOUND, Acquisition, tilted

PLACE = "dataset/acquisition"


def write_urx(path, made, iq=False, lost=0):
    """Two events: a plane wave at 10°, then ours."""
    lines = made.volts()
    if iq:
        lines = written.demodulated(lines, np.arange(made.samples) / made.rate_hz, 1.7e6)
    both = np.stack([np.zeros_like(lines), lines], axis=1)
    row = np.stack([both.real, both.imag] if iq else [both], axis=-1).reshape(-1, 1 + iq)
    with h5py.File(path, "w") as file:
        for n, x_m in enumerate(made.x_m):
            translation = f"{PLACE}/probes/00000000/elements/{n:08d}/transform/translation"
            for axis, value in zip("xyz", (x_m, 0.0, 0.0), strict=True):
                file[f"{translation}/{axis}"] = value
        for number, delay_s in enumerate((tilted(10), made.delay_s)):
            event = f"{PLACE}/groups/00000000/sequence/{number:08d}"
            for setup in ("transmit_setup", "receive_setup"):
                file[f"{event}/{setup}/probe"] = np.uint64(0)
                for n in range(made.elements):
                    file[f"{event}/{setup}/active_elements/{n:08d}"] = np.uint32([n])
            file[f"{event}/transmit_setup/delays"] = delay_s
            for name, value in {
                **{"number_samples": np.uint32(made.samples), "time_offset": made.begin_s},
                **{"sampling_frequency": made.rate_hz},
                "modulation_frequency": 1.7e6 if iq else np.nan,
            }.items():
                file[f"{event}/receive_setup/{name}"] = value
        file[f"{PLACE}/groups/00000000/sound_speed"] = SOUND
        file[f"{PLACE}/groups_data/00000000/group"] = np.uint64(0)
        file[f"{PLACE}/groups_data/00000000/raw_data"] = row[: len(row) - lost].astype(np.float32)


@pytest.mark.parametrize("iq", [False, True])
@pytest.mark.parametrize("name", ["a.urx", "a.h5"])
def test_samples_in_one_row_come_apart(iq, name, tmp_path):
    made = Acquisition(delay_s=tilted(5))
    write_urx(tmp_path / name, made, iq)
    recording = formats.read(tmp_path / name)
    assert recording.start_s == pytest.approx(made.start_s)
    assert np.degrees(recording.angle_rad) == pytest.approx(5)
    assert (recording.frames, recording.elements) == (made.frames, made.elements)
    np.testing.assert_allclose(recording.element_m[:, 0], made.x_m)
    time_s = recording.start_s + np.arange(recording.samples) / recording.sampling_rate_hz
    inside = slice(40, -40)
    for frame in range(made.frames):
        line, truth = recording.volts[frame][4], made.echo(frame, 4, time_s)
        np.testing.assert_allclose(line[inside], truth[inside], atol=2e-2)
    np.testing.assert_array_equal(recording.volts.lines(3, 8)[1], recording.volts[0][4])
    assert not formats.read(tmp_path / name, transmit=0).volts[0].any()


def test_rows_that_end_early_and_other_groups_are_refused(tmp_path):
    write_urx(tmp_path / "a.urx", Acquisition(), lost=7)
    with pytest.raises(InputError, match="samples do not fill sequences of 6144"):
        formats.read(tmp_path / "a.urx")
    with pytest.raises(InputError, match=r"no group '1'; it holds 00000000"):
        formats.read(tmp_path / "a.urx", key="1")
