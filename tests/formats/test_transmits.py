"""Transmits: which elements fire and record, where the wave goes, how it was sampled."""

import h5py
import numpy as np
import pytest

from bubbleloc import formats
from bubbleloc.errors import InputError
from tests.formats import written
from tests.formats.written import SOUND, Acquisition, tilted

WORKSPACES = pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
SCAN = "tracks/track_0/scan"
X_M = Acquisition().x_m


def zea(path, made=None, iq=False, **scan):
    """A zea file whose scan has other values."""
    written.write_zea(path, made or Acquisition(), iq=iq)
    with h5py.File(path, "r+") as file:
        for name, value in scan.items():
            if name in file[SCAN]:
                del file[SCAN][name]
            if value is not None:
                file[SCAN][name] = value
    return path


def uff(path, iq=False, made=None, **values):
    """A UFF file with other values; ``__`` stands for ``/``."""
    written.write_uff(path, made or Acquisition(), iq=iq)
    with h5py.File(path, "r+") as file:
        for name, value in values.items():
            place = f"channel_data/{name.replace('__', '/')}"
            if place in file:
                del file[place]
            file[place] = value
    return path


# --- UFF


@pytest.mark.parametrize("delay_s", [-2e-6, 0.0, 1e-6, 3.2e-6])
def test_the_carrier_of_uff_does_not_know_the_delay_of_the_wave(delay_s, tmp_path):
    made = Acquisition(frames=1)
    path = uff(tmp_path / "a.uff", iq=True, made=made)
    with h5py.File(path, "r+") as file:
        group = file["channel_data"]
        for name, value in (("sequence/delay", delay_s), ("initial_time", 4e-6 - delay_s)):
            group[name][...] = value
        iq = written.demodulated(made.volts()[:, None], made.time_s - delay_s, 1.7e6)
        group["data/real"][...], group["data/imag"][...] = iq.real, iq.imag
    recording = formats.read(path)
    time_s = recording.start_s + np.arange(recording.samples) / recording.sampling_rate_hz
    line, truth = recording.volts[0][2][50:-50], made.echo(0, 2, time_s)[50:-50]
    assert np.corrcoef(line, truth)[0, 1] > 0.999


@pytest.mark.parametrize(
    ("x_m", "z_m", "degrees"), [(5e-3, -20e-3, -14.04), (5e-3, 20e-3, 14.04), (0.0, -20e-3, 0.0)]
)
def test_a_wave_of_uff_goes_away_from_a_source_behind_the_array(x_m, z_m, degrees, tmp_path):
    source = {"distance": np.hypot(x_m, z_m), "azimuth": np.arctan2(x_m, z_m)}
    path = uff(tmp_path / "a.uff", **{f"sequence__source__{k}": [[v]] for k, v in source.items()})
    recording = formats.read(path)
    assert np.degrees(recording.angle_rad) == pytest.approx(degrees, abs=0.01)
    assert recording.notes == ((f"the wave goes at {degrees:.1f}°",) if degrees else ())


def test_real_samples_of_uff_with_a_modulation_and_one_way_waves_are_refused(tmp_path):
    path = uff(tmp_path / "a.uff", modulation_frequency=[[1.7e6]])
    with pytest.raises(InputError, match=r"real samples with a modulation of 1.7e\+06"):
        formats.read(path)
    path = uff(tmp_path / "b.uff", sequence__wavefront=[[2]])
    with pytest.raises(InputError, match="wave 0 is photoacoustic: its sound goes one way"):
        formats.read(path)


def test_complex_samples_of_uff_without_a_frequency_take_that_of_the_user(tmp_path):
    told = formats.read(uff(tmp_path / "a.uff", iq=True))
    path = uff(tmp_path / "b.uff", iq=True, modulation_frequency=[[0.0]])
    with pytest.raises(InputError, match=r"\(IQ\): give modulation_hz="):
        formats.read(path)
    given = formats.read(path, modulation_hz=1.7e6)
    np.testing.assert_array_equal(given.volts[0], told.volts[0])


# --- zea


