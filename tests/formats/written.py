"""Recordings as systems and programs write them, of echoes that are known at every moment.

``echo(frame, element, time_s)`` is the truth on our clock: time 0 is when the pulse's start leaves
the face of the transducer at x = 0. A writer samples it on the clock of its format.
"""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

SOUND, PITCH_M, FREQUENCY = 1480.0, 0.3e-3, 2.5e6


def echo(frame, element, time_s):
    """Echoes of three bubbles of a frame in the line of an element."""
    arrivals = 1e-6 * (np.array([12.0, 19.3, 27.1]) + 0.31 * frame + 0.17 * element)
    late = time_s[:, None] - arrivals
    return (np.exp(-((late / 0.4e-6) ** 2)) * np.cos(2 * np.pi * 1.7e6 * late)).sum(axis=1)


@dataclass
class Acquisition:
    """What was recorded, and how."""

    frames: int = 3
    elements: int = 6
    samples: int = 512
    rate_hz: float = 20e6
    begin_s: float = 4e-6  # of the record, after the first element fires
    delay_s: np.ndarray = field(default_factory=lambda: np.zeros(6))
    lens_s: float = 0.0  # one way
    gain_db: tuple[float, float] = (0.0, 0.0)  # at 0 and 40 µs
    echo: object = echo

    @property
    def x_m(self):
        return PITCH_M * (np.arange(self.elements) - (self.elements - 1) / 2)

    @property
    def recorder_s(self):
        """Time of the samples on the clock of the recorder."""
        return self.begin_s + np.arange(self.samples) / self.rate_hz

    @property
    def start_s(self):
        """Time of the first sample on our clock."""
        return self.begin_s - np.mean(self.delay_s) - 2 * self.lens_s

    @property
    def time_s(self):
        return self.start_s + np.arange(self.samples) / self.rate_hz

    @property
    def gain(self):
        low, high = self.gain_db
        return 10 ** ((low + (high - low) * self.recorder_s / 40e-6) / 20)

    def volts(self, gain=1.0):
        """Lines (frames, elements, samples)."""
        lines = [
            [self.echo(frame, element, self.time_s) for element in range(self.elements)]
            for frame in range(self.frames)
        ]
        return np.array(lines) * gain


def tilted(degrees, elements=6):
    """Delays of a plane wave at an angle, the first element at 0."""
    x = PITCH_M * np.arange(elements)
    delay = x * np.sin(np.radians(degrees)) / SOUND
    return delay - delay.min()


# --- Verasonics


def workspace(made: Acquisition, connector=None, units="wavelengths", events=True):
    """Variables of a Verasonics workspace: two transmits per frame, the second steered to 10°.

    Rows of RcvData: the steered acquisition, then ours, then rest.
    """
    connector = np.arange(1, made.elements + 1) if connector is None else np.asarray(connector)
    wavelength_m = SOUND / FREQUENCY
    unit_m = 1e-3 if units == "mm" else wavelength_m
    tall, wide = 2 * made.samples + 100, int(connector.max()) + 2
    data = np.random.default_rng(0).integers(-99, 99, (tall, wide, made.frames)).astype(np.int16)
    counts = np.rint(1000 * made.volts(made.gain))
    data[made.samples : 2 * made.samples, connector - 1] = counts.transpose(2, 1, 0)
    receive = [
        {
            **{"bufnum": 1, "framenum": frame + 1, "acqNum": number + 1, "TGC": 1, "mode": 0},
            "startSample": number * made.samples + 1,
            "endSample": (number + 1) * made.samples,
            "startDepth": made.begin_s * FREQUENCY / 2,
            **{"sampleMode": "NS200BW", "decimSampleRate": made.rate_hz / 1e6, "quadDecim": 1},
        }
        for frame in range(made.frames)
        for number in range(2)
    ]
    curve_s = 0.8e-6 * np.arange(512)
    gain_db = made.gain_db[0] + (made.gain_db[1] - made.gain_db[0]) * curve_s / 40e-6
    position = np.zeros((made.elements, 5))
    position[:, 0] = made.x_m / unit_m
    variables = {
        "RcvData": [data],
        "Receive": receive,
        "Trans": {
            **{"name": "P4-1", "units": units, "frequency": FREQUENCY / 1e6},
            **{"numelements": made.elements, "ElementPos": position},
            **{"spacing": PITCH_M / wavelength_m, "spacingMm": 1e3 * PITCH_M},
            "lensCorrection": made.lens_s * SOUND / unit_m,
            "Connector": connector[:, None].astype(np.float64),
        },
        "TX": [
            {"waveform": 1, "Steer": np.array([angle, 0.0]), "Delay": delay * FREQUENCY}
            for angle, delay in ((0.17, tilted(10, made.elements)), (0.0, made.delay_s))
        ],
        "TW": {
            **{"type": "parametric", "Parameters": np.array([1.7, 0.67, 2.0, 1.0])},
            "Wvfm1Wy": np.sin(np.arange(300) / 20)[:, None],
        },
        "TGC": {"CntrlPts": np.zeros(8), "Waveform": np.clip(gain_db, 0, 40) * 1023 / 40},
        "Resource": {
            "Parameters": {"speedOfSound": SOUND},
            "RcvBuffer": {"numFrames": made.frames, "lastFrame": made.frames},
        },
    }
    if events:
        variables["Event"] = [
            {"tx": (i % 2 + 1) * (i < len(receive)), "rcv": (i + 1) * (i < len(receive))}
            for i in range(len(receive) + 1)
        ]
    return variables


def struct_array(entries):
    """A MATLAB struct array (1, n) for `savemat`."""
    made = np.empty((1, len(entries)), dtype=[(name, object) for name in entries[0]])
    for place, entry in enumerate(entries):
        made[0, place] = tuple(entry.values())
    return made


