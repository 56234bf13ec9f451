"""Files as the field's own packages write them; run by benchmarks/formats_matrix.py.

    python tests/formats/real_writers.py lines.npz folder

Needs no bubbleloc: it runs in any Python that has some of the packages, and writes the files of
those. ``lines.npz`` holds ``rf`` (frames, transmits, elements, samples), where time 0 is when the
pulse leaves x = 0; ``band``, the same in a narrow band; and ``rate``. ``rows.json`` in the folder
has a row per file: what it is, how to read it, and which lines it must give.
"""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat
from scipy.signal import hilbert, resample_poly

SOUND, PITCH, BEGIN_S = 1480.0, 0.3e-3, 2e-6
CARRIER, DOWN = 3.2e6, 8  # of IQ, and how many times slower it is sampled
SLOWER = 14  # of undersampled RF, of a band around 3/4 of that rate
ANGLES = np.radians([-6.0, 0.0, 8.0])


class Lines:
    """The lines, cut to begin late, and what the packages want to know of them."""

    def __init__(self, path):
        file = np.load(path)
        self.rate = float(file["rate"])
        self.first = int(BEGIN_S * self.rate)
        self.rf, self.band = (file[name][..., self.first :] for name in ("rf", "band"))
        self.frames, self.transmits, self.elements, self.samples = self.rf.shape
        self.begin_s = self.first / self.rate
        self.x = PITCH * (np.arange(self.elements) - (self.elements - 1) / 2)
        delay = self.x * np.sin(ANGLES[:, None]) / SOUND
        self.delay = delay - delay.min(axis=1, keepdims=True)
        self.origin = self.delay.mean(axis=1)

    def iq(self, start_s):
        """IQ (…, samples / DOWN) mixed on a clock that begins at a time."""
        time_s = start_s + np.arange(self.samples) / self.rate
        mixed = hilbert(self.rf, axis=-1) * np.exp(-2j * np.pi * CARRIER * time_s)
        return resample_poly(mixed, 1, DOWN, axis=-1)

    def geometry(self):
        """Positions (elements, 3)."""
        return np.stack([self.x, 0 * self.x, 0 * self.x], axis=1)


ROWS = []


def row(package, layout, file, lines="rf", transmit=1, hints=None, refused=None):
    """Note a file that was written."""
    version = importlib.metadata.version(package)
    ROWS.append(
        {"package": package, "version": version, "layout": layout, "file": str(file)}
        | {"lines": lines, "transmit": transmit, "hints": hints or {}, "refused": refused}
    )


# --- zea


def zea_scan(lines, iq=False, **changes):
    scan = {
        "sampling_frequency": lines.rate / (DOWN if iq else 1),
        "center_frequency": np.full(lines.transmits, 1.7e6),
        "demodulation_frequency": np.full(lines.transmits, CARRIER if iq else 0.0),
        "initial_times": lines.begin_s + lines.origin,
        "t0_delays": lines.delay,
        "tx_apodizations": np.ones_like(lines.delay),
        "focus_distances": np.full(lines.transmits, np.inf),
        "transmit_origins": np.zeros((lines.transmits, 3)),
        "polar_angles": ANGLES,
        "sound_speed": SOUND,
    }
    return {k: np.float32(v) if np.ndim(v) == 0 else v for k, v in (scan | changes).items()}


def zea_raw(lines, iq=False, gain=1.0):
    data = lines.iq(0.0) if iq else lines.rf * gain
    parts = [data.real, data.imag] if iq else [data]
    return np.stack(parts, axis=-1).swapaxes(2, 3).astype(np.float32)


