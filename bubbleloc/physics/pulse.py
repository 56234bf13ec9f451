"""The transmitted pulse: drive through the transducer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from bubbleloc.arrays import Floats

if TYPE_CHECKING:
    from bubbleloc.physics.setup import Setup

# Part of each half cycle that a three-level pulser is on.
DUTY = 0.67
# Spacing of the frequencies at which the published transmit response is given.
FREQUENCY_STEP_HZ = 5e3


def drive_signal(setup: Setup) -> Floats:
    """The excitation (n,): three levels, +1 and −1 in turn, or the setup's own drive.

    As published, a half cycle is on for round(0.67·fs/2f) + 1 samples (50 at 1.7 MHz; 49
    would change the pulse by 2.9 %).
    """
    if setup.drive is not None:
        return np.asarray(setup.drive)
    half_period = setup.simulation_rate_hz / (2 * setup.frequency_hz)
    on = round(DUTY * half_period) + 1
    starts = [round(k * half_period) for k in range(round(2 * setup.cycles))]
    drive = np.zeros(starts[-1] + on)
    for k, start in enumerate(starts):
        drive[start : start + on] = (-1) ** k
    return drive


@lru_cache(maxsize=8)
def unit_pulse(setup: Setup) -> tuple[Floats, Floats]:
    """Pressure (M,) and its time derivative (M,) in 1/s for a pressure amplitude of 1 Pa.

    p = irfft(T·rfft(drive)), scaled to max|p| = 1. As published the straight line through the
    ends comes off p after that (so max|p| = 1.00015), and not off the derivative.
    """
    samples, rate_hz = setup.window_samples, setup.simulation_rate_hz
    drive = drive_signal(setup)
    length = max(round(rate_hz / FREQUENCY_STEP_HZ), fft.next_fast_len(2 * samples, real=True))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    spectrum = setup.transducer.transmit(frequency_hz) * fft.rfft(drive, length)
    pressure = fft.irfft(spectrum, length)[:samples]
    derivative = fft.irfft(2j * np.pi * frequency_hz * spectrum, length)[:samples]
    scale = np.abs(pressure).max()
    pressure, derivative = pressure / scale, derivative / scale
    pressure -= np.linspace(pressure[0], pressure[-1], samples)
    pressure.flags.writeable = derivative.flags.writeable = False
    return pressure, derivative
