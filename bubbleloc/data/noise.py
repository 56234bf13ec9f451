"""Additive noise as published: Blanken et al., IEEE TMI 2022."""

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import signal

REFERENCE_V = 9.65  # volts; noise levels are fractions of it
CUTOFF_HZ = 5.1e6
ORDER = 4


def add_noise(
    volts: NDArray[np.float32], level: float, rng: np.random.Generator, sampling_rate_hz: float
) -> NDArray[np.float32]:
    """Add white noise of standard deviation ``level`` · 9.65 V, then low-pass signal and noise.

    The filter is a 4th-order Butterworth at 5.1 MHz, run forward and backward.

    Args:
        volts: (…, L) RF lines.
    """
    noisy = volts + rng.normal(0.0, level * REFERENCE_V, volts.shape)
    filtered = signal.sosfiltfilt(_low_pass(sampling_rate_hz), noisy, axis=-1)
    return np.asarray(filtered, dtype=np.float32)


@functools.lru_cache
def _low_pass(sampling_rate_hz: float) -> NDArray[np.float64]:
    return np.asarray(signal.butter(ORDER, CUTOFF_HZ, fs=sampling_rate_hz, output="sos"))
