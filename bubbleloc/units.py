"""What one RF sample is worth in time, depth and wavelengths."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError

# name → (what to give, lowest, highest); the ranges catch a wrong unit (MHz, mm/µs).
RANGES = {
    "sampling_rate_hz": ("the rate in Hz", 1e5, 1e10),
    "speed_of_sound_m_s": ("the speed of sound in m/s", 100.0, 10_000.0),
    "frequency_hz": ("the frequency of the pulse in Hz", 1e4, 1e9),
}

MOST_RATIO = 20  # of the sampling rate that lines are converted to, to their own, or back

SYMBOLS = {"samples": "samples", "um": "µm", "wavelengths": "λ"}
"""Of the units of depth, see `Scale.units`, as tables show them."""


@dataclass(frozen=True)
class Scale:
    """What one RF sample is worth in time and depth.

    Depth is that of a bubble on the axis: an echo arriving at sample s has travelled to it and
    back, so depth = c·s/(2·fs) and one sample is c/(2·fs), 11.84 µm with the published values.

    Attributes:
        frequency_hz: of the transmitted pulse; None if unknown, wavelengths are NaN then.

    Raises:
        InputError: a value outside its physical range.
    """

    sampling_rate_hz: float
    speed_of_sound_m_s: float
    frequency_hz: float | None

    def __post_init__(self) -> None:
        for name, (what, low, high) in RANGES.items():
            value = getattr(self, name)
            if value is None and name == "frequency_hz":
                continue
            if not low <= value <= high:  # NaN too
                raise InputError(f"{name}={value:g}: give {what}, {low:g} to {high:g}")
            object.__setattr__(self, name, float(value))

    @property
    def um_per_sample(self) -> float:
        """Depth per sample in µm."""
        return 1e6 * self.speed_of_sound_m_s / (2 * self.sampling_rate_hz)

    @property
    def wavelengths_per_sample(self) -> float:
        """Depth per sample in wavelengths of the transmitted pulse, λ = c/frequency."""
        return nan if self.frequency_hz is None else self.frequency_hz / (2 * self.sampling_rate_hz)

    @property
    def units(self) -> dict[str, float]:
        """Depth per sample in each unit: samples, um and, where it is known, wavelengths."""
        known = {"samples": 1.0, "um": self.um_per_sample}
        unknown = self.frequency_hz is None
        return known if unknown else known | {"wavelengths": self.wavelengths_per_sample}

    def tolerance_samples(self, tolerance: int | str) -> int:
        """Return a tolerance in whole samples; text is a depth, such as "47um", and is rounded."""
        if isinstance(tolerance, int):
            return tolerance
        return round(float(tolerance[: -len("um")]) / self.um_per_sample)

    def time_us(self, sample: ArrayLike) -> Floats:
        """Arrival time in µs of (sub-)sample positions."""
        return np.asarray(sample, dtype=np.float64) * (1e6 / self.sampling_rate_hz)

    def depth_mm(self, sample: ArrayLike) -> Floats:
        """On-axis depth in mm of (sub-)sample positions."""
        return np.asarray(sample, dtype=np.float64) * (1e-3 * self.um_per_sample)
