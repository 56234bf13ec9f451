"""Recordings of systems: samples, elements and times as they were, whatever moved them."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from bubbleloc import formats
from bubbleloc.errors import InputError
from tests.formats import written
from tests.formats.written import Acquisition, tilted

SHUFFLED = [4, 1, 9, 2, 7, 5]
WRITERS = {
    "v5.mat": lambda path, made: written.write_v5(path, written.workspace(made, SHUFFLED)),
    "v73.mat": lambda path, made: written.write_v73(path, written.workspace(made, SHUFFLED)),
    "mm.mat": lambda path, made: written.write_v5(path, written.workspace(made, units="mm")),
    "a.uff": written.write_uff,
    "iq.uff": lambda path, made: written.write_uff(path, made, iq=True),
    "picmus.h5": lambda path, made: written.write_picmus(path, made),
    "picmus_iq.h5": lambda path, made: written.write_picmus(path, made, iq=True),
    "zea.h5": lambda path, made: written.write_zea(path, made),
    "old_zea.hdf5": lambda path, made: written.write_zea(path, made, tracks=False),
    "zea_iq.h5": lambda path, made: written.write_zea(path, made, iq=True),
}
OFFSETS = {
    "no offset": {"begin_s": 0.0, "samples": 700},
    "start of the record": {},
    "delays of the transmit": {"delay_s": tilted(5)},
    "lens": {"lens_s": 0.8e-6},
    "gain": {"gain_db": (6.0, 34.0)},
    "all": {"delay_s": tilted(5), "lens_s": 0.8e-6, "gain_db": (6.0, 34.0), "begin_s": 2e-6},
}


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", WRITERS)
def test_every_sample_is_at_its_time(name, offset, tmp_path):
    made = Acquisition(**OFFSETS[offset])
    WRITERS[name](tmp_path / name, made)
    recording = formats.read(tmp_path / name)
    time_s = recording.start_s + np.arange(recording.samples) / recording.sampling_rate_hz
    assert recording.start_s == pytest.approx(made.start_s, abs=1e-12)
    frames = 1 if "picmus" in name else made.frames
    assert (recording.frames, recording.elements) == (frames, made.elements)
    for frame in range(frames):
        found = recording.volts[frame]
        assert found.dtype == np.float32
        scale = 1000 if name.endswith(".mat") else 1
        inside = slice(None) if "iq" not in name else slice(40, -40)
        for element in range(made.elements):
            expected = scale * made.echo(frame, element, time_s)
            atol = scale * (2e-3 if "iq" not in name else 2e-2)
            np.testing.assert_allclose(found[element][inside], expected[inside], atol=atol)
    np.testing.assert_allclose(recording.element_m[:, 0], made.x_m, atol=1e-12)
    assert recording.speed_of_sound_m_s == 1480
    assert set(recording.sources) >= {"sampling_rate_hz", "start_s", "element_m"}
    assert all("undone" in step or "IQ" in step for step in recording.steps)


@pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
def test_a_verasonics_workspace_tells_of_pulse_and_transducer(write, tmp_path):
    made = Acquisition(lens_s=0.8e-6, delay_s=tilted(5))
    write(tmp_path / "a.mat", written.workspace(made, SHUFFLED))
    recording = formats.read(tmp_path / "a.mat")
    assert recording.frequency_hz == 1.7e6
    assert recording.waveform_rate_hz == 250e6
    np.testing.assert_allclose(recording.waveform, np.sin(np.arange(300) / 20))
    np.testing.assert_allclose(recording.delay_s, made.delay_s)
    assert recording.lens_s == pytest.approx(0.8e-6)
    assert recording.angle_rad == 0
    assert any("transmit 1 of 2" in note for note in recording.notes)
    steered = formats.read(tmp_path / "a.mat", transmit=0)
    assert steered.angle_rad == pytest.approx(0.17)
    np.testing.assert_allclose(steered.delay_s, tilted(10))
    with pytest.raises(InputError, match="no transmit=2; it has transmits 0, 1"):
        formats.read(tmp_path / "a.mat", transmit=2)


@pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
def test_super_frames_come_apart_in_the_order_of_time(write, tmp_path):
    made = Acquisition(frames=2)
    variables = written.workspace(made, events=False)
    variables["TX"] = variables["TX"][1:]  # one transmit: both acquisitions are frames
    variables["Resource"]["RcvBuffer"]["lastFrame"] = 1  # the second is older
    write(tmp_path / "a.mat", variables)
    recording = formats.read(tmp_path / "a.mat")
    data = variables["RcvData"][0][:, : made.elements]
    n = made.samples
    expected = [data[:n, :, 1], data[n : 2 * n, :, 1], data[:n, :, 0], data[n : 2 * n, :, 0]]
    assert recording.frames == 4
    for frame, rows in enumerate(expected):
        np.testing.assert_array_equal(recording.volts[frame], rows.T)


@pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
def test_a_buffer_is_chosen_by_its_number(write, tmp_path):
    variables = written.workspace(made := Acquisition())
    other = [{**entry, "bufnum": 2} for entry in variables["Receive"]]
    variables["Receive"] = variables["Receive"] + other
    variables["RcvData"] = [variables["RcvData"][0], -variables["RcvData"][0]]
    del variables["Event"]
    write(tmp_path / "a.mat", variables)
    first = formats.read(tmp_path / "a.mat").volts[1]
    np.testing.assert_array_equal(first, np.rint(1000 * made.volts()[1]))
    np.testing.assert_array_equal(
        formats.read(tmp_path / "a.mat", key="RcvData{2}").volts[1], -first
    )
    with pytest.raises(InputError, match=r"no buffer RcvData\{3\}; it holds RcvData\{1\}, RcvData"):
        formats.read(tmp_path / "a.mat", key="RcvData{3}")


def changed(path, value):
    """A change of one field of a workspace, in every entry of a struct array."""

    def change(variables):
        name, *fields = path.split(".")
        if not fields:
            variables.pop(name) if value is None else variables.update({name: value})
            return
        entries = variables[name] if isinstance(variables[name], list) else [variables[name]]
        for entry in entries:
            entry.pop(fields[0]) if value is None else entry.update({fields[0]: value})

    return change


BAD = {
    "no Receive": (changed("Receive", None), "no Receive.startSample and endSample: save"),
    "before VSX": (changed("Receive.startSample", None), "save Receive, Trans, TX"),
    "no rate": (changed("Receive.decimSampleRate", None), "no decimSampleRate"),
    "interleaved": (changed("Receive.sampleMode", "NS200BWI"), "'NS200BWI', which is not read"),
    "no Trans": (changed("Trans", None), "Trans has no ElementPos or frequency"),
    "no positions": (changed("Trans.ElementPos", None), "Trans has no ElementPos or frequency"),
    "odd positions": (changed("Trans.ElementPos", np.ones((6, 2))), "not elements × "),
    "NaN positions": (changed("Trans.ElementPos", np.full((6, 5), np.nan)), "not elements × "),
    "frequency 0": (changed("Trans.frequency", 0.0), "no ElementPos or frequency"),
    "connector": (changed("Trans.Connector", np.arange(9.0, 15)), "Trans.Connector does not give"),
    "connector 0": (changed("Trans.Connector", np.arange(6.0)), "Trans.Connector does not give"),
    "short connector": (changed("Trans.Connector", np.arange(1.0, 4)), "to each of 6 elements"),
    "rows": (changed("Receive.endSample", 9999), "samples and start depths|RcvData holds 1124 of"),
    "frames": (changed("Receive.framenum", 9), "frames up to 9, and RcvData holds 1124 of 3"),
    "start": (changed("Receive.startSample", -3), "choose others|names samples -3"),
    "NaN": (changed("Receive.decimSampleRate", np.nan), "no decimSampleRate"),
    "numbers": (changed("Receive.acqNum", np.nan), "Receive has fields that are no numbers"),
    "delays": (changed("TX.Delay", np.zeros(3)), "TX.Delay does not give one delay to each"),
    "gain": (changed("TGC.Waveform", np.full(512, np.nan)), "gain in TGC must be above 0"),
    "empty": (changed("RcvData", [np.zeros((0, 0), np.int16)]), "it holds none with lines"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("write", [written.write_v5, written.write_v73])
def test_bad_workspaces_are_refused_in_one_line(write, case, tmp_path):
    change, message = BAD[case]
    variables = written.workspace(Acquisition(), events=False)
    change(variables)
    write(tmp_path / "a.mat", variables)
    with pytest.raises(InputError, match=message) as error:
        formats.read(tmp_path / "a.mat")
    assert "\n" not in str(error.value)
    assert "a.mat" in str(error.value) or case == "gain"


def test_wavelengths_are_counted_in_the_spacing_where_the_frequency_was_changed(tmp_path):
    made = Acquisition(lens_s=0.8e-6)
    variables = written.workspace(made)
    variables["Trans"]["frequency"] *= 2
    for entry in variables["Receive"]:
        entry["startDepth"] *= 2
    written.write_v5(tmp_path / "a.mat", variables)
    recording = formats.read(tmp_path / "a.mat")
    np.testing.assert_allclose(recording.element_m[:, 0], made.x_m)
    assert recording.start_s == pytest.approx(made.start_s)
    assert any("not the 0.296 mm of Trans.frequency" in note for note in recording.notes)


def test_samples_are_read_from_the_file_only_where_they_are_needed(tmp_path):
    written.write_v73(tmp_path / "a.mat", written.workspace(Acquisition(), SHUFFLED))
    volts = formats.read(tmp_path / "a.mat").volts
    np.testing.assert_array_equal(volts.lines(5, 9), np.concatenate([volts[0], volts[1]])[5:9])


def test_hints_come_before_the_file(tmp_path):
    savemat(tmp_path / "a.mat", {"rf": np.ones((2, 9)), "fs": 40e6})
    written.write_zea(tmp_path / "zea.h5", Acquisition())
    hints = {"sampling_rate_hz": 10e6, "speed_of_sound_m_s": 1500.0, "start_s": 3e-6}
    for name in ("a.mat", "zea.h5"):
        recording = formats.read(tmp_path / name, **hints)
        for fact, value in hints.items():
            assert getattr(recording, fact) == value
            assert recording.sources[fact] == "setting"
    with pytest.raises(InputError, match="start_s=3: give seconds"):
        formats.read(tmp_path / "a.mat", start_s=3)


def test_a_second_transmit_of_uff_or_zea_is_chosen_by_number(tmp_path):
    written.write_zea(tmp_path / "zea.h5", Acquisition())
    written.write_picmus(tmp_path / "picmus.h5", Acquisition())
    for name, last in (("zea.h5", 1), ("picmus.h5", 2)):
        assert not formats.read(tmp_path / name, transmit=0).volts[0].any()
        with pytest.raises(InputError, match=f"no transmit=9; it has .* {last}$"):
            formats.read(tmp_path / name, transmit=9)


def test_iq_of_an_array_needs_its_frequency(tmp_path):
    made = replace(Acquisition(), frames=1, begin_s=0.0)
    iq = written.demodulated(made.volts()[0], made.time_s, 1.7e6)
    np.save(tmp_path / "a.npy", iq)
    recording = formats.read(tmp_path / "a.npy", sampling_rate_hz=20e6, modulation_hz=1.7e6)
    time_s = np.arange(recording.samples) / recording.sampling_rate_hz
    expected = made.echo(0, 2, time_s)
    np.testing.assert_allclose(recording.volts[0][2][40:-40], expected[40:-40], atol=1e-2)


def edited(write, change):
    """A file of a writer, changed by a function."""

    def make(path):
        write(path, Acquisition(frames=1))
        with h5py.File(path, "r+") as file:
            change(file)

    return make


def replaced(place, value):
    def change(file):
        del file[place]
        if value is not None:
            file[place] = value

    return change


SCAN, DATA = "tracks/track_0/scan", "tracks/track_0/data/raw_data"
BAD_HDF5 = {
    "positions of UFF": (
        edited(written.write_uff, replaced("channel_data/probe/geometry", np.zeros((7, 4)))),
        "6 channels, positions of 4 elements",
    ),
    "five axes of UFF": (
        edited(written.write_uff, replaced("channel_data/data", np.zeros((1, 1, 1, 6, 9)))),
        "cannot be read",
    ),
    "text in UFF": (
        edited(written.write_uff, replaced("channel_data/sampling_frequency", "fast")),
        "cannot be read",
    ),
    "NaN in UFF": (
        edited(written.write_uff, replaced("channel_data/data", np.full((6, 9), np.nan))),
        "line 0 is NaN or infinite at sample 0",
    ),
    "IQ without rate": (
        edited(
            lambda path, made: written.write_uff(path, made, iq=True),
            replaced("channel_data/sampling_frequency", 0.0),
        ),
        "sampled at 0 Hz: give modulation_hz= and sampling_rate_hz=",
    ),
    "axes of zea": (
        edited(written.write_zea, replaced(DATA, np.zeros((1, 2, 9, 6)))),
        "raw_data of shape",
    ),
    "positions of zea": (
        edited(written.write_zea, replaced("probe/probe_geometry", np.zeros((4, 3)))),
        "probe_geometry .4, 3. of 6 elements",
    ),
    "gain of zea": (
        edited(written.write_zea, replaced(f"{SCAN}/tgc_gain_curve", np.zeros(512))),
        "the gain in scan/tgc_gain_curve must be above 0",
    ),
    "delays of zea": (
        edited(written.write_zea, replaced(f"{SCAN}/t0_delays", np.zeros((1, 6)))),
        "t0_delays .1, 6. of 2 transmits, 6 elements",
    ),
}


@pytest.mark.parametrize("case", BAD_HDF5)
def test_bad_uff_and_zea_files_are_refused_in_one_line(case, tmp_path):
    make, message = BAD_HDF5[case]
    make(tmp_path / "a.h5")
    with pytest.raises(InputError, match=message) as error:
        list(formats.read(tmp_path / "a.h5").blocks(2))
    assert "\n" not in str(error.value)


def test_a_buffer_larger_than_memory_is_read_frame_by_frame(tmp_path):
    made = Acquisition(frames=2)
    written.write_v73(tmp_path / "a.mat", written.workspace(made))
    with h5py.File(tmp_path / "a.mat", "r+") as file:  # 240 GB, were it ever written
        (place,) = (file[reference].name for reference in file["RcvData"][:, 0])
        channels, rows = file[place].shape[1:]
        del file[place], file["RcvData"]
        shape, chunks = (10_000_000, channels, rows), (1, channels, rows)
        file.create_dataset(place, shape, np.int16, chunks=chunks)[1, :, :] = 7
        file.create_dataset("RcvData", data=[[file[place].ref]], dtype=h5py.ref_dtype)
    recording = formats.read(tmp_path / "a.mat")
    assert recording.frames == 2
    assert (recording.volts[1] == 7).all()
