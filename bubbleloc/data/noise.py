"""Noise of RF lines: as published (Blanken et al., IEEE TMI 2022), or at a given SNR."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bubbleloc.errors import InputError

REFERENCE_V = 9.65  # volts; noise levels are fractions of it
CUTOFF_HZ = 5.1e6
ORDER = 4


@dataclass(frozen=True)
class Noise:
    """One of the two kinds of noise, or none; calling it adds the noise to a line.

    Attributes:
        level: of the published recipe, 1.0 adds 9.65 V; 0 for none.
        snr_db: signal-to-noise ratio of plain white noise in dB, None for none.
    """

    level: float = 0.0
    snr_db: float | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.level) or self.level < 0:
            raise InputError(f"noise={self.level} must be 0 or more (1.0 adds 9.65 V)")
        if self.snr_db is not None and not _is_number(self.snr_db):
            raise InputError(f"snr_db={self.snr_db} must be a number of decibels, such as 20")
        if self.level > 0 and self.snr_db is not None:
            raise InputError(
                f"noise={self.level} and snr_db={self.snr_db}: choose one, the published recipe "
                "or white noise"
            )

    def __str__(self) -> str:
        if self.snr_db is not None:
            return f"white, at a signal-to-noise ratio of {self.snr_db:g} dB"
        return f"{self.level:g} (standard deviation {self.level * REFERENCE_V:g} V)"

    def __call__(
        self, volts: NDArray[np.float32], rng: np.random.Generator, sampling_rate_hz: float
    ) -> NDArray[np.float32]:
        """Return RF lines (…, L) in volts with their noise."""
        if self.snr_db is not None:
            return add_white_noise(volts, self.snr_db, rng)
        return add_noise(volts, self.level, rng, sampling_rate_hz) if self.level > 0 else volts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


NO_NOISE = Noise()


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


def add_white_noise(
    volts: NDArray[np.float32], snr_db: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add white noise at a ratio of mean squares, signal to noise, of ``snr_db`` dB; no filter.

    Args:
        volts: (…, L) RF lines; each gets noise in proportion to its own mean square.
    """
    power = np.mean(np.square(volts, dtype=np.float64), axis=-1, keepdims=True)
    deviation = np.sqrt(power / 10 ** (snr_db / 10))
    return np.asarray(volts + deviation * rng.standard_normal(volts.shape), dtype=np.float32)


@functools.lru_cache
def _low_pass(sampling_rate_hz: float) -> NDArray[np.float64]:
    return np.asarray(signal.butter(ORDER, CUTOFF_HZ, fs=sampling_rate_hz, output="sos"))
