"""What the transducer is driven with: the published waveforms by name, or a waveform of your own.

Every function that makes one takes the setup that will transmit it, for its rate and transducer.
Names and numbers: Zorgdrager et al., IEEE TUFFC (2025); tristate: Blanken et al. (2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft
from scipy.interpolate import CubicSpline

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.physics.waveform_files import checked_row, read_samples, split_number

if TYPE_CHECKING:
    from bubbleloc.physics.setup import Setup

TRISTATE = "tristate"
TRISTATE_HZ = 1.7e6
# Part of each half cycle that a three-level pulser is on.
DUTY = 0.67
# name → (frequency at which the pressure peaks, cycles)
SINE = {
    "ref": (2.5e6, 1),
    "s1.7": (1.7e6, 3),
    "s2.5": (2.5e6, 4.5),
    "s3.4": (3.4e6, 6),
    "l1.7": (1.7e6, 6),
    "l2.5": (2.5e6, 9),
    "l3.4": (3.4e6, 12),
}
# name → (first frequency, last frequency, duration in s)
CHIRP = {
    "suc": (1.2e6, 4.0e6, 5e-6),
    "sdc": (4.0e6, 1.2e6, 5e-6),
    "luc": (1.2e6, 4.0e6, 15e-6),
    "ldc": (4.0e6, 1.2e6, 15e-6),
}
TRAIN = "dpt"
TRAIN_HZ, TRAIN_CYCLES = 2.5e6, 4.5
TRAIN_DELAYS = (0.0, 0.3742, 1.6947, 0.3191)  # in units of a pulse with its ringing
NAMES = (TRISTATE, *SINE, *CHIRP, TRAIN)

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


def waveform(name: str | Path = TRISTATE, setup: Setup | None = None) -> Waveform:
    """The waveform called ``name`` (one of ``NAMES``), or that of a file (see `read_samples`).

    ``setup`` is the one that transmits it, the published one by default.

    Raises:
        InputError: no such name or file, or the setup's transducer cannot transmit it.
    """
    from bubbleloc.physics.setup import Setup  # which imports this module

    setup = setup or Setup()
    key = str(name).lower()
    own_hz = setup.frequency_hz if str(setup.waveform) == str(name) else None
    if key == TRISTATE:
        return tristate(own_hz or TRISTATE_HZ, setup.cycles, setup)
    if key in SINE:
        return replace(sine(*SINE[key], setup), name=key)
    if key in CHIRP:
        return replace(chirp(*CHIRP[key], setup), name=key)
    if key == TRAIN:
        pulse = _tone(TRAIN_HZ, TRAIN_CYCLES, setup)
        return replace(train(pulse, TRAIN_HZ, TRAIN_DELAYS, setup), name=key)
    if not split_number(name)[0].is_file():
        raise InputError(f"waveform={name}: no such file; give a file or one of {', '.join(NAMES)}")
    samples, rate_hz, is_pressure = read_samples(name)
    make = measured if is_pressure else from_samples
    return replace(make(samples, setup, own_hz, rate_hz), name=Path(name).name)


@lru_cache(maxsize=16)
def waveform_of(setup: Setup) -> Waveform:
    """The waveform of a setup, at its simulation rate."""
    if setup.drive is not None:
        return from_samples(setup.drive, setup, setup.frequency_hz)
    if isinstance(setup.waveform, Waveform):
        return setup.waveform.at_rate(setup.simulation_rate_hz)
    return waveform(setup.waveform, setup)


def centre_frequency_hz(name: str) -> float:
    """f₀ of a waveform of ``NAMES``: for chirps the middle of the sweep."""
    if name in CHIRP:
        return sum(CHIRP[name][:2]) / 2
    return SINE[name][0] if name in SINE else {TRAIN: TRAIN_HZ, TRISTATE: TRISTATE_HZ}[name]


def tristate(frequency_hz: float, cycles: float, setup: Setup) -> Waveform:
    """Three levels, +1 and −1 in turn, half a cycle each.

    As published, a half cycle is on for round(0.67·fs/2f) + 1 samples (50 at 1.7 MHz; 49
    would change the pulse by 2.9 %).
    """
    half_period = setup.simulation_rate_hz / (2 * frequency_hz)
    on = round(DUTY * half_period) + 1
    starts = [round(k * half_period) for k in range(round(2 * cycles))]
    drive = np.zeros(starts[-1] + on)
    for k, start in enumerate(starts):
        drive[start : start + on] = (-1) ** k
    return _waveform(TRISTATE, drive, setup, frequency_hz, cycles / frequency_hz)


def sine(frequency_hz: float, cycles: float, setup: Setup) -> Waveform:
    """A tone burst whose pressure, not whose drive, peaks at ``frequency_hz``.

    As published, the difference is added to the drive's frequency until it is small enough.

    Raises:
        InputError: the transducer cannot transmit such a pulse.
    """
    drive_hz = frequency_hz
    for _ in range(_MOST_ITERATIONS):
        drive = _tone(drive_hz, cycles, setup)
        error_hz = frequency_hz - _peak_hz(drive, setup.simulation_rate_hz, setup)
        if abs(error_hz) <= PEAK_TOLERANCE * frequency_hz:
            return _waveform("sine", drive, setup, frequency_hz, cycles / drive_hz)
        drive_hz = max(drive_hz + error_hz, 0.1 * frequency_hz)
    raise InputError(
        f"no sine of {cycles:g} cycles makes a pressure that peaks at {frequency_hz:g} Hz with "
        "this transducer; choose another waveform, or give the responses of your probe"
    )


def chirp(start_hz: float, stop_hz: float, duration_s: float, setup: Setup) -> Waveform:
    """A sine whose frequency changes linearly; f₀ is the middle."""
    time_s = _time_s(duration_s, setup)
    phase = start_hz * time_s + (stop_hz - start_hz) / (2 * duration_s) * time_s**2
    middle_hz = (start_hz + stop_hz) / 2
    return _waveform("chirp", np.sin(2 * np.pi * phase), setup, middle_hz, duration_s)


def train(pulse: Floats, frequency_hz: float, delays: Sequence[float], setup: Setup) -> Waveform:
    """One pulse (n,) several times, each its delay after the one before has rung down.

    Delays are in units of the pulse with its ringing.
    """
    rate_hz, ringing_s = setup.simulation_rate_hz, setup.transducer.ringing_s
    unit_s = (len(pulse) - 1) / rate_hz + ringing_s
    starts, place = [], 0
    for delay in delays:
        starts.append(place + round(delay * unit_s * rate_hz))
        place = starts[-1] + len(pulse) - 1 + round(ringing_s * rate_hz)
    drive = np.zeros(starts[-1] + len(pulse))
    for start in starts:
        drive[start : start + len(pulse)] = pulse
    return _waveform("train", drive, setup, frequency_hz, (len(drive) - 1) / rate_hz)


def from_samples(
    drive: Sequence[float] | Floats,
    setup: Setup,
    frequency_hz: float | None = None,
    rate_hz: float | None = None,
) -> Waveform:
    """A drive of your own (n,).

    Args:
        frequency_hz: f₀; None is where the spectrum of the pressure is highest.
        rate_hz: of the samples; None is the setup's simulation rate.

    Raises:
        InputError: not a row of finite samples, or all are zero.
    """
    samples, rate_hz = checked_row("drive", drive), rate_hz or setup.simulation_rate_hz
    frequency_hz = frequency_hz or _peak_hz(samples, rate_hz, setup)
    return Waveform("drive", tuple(samples.tolist()), rate_hz, frequency_hz, len(samples) / rate_hz)


def measured(
    pressure: Sequence[float] | Floats,
    setup: Setup,
    frequency_hz: float | None = None,
    rate_hz: float | None = None,
) -> Waveform:
    """The transmitted pressure itself (n,), of any scale; otherwise as `from_samples`."""
    samples, rate_hz = checked_row("pressure", pressure), rate_hz or setup.simulation_rate_hz
    found = from_samples(samples, setup, frequency_hz or _peak_hz(samples, rate_hz), rate_hz)
    return replace(found, name="measured", is_pressure=True)


def _peak_hz(signal: Floats, rate_hz: float, setup: Setup | None = None) -> float:
    """Where the spectrum of a signal (n,) is highest; with a setup, that of its pressure."""
    length = max(round(rate_hz / FREQUENCY_STEP_HZ), len(signal))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    spectrum = np.abs(fft.rfft(signal, length))
    if setup is not None:
        spectrum = spectrum * np.abs(setup.transducer.transmit(frequency_hz))
    return float(frequency_hz[spectrum.argmax()])


def _waveform(
    name: str, drive: Floats, setup: Setup, frequency_hz: float, duration_s: float
) -> Waveform:
    rate_hz = setup.simulation_rate_hz
    return Waveform(name, tuple(drive.tolist()), rate_hz, frequency_hz, duration_s)


def _tone(frequency_hz: float, cycles: float, setup: Setup) -> Floats:
    tone = np.sin(2 * np.pi * frequency_hz * _time_s(cycles / frequency_hz, setup))
    return np.asarray(tone, dtype=np.float64)


def _time_s(duration_s: float, setup: Setup) -> Floats:
    rate_hz = setup.simulation_rate_hz
    return np.arange(int(duration_s * rate_hz + 1e-6) + 1) / rate_hz