def test_channels_of_zea_belong_to_the_elements_that_are_named(tmp_path):
    order = np.array([3, 4, 5, 0, 1, 2])
    path = zea(tmp_path / "a.h5", rx_aperture_indices=np.tile(order, (2, 1)).astype(np.int32))
    recording, plain = formats.read(path), formats.read(zea(tmp_path / "plain.h5"))
    np.testing.assert_allclose(recording.element_m[:, 0], X_M)
    for channel, element in enumerate(order):
        np.testing.assert_array_equal(recording.volts[0][element], plain.volts[0][channel])
        line = recording.volts.lines(element, element + 1)[0]
        np.testing.assert_array_equal(line, plain.volts[0][channel])
    path = zea(tmp_path / "b.h5", rx_aperture_indices=np.tile([1, 2, 3, 4], (2, 1)))
    with h5py.File(path, "r+") as file:
        place = "tracks/track_0/data/raw_data"
        data = file[place][()]
        del file[place]
        file[place] = data[:, :, :, 1:5]
    recording = formats.read(path)
    np.testing.assert_allclose(recording.element_m[:, 0], X_M[1:5])
    np.testing.assert_array_equal(recording.volts[0], data[0, 1, :, 1:5, 0].T)
    path = zea(tmp_path / "c.h5", rx_aperture_indices=np.tile([1, 2, 3, 4, 5, 6], (2, 1)))
    with pytest.raises(InputError, match="do not give one of 6 elements to each of 6 channels"):
        formats.read(path)


def test_frequencies_of_zea_are_those_of_the_transmit(tmp_path):
    both = np.array([1.2e6, 2.2e6])
    path = zea(tmp_path / "a.h5", iq=True, demodulation_frequency=both, center_frequency=both + 1e5)
    for number in (0, 1):
        recording = formats.read(path, transmit=number)
        assert recording.frequency_hz == both[number] + 1e5
        assert recording.steps[1].startswith(f"IQ at {both[number] / 1e6:g} MHz")
    given = formats.read(path, modulation_hz=1.7e6)
    assert given.steps[1].startswith("IQ at 1.7 MHz")


def test_angles_of_zea_that_are_not_told_are_those_of_the_delays(tmp_path):
    delay_s = np.stack([tilted(10), tilted(-3)])
    recording = formats.read(zea(tmp_path / "a.h5", polar_angles=None, t0_delays=delay_s))
    assert np.degrees(recording.angle_rad) == pytest.approx(-3)
    assert recording.notes == ("transmit 1 of 2 is read, at -3.0°; see transmit=",)
    bent = np.stack([1e-6 * np.array([0, 4, 1, 3, 0, 5.0])] * 2)
    recording = formats.read(zea(tmp_path / "b.h5", polar_angles=None, t0_delays=bent))
    assert recording.angle_rad is None
    assert "at an unknown angle" in recording.notes[0]


def test_tracks_and_events_of_zea_are_listed_and_chosen(tmp_path):
    written.write_zea(tmp_path / "a.h5", Acquisition())
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.copy("tracks/track_0", "tracks/track_1")
        file["tracks/track_1/data/raw_data"][...] *= 2
        file["tracks/track_0/label"], file["tracks/track_1/label"] = "focused", "plane"
    recording = formats.read(tmp_path / "a.h5")
    assert recording.notes[0] == (
        "tracks/track_0 (focused) of tracks/track_0 (focused), tracks/track_1 (plane) is read; "
        "see key="
    )
    for key in ("plane", "tracks/track_1"):
        other = formats.read(tmp_path / "a.h5", key=key)
        np.testing.assert_array_equal(other.volts[0], 2 * recording.volts[0])
    written.write_zea(tmp_path / "b.h5", Acquisition(), tracks=False)
    with h5py.File(tmp_path / "b.h5", "r+") as file:  # as zea 0.0 writes an event structure
        for name in ("data", "scan"):
            file.move(name, f"event_0/{name}")
        file.copy("event_0", "event_1")
    recording = formats.read(tmp_path / "b.h5")
    np.testing.assert_allclose(recording.element_m[:, 0], X_M)
    assert recording.notes[0] == "event_0 of event_0, event_1 is read; see key="


