"""Bubbles that a network found in a line, and how they are picked from an output of counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.units import Scale

_CENTROID_REACH = 2
"""Samples either side of a peak that may pull its position: the width of a trained network's
peaks, and little enough to leave neighbouring bubbles alone."""

COLUMNS = [
    *("sample", "sample_sigma", "time_us", "depth_mm", "depth_sigma_mm"),
    *("probability", "radius_um", "height"),
]
"""Of a table of detections, after the numbers of its lines."""


@dataclass(frozen=True)
class Detections:
    """Bubbles found in one line, each array (n,), sorted by position.

    Attributes:
        sample: the arrival of each echo, zero-based, between samples.
        confidence: the height of each peak; of `EmitterDetections`, its probability.
    """

    sample: Floats
    confidence: Floats

    def __len__(self) -> int:
        return len(self.sample)

    @classmethod
    def concatenate(cls, parts: Sequence["Detections"]) -> "Detections":
        """Join those of several lines, one line after the other; all parts are of one class."""
        rows = [vars(part) for part in parts]
        joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        return type(parts[0])(**joined)

    def of_lines(self, line: Ints, lines: int) -> list[Self]:
        """Return those of each of a number of lines.

        Args:
            line: the number of the line of each, sorted, (n,).
        """
        ends = np.searchsorted(line, np.arange(1, lines))
        parts = zip(*(np.split(row, ends) for row in vars(self).values()), strict=True)
        return [type(self)(*part) for part in parts]

    def above(self, threshold: float | None) -> Self:
        """Return those of a confidence above `threshold`; all where there is none."""
        return self if threshold is None else self.chosen(self.confidence > threshold)

    def chosen(self, kept: NDArray[np.bool_]) -> Self:
        """Return those that a mask (n,) keeps."""
        return type(self)(**{name: row[kept] for name, row in vars(self).items()})

    def to_table(
        self, scale: Scale, start_sample: float = 0.0, per_sample: float = 1.0
    ) -> pd.DataFrame:
        """Return a row per bubble with the columns `COLUMNS`, NaN where a value is not known.

        Args:
            scale: what a sample of the recorded lines is worth.
            start_sample: the arrival of an echo at the first sample of a line, in these samples.
            per_sample: the samples of the network per recorded sample.
        """
        columns = self.columns(scale, start_sample, per_sample)
        return pd.DataFrame(dict.fromkeys(COLUMNS, np.nan) | columns)

    def columns(self, scale: Scale, start_sample: float, per_sample: float) -> dict[str, Floats]:
        """Return what is known, by the names of the columns."""
        sample = start_sample + self.sample / per_sample
        return {
            "sample": sample,
            "time_us": np.asarray(scale.time_us(sample)),
            "depth_mm": np.asarray(scale.depth_mm(sample)),
            "height": self.confidence,
        }


@dataclass(frozen=True)
class EmitterDetections(Detections):
    """Bubbles found in one line by a network with a head of emitters, each array (n,).

    Attributes:
        sigma: the standard deviation of each arrival, in samples.
        radius_um: the radius of each bubble in µm.
        near: the number of bubbles expected within ±4 samples of each, for each one reported there.
    """

    sigma: Floats
    radius_um: Floats
    near: Floats

    def columns(self, scale: Scale, start_sample: float, per_sample: float) -> dict[str, Floats]:
        """Return what is known, by the names of the columns."""
        sigma = self.sigma / per_sample
        return super().columns(scale, start_sample, per_sample) | {
            "sample_sigma": sigma,
            "depth_sigma_mm": np.asarray(scale.depth_mm(sigma)),
            "probability": self.confidence,
            "radius_um": self.radius_um,
            "height": np.full(len(self), np.nan),
        }


def pick_peaks(prediction: ArrayLike, threshold: float) -> Detections:
    """Local maxima of one network output (L,) above `threshold`, see `peaks_of_lines`."""
    z = np.asarray(prediction, dtype=np.float64)
    if z.ndim != 1:
        raise InputError(f"a prediction to pick peaks from must be one line, not {z.shape}")
    return peaks_of_lines(z[None], threshold)[0]


def peaks_of_lines(prediction: ArrayLike, threshold: float) -> tuple[Detections, Ints]:
    """Local maxima of network outputs (b, L) above `threshold`, at sub-sample positions.

    The position is the centroid of the positive flanks that fall away from the maximum, at most
    two samples either side; a flat top counts once, at its middle. Confidence is the maximum.

    Returns:
        The maxima (n,), one line after the other, and the numbers of their lines (n,).

    Raises:
        InputError: NaN in an output.
    """
    z = np.asarray(prediction, dtype=np.float64)
    if np.isnan(z).any():
        raise InputError("a prediction to pick peaks from must be without NaN")
    margin = _CENTROID_REACH  # between lines, so that each of them may peak at its ends
    ends = ((0, 0), (margin, margin))
    padded = np.pad(z, ends, constant_values=-np.inf).reshape(-1)
    peak, _ = find_peaks(padded)
    peak = peak[padded[peak] > threshold]
    weight, moment = padded[peak], np.zeros(len(peak))
    for side in (-1, 1):
        flank = padded[peak]
        for step in range(1, margin + 1):
            value = padded[peak + side * step]
            # once it has turned up or gone negative a flank stays at zero
            flank = np.where((value <= flank) & (value > 0), value, 0.0)
            weight = weight + flank
            moment = moment + side * step * flank
    shift = np.divide(moment, weight, out=np.zeros_like(moment), where=weight > 0)
    line, place = np.divmod(peak, z.shape[1] + 2 * margin)
    sample: Floats = shift + (place - margin)
    return Detections(sample=sample, confidence=padded[peak]), line