def write_zea(lines, folder):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import zea.data.spec  # noqa: F401 — what zea 0.0 does not have
    from zea.data.file import File

    def write(layout, raw, scan, transmit=1, hints=None, probe=None, tracks=None, **more):
        path = folder / f"zea_{len(ROWS)}.hdf5"
        scan = {k: v if k == "rx_aperture_indices" else np.float32(v) for k, v in scan.items()}
        data = {"data": {"raw_data": raw}, "scan": scan}
        labelled = tracks and {"tracks": [data | {"label": label} for label in tracks]}
        probe = {"name": "x", "probe_geometry": np.float32(lines.geometry())} | (probe or {})
        File.create(path, probe=probe, ignore_warnings=True, **(labelled or data), **more)
        row("zea", layout, path, transmit=transmit, hints=hints)

    rf, scan = zea_raw(lines), zea_scan(lines)
    write("RF, Blosc (default)", rf, scan)
    write("RF, gzip", rf, scan, compression="gzip")
    write("RF, lzf", rf, scan, compression="lzf")
    write("RF, not compressed", rf, scan, compression=None, chunk_axes=None)
    write("RF, −6°", rf, scan, transmit=0, hints={"transmit": 0})
    write("RF, 8°", rf, scan, transmit=2, hints={"transmit": 2})
    write("IQ", zea_raw(lines, iq=True), zea_scan(lines, iq=True))
    write("IQ, 8°", zea_raw(lines, True), zea_scan(lines, True), 2, {"transmit": 2})
    write("two tracks", rf, scan, tracks=["focused", "plane"], hints={"key": "plane"})
    order = np.arange(lines.elements)[::-1]
    mapped = scan | {"rx_aperture_indices": np.tile(order, (lines.transmits, 1)).astype(np.int32)}
    write("rx_aperture_indices", rf[:, :, :, order], mapped)
    late = {"initial_times": lines.begin_s + lines.origin + 2e-6}
    lens = {"lens_thickness": np.float32(1e-3), "lens_sound_speed": np.float32(1000.0)}
    write("RF, lens", rf, scan | late, probe=lens)
    gain = np.linspace(1, 20, lines.samples)
    write("RF, TGC", zea_raw(lines, gain=gain), scan | {"tgc_gain_curve": gain})
    half = np.ones_like(lines.delay)
    half[:, : lines.elements // 2] = 0
    silent = {"tx_apodizations": half, "t0_delays": lines.delay * half}
    write("RF, half of the elements fire, 8°", rf, scan | silent, 2, {"transmit": 2})
    each = np.full(lines.transmits, CARRIER)
    each[0] = 1e6
    write(
        "IQ, a frequency per transmit",
        zea_raw(lines, True),
        zea_scan(lines, True, demodulation_frequency=each),
    )


def write_old_zea(lines, folder):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    from zea.data.data_format import generate_zea_dataset

    def write(layout, raw, scan, transmit=1, hints=None, events=False, **more):
        path = folder / f"old_zea_{len(ROWS)}.hdf5"
        given = {"raw_data": raw, "probe_geometry": lines.geometry(), "probe_name": "x"} | scan
        given |= {
            "center_frequency": 1.7e6,
            "demodulation_frequency": CARRIER if raw.shape[-1] > 1 else 0.0,
        }
        given |= {"description": "x"}
        if events:
            given = {k: [v, v] for k, v in given.items()}
        generate_zea_dataset(path=path, event_structure=events, **given, **more)
        row("zea", layout, path, transmit=transmit, hints=hints)

    rf, scan = zea_raw(lines), zea_scan(lines)
    write("RF", rf, scan)
    write("RF, not compressed", rf, scan, enable_compression=False)
    write("RF, 8°", rf, scan, transmit=2, hints={"transmit": 2})
    write("IQ", zea_raw(lines, iq=True), zea_scan(lines, iq=True))
    write("events", rf, scan, events=True, hints={"key": "event_1"})


# --- UFF


def uff_wave(lines, number, delay, kind, source):
    import pyuff_ustb as pyuff

    origin = pyuff.Point(distance=0.0, azimuth=0.0, elevation=0.0)
    plane = pyuff.Point(distance=np.inf, azimuth=ANGLES[number], elevation=0.0)
    apodization = pyuff.Apodization(window=pyuff.Window.none, f_number=np.array([1.0, 1.0]))
    return pyuff.Wave(
        wavefront=kind,
        source=source or plane,
        delay=delay,
        sound_speed=SOUND,
        origin=origin,
        apodization=apodization,
    )


def write_uff(lines, folder):
    import pyuff_ustb as pyuff

    geometry = np.concatenate([lines.geometry(), np.zeros((lines.elements, 4))], axis=1).T
    probe = pyuff.LinearArray(N=lines.elements, pitch=PITCH, element_width=PITCH)
    probe.element_height, probe.geometry = 5e-3, geometry
    plane = pyuff.Wavefront.plane

    def write(layout, data, rate, transmit=1, hints=None, delay=0.0, carrier=0.0, **more):
        path = folder / f"uff_{len(ROWS)}.uff"
        numbers = range(lines.transmits) if data.shape[2] > 1 else [1]
        kind, source = more.get("kind", plane), more.get("source")
        channel = pyuff.ChannelData(
            sampling_frequency=rate,
            initial_time=lines.begin_s - delay,
            sound_speed=SOUND,
            modulation_frequency=carrier,
            sequence=[uff_wave(lines, number, delay, kind, source) for number in numbers],
            probe=probe,
            data=data,
        )
        if len(numbers) == 1:
            channel.sequence = channel.sequence[0]
        channel.write(str(path), "channel_data", ignore_missing_compulsory_fields=True)
        package = more.get("package", "pyuff-ustb")
        kind, refused = more.get("lines", "rf"), more.get("refused")
        row(package, layout, path, kind, transmit, hints, refused)

    rf = lines.rf.transpose(3, 2, 1, 0)
    write("RF", rf, lines.rate)
    write("RF, float32", rf.astype(np.float32), lines.rate)
    write("RF, complex with 0", rf + 0j, lines.rate)
    write("RF, delay of the wave", rf, lines.rate, delay=3.2e-6)
    write("RF, negative delay", rf, lines.rate, delay=-1.1e-6)
    write("RF, 8°", rf, lines.rate, transmit=2, hints={"transmit": 2})
    write("RF, one wave", rf[:, :, 1:2], lines.rate)
    write("RF, one frame", rf[..., :1], lines.rate)
    for delay in (0.0, 3.2e-6, -1.1e-6):
        iq = lines.iq(lines.begin_s - delay).transpose(3, 2, 1, 0)
        write(f"IQ, delay {1e6 * delay:g} µs", iq, lines.rate / DOWN, delay=delay, carrier=CARRIER)
    iq = lines.iq(lines.begin_s).transpose(3, 2, 1, 0)
    write("IQ, 8°", iq, lines.rate / DOWN, 2, {"transmit": 2}, carrier=CARRIER)
    write("IQ without a frequency", iq, lines.rate / DOWN, hints={"modulation_hz": CARRIER})
    write(
        "IQ without a frequency, none given", iq, lines.rate / DOWN, refused="give modulation_hz="
    )
    write(
        "real samples with a modulation",
        rf,
        lines.rate,
        carrier=CARRIER,
        refused="real samples with",
    )
    behind = pyuff.Point()
    behind.xyz = (0.0, 0.0, -20e-3)
    write("RF, diverging", rf[:, :, 1:2], lines.rate, kind=pyuff.Wavefront.spherical, source=behind)
    write(
        "RF, photoacoustic",
        rf,
        lines.rate,
        kind=pyuff.Wavefront.photoacoustic,
        refused="photoacoustic",
    )
    try:
        from ustb.preprocess.fast_demodulation import FastDemodulation
    except ImportError:
        return
    for delay in (0.0, 3.2e-6):
        step = FastDemodulation()
        step.input = pyuff.ChannelData(
            sampling_frequency=lines.rate,
            initial_time=lines.begin_s - delay,
            sound_speed=SOUND,
            modulation_frequency=0.0,
            data=lines.band.transpose(3, 2, 1, 0),
        )
        step.modulation_frequency, step.lowpass_frequency_vector = CARRIER, [1.3, 1.4]
        done = step.go()
        data, rate = np.asarray(done.data), float(done.sampling_frequency)
        layout = f"fast demodulation, delay {1e6 * delay:g} µs"
        write(layout, data, rate, delay=delay, carrier=CARRIER, package="ustb", lines="band")


# --- URX


def urx_probe(lines):
    import ultrasound_rawdata_exchange as urx

    def place(x):
        return urx.Transform(urx.Vector3D(0, 0, 0), urx.Vector3D(x, 0, 0))

    corners = [urx.Vector3D(0, 0, 0), urx.Vector3D(1e-4, 0, 0), urx.Vector3D(1e-4, 1e-3, 0)]
    shape = urx.ElementGeometry(corners)
    response = urx.ImpulseResponse(62.5e6, 0.0, "V", [1.0, 0.0])
    probe = urx.Probe()
    probe.type = urx.ProbeType.LINEAR
    probe.element_geometries, probe.impulse_responses = [shape], [response]
    probe.elements = [urx.Element(place(x), shape, response) for x in lines.x]
    return probe


def urx_event(lines, number, probe, excitation, iq):
    import ultrasound_rawdata_exchange as urx

    event, active = urx.Event(), [[i] for i in range(lines.elements)]
    transmit, receive = event.transmit_setup, event.receive_setup
    transmit.probe, transmit.active_elements = probe, active
    transmit.delays, transmit.excitations = lines.delay[number], [excitation] * lines.elements
    transmit.wave.type = urx.WaveType.PLANE_WAVE
    transmit.wave.parameters = [np.sin(ANGLES[number]), 0.0, np.cos(ANGLES[number])]
    transmit.wave.time_zero = lines.origin[number]
    receive.probe, receive.active_elements = probe, active
    receive.time_offset = lines.begin_s + lines.origin[number]
    receive.number_samples = -(-lines.samples // (DOWN if iq else 1))
    receive.sampling_frequency = lines.rate / (DOWN if iq else 1)
    if iq:
        receive.modulation_frequency = CARRIER
    return event


def write_urx(lines, folder):
    import ultrasound_rawdata_exchange as urx

    def write(layout, data, transmit=1, iq=False):
        dataset, group, stored = urx.Dataset(), urx.Group(), urx.GroupData()
        probe, excitation = urx_probe(lines), urx.Excitation("sin", 1.7e6, 62.5e6, [0.0, 1.0, 0.0])
        group.sampling_type = urx.SamplingType.IQ if iq else urx.SamplingType.RF
        group.data_type, group.sound_speed = urx.DataType.FLOAT, SOUND
        numbers = range(lines.transmits)
        group.sequence = [urx_event(lines, n, probe, excitation, iq) for n in numbers]
        stored.group, stored.raw_data = group, data
        stored.sequence_timestamps, stored.group_timestamp = np.arange(lines.frames) * 0.01, 0.0
        stored.event_timestamps = [[0.0, 1e-3, 2e-3]] * lines.frames
        acquisition = dataset.acquisition
        acquisition.probes, acquisition.excitations = [probe], [excitation]
        acquisition.groups, acquisition.groups_data = [group], [stored]
        acquisition.timestamp = 1.0
        path = folder / f"urx_{len(ROWS)}.urx"
        urx.saveToFile(str(path), dataset)
        row("ultrasound-rawdata-exchange", layout, path, "rf", transmit, {"transmit": transmit})

    rf = np.float32(lines.rf).ravel()
    write("RF", rf)
    write("RF, 8°", rf, 2)
    iq = lines.iq(0.0)
    write("IQ", np.stack([iq.real, iq.imag], axis=-1).astype(np.float32).reshape(-1, 2), iq=True)


# --- MATLAB, by SciPy and hdf5storage


def plain_variables(lines):
    """Variables of MATLAB files by layout: (variables, lines, hints)."""
    rf = lines.rf[:, 1]
    facts = {"fs": lines.rate, "start_s": lines.begin_s, "speed_of_sound_m_s": SOUND}
    shifted = lines.iq(0.0)[:, 1]  # plain arrays: the carrier's phase is 0 at time 0
    shifted = shifted * np.exp(-2j * np.pi * CARRIER * lines.begin_s)
    param = {"fs": lines.rate, "fc": 1.7e6, "c": SOUND, "t0": lines.begin_s, "pitch": PITCH}
    param |= {"Nelements": float(lines.elements), "TXdelay": lines.delay[2:] * 1.0}
    slow = lines.band[:, 1, :, ::SLOWER]
    under = {
        "fs": lines.rate / SLOWER,
        "fc": lines.rate / SLOWER * 0.75,
        "t0": lines.begin_s,
        "bandwidth": 90.0,
    }
    steered = param | {"t0": lines.begin_s + lines.origin[2]}
    counts = np.rint(3e4 * rf / np.abs(rf).max()).astype(np.int16)
    turned = rf.transpose(2, 1, 0)
    iq_hints = {"modulation_hz": CARRIER}
    yield "array", {"rf": rf} | facts, "rf", 1, {}
    yield "struct", {"acq": {"rf": rf} | facts, "fs": 1e6}, "rf", 1, {"key": "acq.rf"}
    yield "int16", {"rf": counts} | facts, "rf", 1, {}
    yield "samples × frames", {"rf": rf[:, 0].T} | facts, "rf", 1, {"axes": ["samples", "frames"]}
    yield "samples × elements × frames", {"rf": turned} | facts, "rf", 1, {"transpose": True}
    yield "complex", {"iq": shifted} | facts | {"fs": lines.rate / DOWN}, "rf", 1, iq_hints
    must = lines.rf[:, 2].transpose(2, 1, 0)
    yield "MUST", {"RF": must, "param": steered}, "rf", 2, {}
    yield "MUST, undersampled", {"RF": slow.transpose(2, 1, 0), "param": under}, "band", 1, {}


def write_matlab(lines, folder):
    for layout, variables, kind, transmit, hints in plain_variables(lines):
        path = folder / f"scipy_{len(ROWS)}.mat"
        savemat(path, variables, do_compression=len(ROWS) % 2 == 0)
        row("scipy", f"version 5, {layout}", path, kind, transmit, hints)
    try:
        import hdf5storage
    except ImportError:
        return
    for layout, variables, kind, transmit, hints in plain_variables(lines):
        path = folder / f"hdf5storage_{len(ROWS)}.mat"
        hdf5storage.savemat(str(path), variables, store_python_metadata=False)
        row("hdf5storage", f"version 7.3, {layout}", path, kind, transmit, hints)


def write_must(lines, folder):
    import pymust

    carrier = lines.rate / SLOWER * 0.75
    rf = lines.band[:, 1].transpose(2, 1, 0)
    param = pymust.utils.Param()
    param.fs, param.fc, param.t0, param.c = lines.rate, carrier, lines.begin_s, SOUND
    iq = pymust.rf2iq(rf, param)[::4]
    path = folder / f"must_{len(ROWS)}.mat"
    values = {"fs": lines.rate / 4, "fc": carrier, "t0": lines.begin_s, "c": SOUND}
    savemat(path, {"IQ": iq, "param": values})
    row("pymust", "IQ of rf2iq with param", path, "band")


def write_numpy(lines, folder):
    rf = lines.rf[:, 1]
    np.save(folder / "a.npy", rf)
    hints = {"sampling_rate_hz": lines.rate, "start_s": lines.begin_s}
    row("numpy", ".npy", folder / "a.npy", hints=hints)
    np.savez(folder / "a.npz", rf=rf, fs=lines.rate, start_s=lines.begin_s)
    row("numpy", ".npz", folder / "a.npz")
    time_us = 1e6 * (lines.begin_s + np.arange(lines.samples) / lines.rate)
    columns = np.column_stack([time_us, 1e3 * rf[0].T])
    np.savetxt(folder / "a.csv", columns, "%.6g", ",", header="time (us)", comments="")
    row("numpy", "text with 6 digits", folder / "a.csv")
    with h5py.File(folder / "a.h5", "w") as file:
        group = file.create_group("acq")
        group["rf"] = rf
        group.attrs.update({"fs": lines.rate, "start_s": lines.begin_s})
    row("h5py", "attributes of the group", folder / "a.h5")


def main():
    lines, folder = Lines(sys.argv[1]), Path(sys.argv[2])
    for write in (
        write_zea,
        write_old_zea,
        write_uff,
        write_urx,
        write_matlab,
        write_must,
        write_numpy,
    ):
        try:
            write(lines, folder)
        except ImportError as error:
            print(f"{write.__name__} skipped: {error}", file=sys.stderr)
    Path(folder / "rows.json").write_text(json.dumps(ROWS))


if __name__ == "__main__":
    main()
