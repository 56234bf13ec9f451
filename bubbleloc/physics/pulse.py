"""The transmitted pulse, made of the waveform by the transducer: its spectrum, its compression."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.signal import fftconvolve

from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import WATER
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.transducer import TabulatedResponse
from bubbleloc.physics.waveforms import FREQUENCY_STEP_HZ

RECEIVED_DB = -6.0  # the band of a receiver reaches to this level
LEVEL_STEP_HZ = 10e3
HIGHEST_HZ = 50e6
# Further below its peak than this, a spectrum is taken for one of another frequency. The
# published pulse of 1.7 MHz peaks at 2.2 MHz and is 3.4 dB lower at 1.7 MHz.
LOWEST_DB = -6.0
# Transmit or receive response further below their peak are taken for out of band; the published
# pulse of 1.7 MHz is at −7 dB in transmit.
BAND_DB = -12.0
# Drive and pulse are taken at their highest within this part of a frequency: the spectrum of a
# train of pulses has gaps.
NEAR = 0.05


def drive_signal(setup: Setup) -> Floats:
    """The excitation (n,); of a measured waveform its pressure."""
    return np.asarray(setup.sent.drive)


@lru_cache(maxsize=8)
def unit_pulse(setup: Setup) -> tuple[Floats, Floats]:
    """Pressure (M,) and its time derivative (M,) in 1/s for a pressure amplitude of 1 Pa.

    p = irfft(T·rfft(drive)), or the pressure that was measured, scaled to max|p| = 1. As published
    the straight line through the ends comes off p after that (so max|p| = 1.00015), and not off
    the derivative.
    """
    samples, rate_hz = setup.window_samples, setup.simulation_rate_hz
    drive = drive_signal(setup)
    length = max(round(rate_hz / FREQUENCY_STEP_HZ), fft.next_fast_len(2 * samples, real=True))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    spectrum = fft.rfft(drive, length)
    if not setup.sent.is_pressure:
        spectrum = setup.probe.transmit(frequency_hz) * spectrum
    pressure = fft.irfft(spectrum, length)[:samples]
    derivative = fft.irfft(2j * np.pi * frequency_hz * spectrum, length)[:samples]
    scale = np.abs(pressure).max()
    pressure, derivative = pressure / scale, derivative / scale
    pressure -= np.linspace(pressure[0], pressure[-1], samples)
    pressure.flags.writeable = derivative.flags.writeable = False
    return pressure, derivative


def matched_filter(setup: Setup) -> Floats:
    """What to correlate RF lines with (N,): the received pulse over its energy, at the RF rate.

    A line that is the received pulse itself becomes 1 where the pulse starts. Zorgdrager et al.
    (2025): the unit pulse through the receive response, sampled, and scaled to a maximum of 1.
    """
    pressure, _ = unit_pulse(setup)
    length = fft.next_fast_len(2 * len(pressure), real=True)
    receive = setup.probe.receive(fft.rfftfreq(length, 1 / setup.simulation_rate_hz))
    volts = fft.irfft(receive * fft.rfft(pressure, length), length)[: len(pressure)]
    pulse = setup.decimated(volts) / np.abs(volts).max()
    return np.asarray(pulse / np.square(pulse).sum())


def compress(volts: npt.ArrayLike, setup: Setup) -> Floats:
    """RF lines (…, L) correlated with the matched filter, (…, L); beyond their end is silence."""
    lines = np.asarray(volts, dtype=np.float64)
    reversed_filter = matched_filter(setup)[::-1]
    taps = reversed_filter.reshape((1,) * (lines.ndim - 1) + (-1,))
    correlated = fftconvolve(lines, taps, axes=-1)[..., taps.size - 1 :]
    return np.asarray(correlated)


@dataclass(frozen=True)
class Levels:
    """Levels at the frequency asked for, in dB of the highest over all frequencies."""

    frequency_hz: float
    transmit_db: float
    receive_db: float
    drive_db: float
    pulse_db: float
    drive_peak_hz: float
    pulse_peak_hz: float

    def __str__(self) -> str:
        return (
            f"{_mhz(self.frequency_hz)}: transmit {round(self.transmit_db)} dB, receive "
            f"{round(self.receive_db)} dB; the pulse peaks at {_mhz(self.pulse_peak_hz)}"
        )


@lru_cache(maxsize=64)
def levels(setup: Setup) -> Levels:
    """Compare drive, pulse and transducer of a setup with its frequency."""
    rate_hz, sent, probe = setup.simulation_rate_hz, setup.sent, setup.probe
    length = max(round(rate_hz / LEVEL_STEP_HZ), len(sent.drive))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    frequency_hz = frequency_hz[frequency_hz <= HIGHEST_HZ]
    transmit = np.abs(probe.transmit(frequency_hz))
    receive = np.abs(probe.receive(frequency_hz))
    drive = np.abs(fft.rfft(sent.drive, length))[: len(frequency_hz)]
    pulse = drive if sent.is_pressure else transmit * drive
    off_hz = np.abs(frequency_hz - setup.carrier_hz)
    nearest, near = off_hz == off_hz.min(), off_hz <= NEAR * setup.carrier_hz
    return Levels(
        setup.carrier_hz,
        *(_level_db(spectrum[nearest], spectrum) for spectrum in (transmit, receive)),
        *(_level_db(spectrum[near], spectrum) for spectrum in (drive, pulse)),
        *(float(frequency_hz[spectrum.argmax()]) for spectrum in (drive, pulse)),
    )


def warnings_of(setup: Setup) -> list[str]:
    """Return a line for everything about a setup that leaves the validity of a model."""
    lines = []
    if setup.shell == "segers" and setup.medium != WATER:
        lines.append(
            "the Segers shell was measured in water; in another medium use shell=marmottant"
        )
    received_hz = setup.probe.received_up_to_hz(RECEIVED_DB)
    if setup.sampling_rate_hz < 2 * received_hz:
        lines.append(
            f"the probe receives up to {_mhz(received_hz)}, which lines of "
            f"{_mhz(setup.sampling_rate_hz)} cannot hold; give a sampling_rate_hz above "
            f"{_mhz(1e5 * ceil(2e-5 * received_hz))}"
        )
    for response in (setup.probe.transmit, setup.probe.receive):
        if isinstance(response, TabulatedResponse) and response.note:
            lines.append(response.note)
    off_band = _off_band(setup)
    return list(dict.fromkeys([*lines, off_band] if off_band else lines))


def warn_of(setup: Setup) -> None:
    """Warn of everything in `warnings_of`; for whoever begins to simulate."""
    for line in warnings_of(setup):
        warnings.warn(line, stacklevel=3)


def _off_band(setup: Setup) -> str | None:
    """Return a line that says why drive or pulse are of another frequency, None if they are not."""
    at, wanted = levels(setup), f"frequency_hz={setup.carrier_hz:g}"
    if setup.drive is not None and at.drive_db < LOWEST_DB:
        return (
            f"the drive peaks at {_mhz(at.drive_peak_hz)}, not near {wanted}: its samples are "
            f"taken at {_mhz(setup.simulation_rate_hz)}, {setup.oversampling} times "
            "sampling_rate_hz; resample the drive to that rate, or correct frequency_hz"
        )
    if at.pulse_db < LOWEST_DB:
        return (
            f"{wanted}: the pulse peaks at {_mhz(at.pulse_peak_hz)}, because at "
            f"{_mhz(setup.carrier_hz)} the transducer is at {at.transmit_db:.0f} dB in "
            f"transmit and {at.receive_db:.0f} dB in receive; give the responses of your probe "
            "with transmit= and receive="
        )
    if min(at.receive_db, 0 if setup.sent.is_pressure else at.transmit_db) < BAND_DB:
        return (
            f"{wanted}: outside the band of the transducer, which is there at "
            f"{at.transmit_db:.0f} dB in transmit and {at.receive_db:.0f} dB in receive; "
            "choose another waveform or frequency"
        )
    return None


def _level_db(part: Floats, spectrum: Floats) -> float:
    tiny = np.finfo(np.float64).tiny
    return float(20 * np.log10(max(part.max(), tiny) / max(spectrum.max(), tiny)))


def _mhz(frequency_hz: float) -> str:
    return f"{1e-6 * frequency_hz:.3g} MHz"
