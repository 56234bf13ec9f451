"""What one RF sample is worth in time, depth and wavelengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """What one RF sample is worth in time and depth.

    Depth is that of a bubble on the axis: an echo arriving at sample s has travelled to it and
    back, so depth = c·s/(2·fs) and one sample is c/(2·fs), 11.84 µm with the published values.
    """

    sampling_rate_hz: float = 62.5e6
    speed_of_sound_m_s: float = 1480.0
    frequency_hz: float = 1.7e6

    @property
    def um_per_sample(self) -> float:
        """Depth per sample in µm."""
        return 1e6 * self.speed_of_sound_m_s / (2 * self.sampling_rate_hz)

    @property
    def wavelengths_per_sample(self) -> float:
        """Depth per sample in wavelengths of the transmitted pulse, λ = c/frequency."""
        return self.frequency_hz / (2 * self.sampling_rate_hz)

    def time_us(self, sample: ArrayLike) -> Floats:
        """Arrival time in µs of (sub-)sample positions."""
        return np.asarray(sample, dtype=np.float64) * (1e6 / self.sampling_rate_hz)

    def depth_mm(self, sample: ArrayLike) -> Floats:
        """On-axis depth in mm of (sub-)sample positions."""
        return np.asarray(sample, dtype=np.float64) * (1e-3 * self.um_per_sample)
