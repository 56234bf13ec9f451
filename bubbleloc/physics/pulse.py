"""The transmitted pulse: the waveform through the transducer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from bubbleloc.arrays import Floats
from bubbleloc.physics.waveforms import FREQUENCY_STEP_HZ, waveform_of

if TYPE_CHECKING:
    from bubbleloc.physics.setup import Setup


def drive_signal(setup: Setup) -> Floats:
    """The excitation (n,); of a measured waveform its pressure."""
    return np.asarray(waveform_of(setup).drive)


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
    if not waveform_of(setup).is_pressure:
        spectrum = setup.transducer.transmit(frequency_hz) * spectrum
    pressure = fft.irfft(spectrum, length)[:samples]
    derivative = fft.irfft(2j * np.pi * frequency_hz * spectrum, length)[:samples]
    scale = np.abs(pressure).max()
    pressure, derivative = pressure / scale, derivative / scale
    pressure -= np.linspace(pressure[0], pressure[-1], samples)
    pressure.flags.writeable = derivative.flags.writeable = False
    return pressure, derivative
