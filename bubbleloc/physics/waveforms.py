"""What the transducer is driven with: the published waveforms by name, or a waveform of your own.

Names and numbers are in ``WAVEFORMS`` of `bubbleloc.console.settings.physics`: Zorgdrager et al.,
IEEE TUFFC (2025); tristate: Blanken et al. (2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeGuard

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline

from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import TRISTATE, WAVEFORMS, Chirp, Sine, Train, Tristate
from bubbleloc.errors import InputError
from bubbleloc.files import unreadable_is_input_error
from bubbleloc.matfile import VERASONICS_RATE_HZ, MatFile
from bubbleloc.physics.transducer import P4_1, Response, Transducer
from bubbleloc.tables import read_row, read_table

# Bubbles are integrated, and echoes summed, at least this finely: RK4 at 4 ns converges.
INTEGRATION_RATE_HZ = 250e6
# Part of each half cycle that a three-level pulser is on.
DUTY = 0.67
# Spacing of the frequencies at which the published transmit response is given.
FREQUENCY_STEP_HZ = 5e3
# How near a sine's pressure must peak to its frequency, as a part of it; published: 0.01.
PEAK_TOLERANCE = 0.005
_MOST_ITERATIONS = 100


@dataclass(frozen=True)
class Waveform:
    """What is transmitted: a drive, or, with ``is_pressure``, the pressure that it makes."""

    name: str
    drive: tuple[float, ...]  # samples, of any scale
    rate_hz: float  # of the samples
    frequency_hz: float  # centre frequency f₀
    duration_s: float
    is_pressure: bool = False  # measured: the transmit response is in it already

    @property
    def bandwidth_hz(self) -> float:
        """Width at −6 dB of the spectrum of its samples, from first to last crossing."""
        length = max(round(self.rate_hz / FREQUENCY_STEP_HZ), len(self.drive))
        spectrum = np.abs(fft.rfft(self.drive, length))
        above = np.flatnonzero(spectrum >= spectrum.max() / 2)
        return float((above[-1] - above[0]) * self.rate_hz / length)

    def at_rate(self, rate_hz: float) -> Waveform:
        """The same waveform sampled at another rate, by cubic interpolation."""
        if rate_hz == self.rate_hz:
            return self
        time = np.arange(0, len(self.drive) - 1 + 1e-9, self.rate_hz / rate_hz)
        samples = CubicSpline(np.arange(len(self.drive)), self.drive)(time)
        return replace(self, drive=tuple(samples.tolist()), rate_hz=rate_hz)


class Transmitter(Protocol):
    """What a waveform is made for; a `Setup` is one."""

    @property
    def probe(self) -> Transducer:
        """Its transducer."""

    @property
    def simulation_rate_hz(self) -> float:
        """Rate of the samples of a drive."""

    @property
    def frequency_hz(self) -> float | None:
        """Centre frequency of a tristate pulse or a waveform of your own, where one is given."""

    @property
    def cycles(self) -> float:
        """Cycles of a tristate pulse."""


@dataclass(frozen=True)
class _PublishedTransmitter:
    probe: Transducer = P4_1
    simulation_rate_hz: float = INTEGRATION_RATE_HZ
    frequency_hz: float | None = None
    cycles: float = 1


def is_file(name: object) -> TypeGuard[str | Path]:
    """Whether the name of a waveform means a file, that is, is none of ``WAVEFORMS``."""
    return isinstance(name, str | Path) and str(name).lower() not in WAVEFORMS


def waveform(name: str | Path = TRISTATE, setup: Transmitter | None = None) -> Waveform:
    """The waveform called ``name`` (one of ``WAVEFORMS``), or that of a file.

    Args:
        name: a name or a file (docs/waveforms.md).
        setup: the `Setup` that transmits it, the published one by default.

    Raises:
        InputError: no such name or file, or the setup's transducer cannot transmit it.
    """
    setup = setup or _PublishedTransmitter()
    probe, rate_hz = setup.probe, setup.simulation_rate_hz
    if is_file(name):
        samples, own_rate_hz, is_pressure = read_samples(name)
        rate_hz = own_rate_hz or rate_hz
        made = (
            measured(samples, rate_hz, setup.frequency_hz)
            if is_pressure
            else from_samples(samples, rate_hz, setup.frequency_hz, probe.transmit)
        )
        return replace(made, name=Path(name).name)
    key = str(name).lower()
    match WAVEFORMS[key]:
        case Tristate(frequency_hz=usual_hz):
            frequency_hz = setup.frequency_hz or probe.center_hz or usual_hz
            return tristate(frequency_hz, setup.cycles, rate_hz)
        case Sine(frequency_hz, cycles):
            made = sine(frequency_hz, cycles, rate_hz, probe.transmit)
        case Chirp() as sweep:
            made = chirp(*sweep, rate_hz)
        case Train(frequency_hz, cycles, delays):
            pulse = _tone(frequency_hz, cycles, rate_hz)
            made = train(pulse, frequency_hz, delays, rate_hz, probe.ringing_s)
    return replace(made, name=key)


def tristate(frequency_hz: float, cycles: float, rate_hz: float) -> Waveform:
    """Three levels, +1 and −1 in turn, half a cycle each.

    As published, a half cycle is on for round(0.67·fs/2f) + 1 samples (50 at 1.7 MHz; 49
    would change the pulse by 2.9 %).
    """
    half_period = rate_hz / (2 * frequency_hz)
    on = round(DUTY * half_period) + 1
    starts = [round(k * half_period) for k in range(round(2 * cycles))]
    drive = np.zeros(starts[-1] + on)
    for k, start in enumerate(starts):
        drive[start : start + on] = (-1) ** k
    return Waveform(TRISTATE, tuple(drive.tolist()), rate_hz, frequency_hz, cycles / frequency_hz)


def sine(frequency_hz: float, cycles: float, rate_hz: float, transmit: Response) -> Waveform:
    """A tone burst whose pressure, not whose drive, peaks at ``frequency_hz``.

    As published, the difference is added to the drive's frequency until it is small enough.

    Args:
        transmit: the transducer's transmit response.

    Raises:
        InputError: the transducer cannot transmit such a pulse.
    """
    drive_hz = frequency_hz
    for _ in range(_MOST_ITERATIONS):
        drive = _tone(drive_hz, cycles, rate_hz)
        error_hz = frequency_hz - _peak_hz(drive, rate_hz, transmit)
        if abs(error_hz) <= PEAK_TOLERANCE * frequency_hz:
            samples, duration_s = tuple(drive.tolist()), cycles / drive_hz
            return Waveform("sine", samples, rate_hz, frequency_hz, duration_s)
        drive_hz = max(drive_hz + error_hz, 0.1 * frequency_hz)
    raise InputError(
        f"no sine of {cycles:g} cycles makes a pressure that peaks at {frequency_hz:g} Hz with "
        "this transducer; choose another waveform, or give the responses of your probe"
    )


def chirp(start_hz: float, stop_hz: float, duration_s: float, rate_hz: float) -> Waveform:
    """A sine whose frequency changes linearly; f₀ is the middle."""
    time_s = _time_s(duration_s, rate_hz)
    phase = start_hz * time_s + (stop_hz - start_hz) / (2 * duration_s) * time_s**2
    drive, middle_hz = np.sin(2 * np.pi * phase), (start_hz + stop_hz) / 2
    return Waveform("chirp", tuple(drive.tolist()), rate_hz, middle_hz, duration_s)


def train(
    pulse: Floats,
    frequency_hz: float,
    delays: Sequence[float],
    rate_hz: float,
    ringing_s: float,
) -> Waveform:
    """One pulse (n,) several times, each its delay after the one before has rung down.

    Args:
        delays: in units of the pulse with its ringing.
        ringing_s: how long the transducer rings after a pulse.
    """
    unit_s = (len(pulse) - 1) / rate_hz + ringing_s
    starts, end = [], 0
    for delay in delays:
        starts.append(end + round(delay * unit_s * rate_hz))
        end = starts[-1] + len(pulse) - 1 + round(ringing_s * rate_hz)
    drive = np.zeros(starts[-1] + len(pulse))
    for start in starts:
        drive[start : start + len(pulse)] = pulse
    duration_s = (len(drive) - 1) / rate_hz
    return Waveform("train", tuple(drive.tolist()), rate_hz, frequency_hz, duration_s)


def from_samples(
    drive: Sequence[float] | Floats,
    rate_hz: float,
    frequency_hz: float | None = None,
    transmit: Response = P4_1.transmit,
) -> Waveform:
    """A drive of your own (n,).

    Args:
        frequency_hz: f₀; None is where the spectrum of the pressure is highest.
        transmit: the transducer's transmit response, which makes that pressure.

    Raises:
        InputError: not a row of finite samples, or all are zero.
    """
    samples = checked_row("drive", drive)
    frequency_hz = frequency_hz or _peak_hz(samples, rate_hz, transmit)
    return Waveform("drive", tuple(samples.tolist()), rate_hz, frequency_hz, len(samples) / rate_hz)


def measured(
    pressure: Sequence[float] | Floats, rate_hz: float, frequency_hz: float | None = None
) -> Waveform:
    """The transmitted pressure itself (n,), of any scale; otherwise as `from_samples`."""
    samples = checked_row("pressure", pressure)
    sent = from_samples(samples, rate_hz, frequency_hz or _peak_hz(samples, rate_hz))
    return replace(sent, name="measured", is_pressure=True)


def checked_row(name: str, row: object) -> Floats:
    """A row (n,) of numbers.

    Raises:
        InputError: not a row of finite numbers, or all are zero.
    """
    try:
        samples = np.asarray(row, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not a row of numbers ({error})") from error
    if samples.ndim != 1 or not np.isfinite(samples).all() or not samples.any():
        shape = samples.shape
        raise InputError(f"{name} of shape {shape}; give one row of finite samples, not all 0")
    return samples


def split_number(name: str | Path) -> tuple[Path, int]:
    """Part ``file.mat:2`` into the file and the number (from 1) of the waveform in it."""
    head, colon, number = str(name).rpartition(":")
    return (Path(head), int(number)) if colon and number.isdigit() else (Path(name), 1)


def require_waveform(name: str | Path) -> Path:
    """The file of a waveform.

    Raises:
        InputError: there is no such file; lists the names.
    """
    file, _ = split_number(name)
    if not file.is_file():
        names = ", ".join(WAVEFORMS)
        raise InputError(f"waveform={name}: no such file; give a file or one of {names}")
    return file


def read_samples(name: str | Path) -> tuple[Floats, float | None, bool]:
    """Samples (n,) of a file, their rate in Hz if the file tells it, and whether they are pressure.

    * ``.npy``, or ``.csv`` and ``.txt`` of one column: samples of a drive;
    * ``.csv`` and ``.txt`` of two columns: time in s at equal steps, and the drive;
    * ``.mat`` with a Verasonics ``TW``: its one-way waveform ``Wvfm1Wy``, which is pressure;
      ``file.mat:2`` is the second of several;
    * any other ``.mat``: its only array is a drive, and ``fs``, if there, the rate in Hz.

    Raises:
        InputError: the file is missing, unreadable, or holds no waveform.
    """
    file, (_, number) = require_waveform(name), split_number(name)
    if file.suffix == ".mat":
        with unreadable_is_input_error(file, " as a waveform"):
            return _of_mat(MatFile(file), number)
    if file.suffix == ".npy":
        return read_row(file), None, False
    if file.suffix not in (".csv", ".txt"):
        raise InputError(f"{file}: a waveform is a .npy, .csv, .txt or .mat file")
    columns, _ = read_table(file)
    if columns.shape[1] == 1:
        return columns[:, 0], None, False
    if columns.shape[1] != 2 or len(columns) < 2:
        shape = columns.shape
        raise InputError(f"{file}: a table of {shape}; give one column, or time in s and drive")
    steps_s = np.diff(columns[:, 0])
    if not np.allclose(steps_s, steps_s.mean(), rtol=1e-3, atol=0) or steps_s[0] <= 0:
        raise InputError(f"{file}: times do not rise in equal steps; resample the drive")
    return columns[:, 1], float(1 / steps_s.mean()), False


def _of_mat(mat: MatFile, number: int) -> tuple[Floats, float | None, bool]:
    if "TW" in mat.names:
        rows = mat.entries("TW", "Wvfm1Wy") if mat.has("TW", "Wvfm1Wy") else []
        if not 1 <= number <= len(rows):
            raise InputError(f"{mat.path}:{number}: it holds {len(rows)} waveforms, TW.Wvfm1Wy")
        return np.asarray(rows[number - 1], dtype=np.float64).ravel(), VERASONICS_RATE_HZ, True
    names = sorted(mat.names - {"fs"})
    if len(names) != 1:
        raise InputError(f"{mat.path}: holds {names}; give TW, or one array and fs")
    drive = np.asarray(mat.entries(names[0])[0], dtype=np.float64).ravel()
    return drive, mat.number("fs"), False


def _peak_hz(signal: Floats, rate_hz: float, transmit: Response | None = None) -> float:
    """Where the spectrum of a signal (n,), or of the pressure that it makes, is highest."""
    length = max(round(rate_hz / FREQUENCY_STEP_HZ), len(signal))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    spectrum = np.abs(fft.rfft(signal, length))
    if transmit is not None:
        spectrum = spectrum * np.abs(transmit(frequency_hz))
    return float(frequency_hz[spectrum.argmax()])


def _tone(frequency_hz: float, cycles: float, rate_hz: float) -> Floats:
    tone = np.sin(2 * np.pi * frequency_hz * _time_s(cycles / frequency_hz, rate_hz))
    return np.asarray(tone, dtype=np.float64)


def _time_s(duration_s: float, rate_hz: float) -> Floats:
    return np.arange(int(duration_s * rate_hz + 1e-6) + 1) / rate_hz
