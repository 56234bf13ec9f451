"""Whether drive and transducer carry the frequency that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from bubbleloc.arrays import Floats
from bubbleloc.physics.waveforms import waveform_of

if TYPE_CHECKING:
    from bubbleloc.physics.setup import Setup

FREQUENCY_STEP_HZ = 10e3
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
    rate_hz, sent = setup.simulation_rate_hz, waveform_of(setup)
    length = max(round(rate_hz / FREQUENCY_STEP_HZ), len(sent.drive))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    frequency_hz = frequency_hz[frequency_hz <= HIGHEST_HZ]
    transmit = np.abs(setup.transducer.transmit(frequency_hz))
    receive = np.abs(setup.transducer.receive(frequency_hz))
    drive = np.abs(fft.rfft(sent.drive, length))[: len(frequency_hz)]
    pulse = drive if sent.is_pressure else transmit * drive
    off_hz = np.abs(frequency_hz - setup.frequency_hz)
    place, near = off_hz == off_hz.min(), off_hz <= NEAR * setup.frequency_hz
    return Levels(
        setup.frequency_hz,
        *(_level_db(spectrum[place], spectrum) for spectrum in (transmit, receive)),
        *(_level_db(spectrum[near], spectrum) for spectrum in (drive, pulse)),
        *(float(frequency_hz[spectrum.argmax()]) for spectrum in (drive, pulse)),
    )


def off_band(setup: Setup) -> str | None:
    """Return a line that says why drive or pulse are of another frequency, None if they are not."""
    found, wanted = levels(setup), f"frequency_hz={setup.frequency_hz:g}"
    if setup.drive is not None and found.drive_db < LOWEST_DB:
        return (
            f"the drive peaks at {_mhz(found.drive_peak_hz)}, not near {wanted}: its samples are "
            f"taken at {_mhz(setup.simulation_rate_hz)}, {setup.oversampling} times "
            "sampling_rate_hz; resample the drive to that rate, or correct frequency_hz"
        )
    if found.pulse_db < LOWEST_DB:
        return (
            f"{wanted}: the pulse peaks at {_mhz(found.pulse_peak_hz)}, because at "
            f"{_mhz(setup.frequency_hz)} the transducer is at {found.transmit_db:.0f} dB in "
            f"transmit and {found.receive_db:.0f} dB in receive; give the responses of your probe "
            "with transmit= and receive="
        )
    if min(found.receive_db, 0 if waveform_of(setup).is_pressure else found.transmit_db) < BAND_DB:
        return (
            f"{wanted}: outside the band of the transducer, which is there at "
            f"{found.transmit_db:.0f} dB in transmit and {found.receive_db:.0f} dB in receive; "
            "choose another waveform or frequency"
        )
    return None


def _level_db(part: Floats, spectrum: Floats) -> float:
    tiny = np.finfo(np.float64).tiny
    return float(20 * np.log10(max(part.max(), tiny) / max(spectrum.max(), tiny)))


def _mhz(frequency_hz: float) -> str:
    return f"{1e-6 * frequency_hz:.3g} MHz"