# --- elements that do not fire


PART = np.array([0, 0, 0, 0, 1, 1.0])  # all on the side of +x


def write_zea_part(path, delay_s, weight):
    zea(path, t0_delays=np.stack([delay_s] * 2), tx_apodizations=np.stack([weight] * 2))


def write_verasonics_part(path, delay_s, weight):
    variables = written.workspace(Acquisition())
    for entry in variables["TX"]:
        entry.update({"Delay": delay_s * written.FREQUENCY, "Apod": weight})
    written.write_v5(path, variables)


@pytest.mark.parametrize(
    ("name", "write"), [("a.h5", write_zea_part), ("a.mat", write_verasonics_part)]
)
def test_elements_that_do_not_fire_have_no_say_in_when_the_pulse_leaves(name, write, tmp_path):
    plane_s = (X_M - X_M.min()) * np.sin(np.radians(20)) / SOUND
    write(tmp_path / name, plane_s * PART, PART)
    recording = formats.read(tmp_path / name)
    origin_s = -X_M.min() * np.sin(np.radians(20)) / SOUND
    assert recording.start_s == pytest.approx(4e-6 - origin_s)
    np.testing.assert_array_equal(np.isnan(recording.delay_s), PART == 0)
    assert "only elements at x = 0.45 to 0.75 mm fire" in recording.notes[-1]
    middle = np.array([0, 1, 1, 1, 1, 0.0])
    write(tmp_path / name, np.where(middle, plane_s, 9e-6), middle)
    recording = formats.read(tmp_path / name)
    assert recording.start_s == pytest.approx(4e-6 - origin_s)
    assert not any("fire" in note for note in recording.notes)


# --- Verasonics


def multiplexed(first, connector):
    """A workspace of 9 elements and 6 channels, the aperture of 6 elements from `first` on."""
    made = Acquisition(elements=9, delay_s=np.zeros(9), frames=2)
    variables = written.workspace(made)
    data = np.zeros((2 * made.samples, 6, made.frames), np.int16)
    apertures = np.zeros((9, 4))
    for i in range(4):
        apertures[i : i + 6, i] = np.arange(i, i + 6) % 6 + 1
    counts = np.rint(1000 * made.volts()).astype(np.int16)
    for element in range(first, first + 6):
        data[made.samples :, element % 6] = counts[:, element].T
    variables["RcvData"] = [data]
    variables["Trans"] |= {"Connector": connector[:, None], "HVMux": {"ApertureES": apertures}}
    for entry in variables["Receive"]:
        entry["aperture"] = first + 1
    return made, variables


@pytest.mark.parametrize("connector", [np.r_[1.0:7, 1:4], np.arange(1.0, 10)])
@WORKSPACES
def test_a_multiplexer_tells_which_elements_were_recorded(write, connector, tmp_path):
    made, variables = multiplexed(2, connector)
    write(tmp_path / "a.mat", variables)
    recording = formats.read(tmp_path / "a.mat")
    np.testing.assert_allclose(recording.element_m[:, 0], made.x_m[2:8])
    for frame in range(2):
        expected = np.rint(1000 * made.volts()[frame, 2:8])
        np.testing.assert_array_equal(recording.volts[frame], expected)
    assert "3 of 9 elements were not connected and are left out" in recording.notes
    del variables["Trans"]["HVMux"]
    write(tmp_path / "a.mat", variables)
    with pytest.raises(InputError, match=r"share a channel .*: save Trans.HVMux|does not give one"):
        formats.read(tmp_path / "a.mat")


@WORKSPACES
def test_rate_and_mode_are_those_of_the_acquisition(write, tmp_path):
    variables = written.workspace(made := Acquisition())
    for number, entry in enumerate(variables["Receive"]):
        if number % 2 == 0:  # of the other transmit
            entry.update({"decimSampleRate": 40.0, "sampleMode": "NS200BWI"})
    write(tmp_path / "a.mat", variables)
    assert formats.read(tmp_path / "a.mat").sampling_rate_hz == made.rate_hz
    with pytest.raises(InputError, match="'NS200BWI', which is not read"):
        formats.read(tmp_path / "a.mat", transmit=0)
    variables["Receive"][1]["decimSampleRate"] = 40.0
    write(tmp_path / "a.mat", variables)
    with pytest.raises(InputError, match=r"sampled differently, .* \[20.0, 40.0\]"):
        formats.read(tmp_path / "a.mat")


