"""Pulse compression: long waveforms made short again by their matched filter."""

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.signal import fftconvolve

from bubbleloc.arrays import Floats
from bubbleloc.physics.pulse import unit_pulse
from bubbleloc.physics.setup import Setup


def matched_filter(setup: Setup) -> Floats:
    """What to correlate RF lines with (N,): the received pulse over its energy, at the RF rate.

    A line that is the received pulse itself becomes 1 where the pulse starts. Zorgdrager et al.
    (2025): the unit pulse through the receive response, sampled, and scaled to a maximum of 1.
    """
    pressure, _ = unit_pulse(setup)
    length = fft.next_fast_len(2 * len(pressure), real=True)
    receive = setup.transducer.receive(fft.rfftfreq(length, 1 / setup.simulation_rate_hz))
    volts = fft.irfft(receive * fft.rfft(pressure, length), length)[: len(pressure)]
    pulse = volts[:: setup.oversampling] / np.abs(volts).max()
    return np.asarray(pulse / np.square(pulse).sum())


def compress(volts: npt.ArrayLike, setup: Setup) -> Floats:
    """RF lines (…, L) correlated with the matched filter, (…, L); beyond their end is silence."""
    lines = np.asarray(volts, dtype=np.float64)
    reversed_filter = matched_filter(setup)[::-1]
    taps = reversed_filter.reshape((1,) * (lines.ndim - 1) + (-1,))
    correlated = fftconvolve(lines, taps, axes=-1)[..., taps.size - 1 :]
    return np.asarray(correlated)