def write_v5(path: Path, variables):
    cells = np.empty((1, len(variables["RcvData"])), dtype=object)
    cells[0, :] = variables["RcvData"]
    structs = {
        name: struct_array(value) if isinstance(value, list) else value
        for name, value in variables.items()
        if name != "RcvData"
    }
    savemat(path, structs | {"RcvData": cells}, do_compression=True, oned_as="row")


def write_v73(path: Path, variables):
    """HDF5 as MATLAB lays it out: a user block, axes reversed, text as codes, references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _write_v73(file, name, value)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def _write_v73(file, name, value):
    if isinstance(value, dict):
        for key, entry in value.items():
            _write_v73(file, f"{name}/{key}", entry)
    elif isinstance(value, list) and isinstance(value[0], dict):
        for key in value[0]:
            _references(file, f"{name}/{key}", [entry[key] for entry in value])
    elif isinstance(value, list):
        _references(file, name, value)
    elif isinstance(value, str):
        file[name] = np.array([[ord(letter)] for letter in value], dtype=np.uint16)
        file[name].attrs["MATLAB_class"] = np.bytes_("char")
    else:
        file[name] = np.atleast_2d(value).T


def _references(file, name, values):
    places = [f"#refs#/{name.replace('/', '_')}{i}" for i in range(len(values))]
    for place, value in zip(places, values, strict=True):
        _write_v73(file, place, value)
    references = np.array([file[place].ref for place in places])[:, None]
    file.create_dataset(name, data=references, dtype=h5py.ref_dtype)


# --- UFF, PICMUS, zea


def demodulated(lines, time_s, frequency_hz):
    """Complex samples (IQ) of lines whose band lies around a frequency."""
    spectrum = np.fft.fft(lines, axis=-1)
    spectrum[..., lines.shape[-1] // 2 :] = 0
    return 2 * np.fft.ifft(spectrum, axis=-1) * np.exp(-2j * np.pi * frequency_hz * time_s)


def write_uff(path: Path, made: Acquisition, iq=False):
    """Channel data of USTB; its clock is 0 when the wave passes the origin."""
    lines = made.volts()[:, None]
    begin_s = made.begin_s - np.mean(made.delay_s) - 2 * made.lens_s
    with h5py.File(path, "w") as file:
        group = file.create_group("channel_data")
        group.attrs["class"] = "uff.channel_data"
        for name, value in {
            **{"sampling_frequency": made.rate_hz, "sound_speed": SOUND},
            **{"initial_time": begin_s - 1e-6, "modulation_frequency": 1.7e6 * iq},
            **{"sequence/delay": 1e-6, "sequence/source/azimuth": 0.0},
            "pulse/center_frequency": 1.7e6,
        }.items():
            group[name] = np.array([[value]])
        geometry = np.zeros((7, made.elements))
        geometry[0] = made.x_m
        group["probe/geometry"] = geometry
        if not iq:
            group["data"] = lines.astype(np.float32)
            return
        # on the clock of `initial_time`, which does not know `delay`
        complex_lines = demodulated(lines, made.time_s - 1e-6, 1.7e6)
        group["data/real"], group["data/imag"] = complex_lines.real, complex_lines.imag


def write_picmus(path: Path, made: Acquisition, iq=False):
    """Three angles; ours is the second, straight down."""
    lines = made.volts()[0]
    others = np.zeros_like(lines)
    data = np.stack([others, lines, others]).astype(complex)
    if iq:
        data = demodulated(data, made.time_s, 1.7e6)
    with h5py.File(path, "w") as file:
        group = file.create_group("US/US_DATASET0000")
        group["data/real"], group["data/imag"] = data.real, data.imag
        group["angles"] = np.array([-0.1, 0.0, 0.1])
        geometry = np.zeros((3, made.elements))
        geometry[0] = made.x_m
        group["probe_geometry"] = geometry
        for name, value in {
            **{"sampling_frequency": made.rate_hz, "sound_speed": SOUND},
            **{"initial_time": made.start_s, "modulation_frequency": 1.7e6 * iq},
        }.items():
            group[name] = np.array([value])


def write_zea(path: Path, made: Acquisition, iq=False, tracks=True):
    """Two transmits; ours is the second, straight down or as its delays say."""
    lines = made.volts(made.gain)
    raw = demodulated(lines, made.recorder_s - made.begin_s, 1.7e6) if iq else lines
    parts = np.stack([raw.real, raw.imag] if iq else [raw], axis=-1)
    data = np.stack([np.zeros_like(parts), parts], axis=1).swapaxes(2, 3)
    geometry = np.zeros((made.elements, 3))
    geometry[:, 0] = made.x_m
    with h5py.File(path, "w") as file:
        track = file.create_group("tracks/track_0") if tracks else file
        track["data/raw_data"] = data.astype(np.float32)
        scan = track.create_group("scan")
        for name, value in {
            **{"sampling_frequency": made.rate_hz, "center_frequency": 1.7e6},
            **{"demodulation_frequency": 1.7e6, "sound_speed": SOUND},
            "initial_times": np.full(2, made.begin_s),
            "t0_delays": np.stack([tilted(10, made.elements), made.delay_s]),
            "polar_angles": np.array([0.17, 0.0]),
            "tgc_gain_curve": made.gain,
        }.items():
            scan[name] = value
        (file.require_group("probe") if tracks else scan)["probe_geometry"] = geometry
        if made.lens_s:
            file["probe/lens_thickness"] = 1000.0 * made.lens_s
            file["probe/lens_sound_speed"] = 1000.0