def narrow(frame, element, time_s):
    """Echoes that a band of half the carrier's frequency holds."""
    late = time_s[:, None] - 1e-6 * np.array([12.0, 19.3, 27.1]) - 0.17e-6 * element
    return (np.exp(-((late / 1.6e-6) ** 2)) * np.cos(2 * np.pi * 2.5e6 * late)).sum(axis=1)


@pytest.mark.parametrize(
    ("mode", "offsets", "step", "quads"),
    [("BS100BW", (0, 1), 4, 2), ("BS50BW", (0, 1), 8, 4), ("BS67BW", (0,), 3, 1)],
)
@WORKSPACES
def test_bandwidth_sampling_becomes_the_rf_that_it_was(write, mode, offsets, step, quads, tmp_path):
    carrier_hz = 2.5e6
    made = Acquisition(rate_hz=4 * carrier_hz, samples=480, echo=narrow)
    variables = written.workspace(made)
    kept = np.sort(np.concatenate([np.arange(offset, 480, step) for offset in offsets]))
    data = variables["RcvData"][0]
    variables["RcvData"] = [np.concatenate([data[:480][kept], data[480:960][kept]])]
    for number, entry in enumerate(variables["Receive"]):
        begin = number % 2 * len(kept)
        entry.update({"startSample": begin + 1, "endSample": begin + len(kept)})
        entry.update({"sampleMode": mode, "quadDecim": quads, "demodFrequency": carrier_hz / 1e6})
        entry["decimSampleRate"] = 4 * carrier_hz / 1e6
    write(tmp_path / "a.mat", variables)
    recording = formats.read(tmp_path / "a.mat")
    assert recording.sampling_rate_hz >= 4 * carrier_hz
    time_s = recording.start_s + np.arange(recording.samples) / recording.sampling_rate_hz
    for element in (0, 5):
        line, truth = recording.volts[1][element], made.echo(1, element, time_s)
        inside = slice(40, -80)
        assert np.corrcoef(line[inside], truth[inside])[0, 1] > 0.998
        assert np.abs(line[inside] / 1000 - truth[inside]).max() < 0.1
    assert len(recording.steps) == 3  # to IQ, gain, to RF
    variables["Receive"][1]["demodFrequency"] = 4.0
    variables["Receive"] = variables["Receive"][:2]
    write(tmp_path / "a.mat", variables | {"Event": variables["Event"][:2]})
    with pytest.raises(InputError, match=r"which is neither 4 nor .* the demodFrequency, 4 MHz"):
        formats.read(tmp_path / "a.mat")


@WORKSPACES
def test_a_buffer_is_named_without_braces_and_an_empty_one_is_passed_over(write, tmp_path):
    variables = written.workspace(made := Acquisition())
    for entry in variables["Receive"]:
        entry["bufnum"] = 2
    variables["RcvData"] = [np.zeros((0, 0), np.int16), variables["RcvData"][0]]
    write(tmp_path / "a.mat", variables)
    if write is written.write_v73:
        with h5py.File(tmp_path / "a.mat", "r+") as file:  # as MATLAB writes what is empty
            place = file[file["RcvData"][0, 0]].name
            del file[place], file["RcvData"]
            file[place] = np.zeros(2, np.uint64)
            file[place].attrs["MATLAB_empty"] = np.uint8(1)
            references = [[file[f"#refs#/RcvData{i}"].ref] for i in range(2)]
            file.create_dataset("RcvData", data=references, dtype=h5py.ref_dtype)
    for key in (None, "RcvData2", "RcvData{2}"):
        recording = formats.read(tmp_path / "a.mat", key=key)
        np.testing.assert_array_equal(recording.volts[0], np.rint(1000 * made.volts()[0]))
