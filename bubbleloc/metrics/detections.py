"""From a network's output to bubbles: local maxima at sub-sample positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError

_CENTROID_REACH = 2
"""Samples either side of a peak that may pull its position: the width of a trained network's
peaks, and little enough to leave neighbouring bubbles alone."""


@dataclass(frozen=True)
class Detections:
    """Bubbles found in one line, each array (n,), sorted by position.

    Attributes:
        sample: zero-based, between samples.
        confidence: their probability; of peaks, the height.
        sigma: standard deviation of the position in samples; None of peaks.
        radius_um: of the bubbles in µm; None of peaks.
        near: bubbles expected within ±4 samples, for each one reported there; None of peaks.
    """

    sample: Floats
    confidence: Floats
    sigma: Floats | None = None
    radius_um: Floats | None = None
    near: Floats | None = None

    def __len__(self) -> int:
        return len(self.sample)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Those of several lines, one line after the other."""
        rows = [vars(part) for part in parts]
        return cls(**{name: _joined([row[name] for row in rows]) for name in rows[0]})

    def above(self, threshold: float) -> Self:
        """Those of a confidence above `threshold`."""
        return self.chosen(self.confidence > threshold)

    def chosen(self, kept: NDArray[np.bool_]) -> Self:
        """Those that a mask (n,) keeps."""
        return type(self)(**{name: _chosen(row, kept) for name, row in vars(self).items()})


def _chosen(row: Any, kept: NDArray[np.bool_]) -> Any:
    return None if row is None else row[kept]


def _joined(rows: list[Any]) -> Any:
    return None if rows[0] is None else np.concatenate(rows)


def pick_peaks(prediction: ArrayLike, threshold: float) -> Detections:
    """Local maxima of one network output (L,) above `threshold`, at sub-sample positions.

    The position is the centroid of the positive flanks that fall away from the maximum, at most
    two samples either side; a flat top counts once, at its middle. Confidence is the maximum.
    """
    z = np.asarray(prediction, dtype=np.float64)
    if z.ndim != 1 or np.isnan(z).any():
        raise InputError(
            f"a prediction to pick peaks from must be one line without NaN, not {z.shape}"
        )
    margin = _CENTROID_REACH
    padded = np.pad(z, margin, constant_values=-np.inf)  # so that a line may peak at its ends
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
    sample: Floats = shift + (peak - margin)
    return Detections(sample=sample, confidence=padded[peak])
