"""From a network's output to bubbles, and from bubbles to one-to-one scores.

The published F1 (:mod:`bubbleloc.metrics`) lets one positive sample find several bubbles and one
bubble excuse several positives. The scores here count every detection and every bubble once, as
single-molecule localization challenges do (Sage et al., Nature Methods 16, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks

from bubbleloc.alignment import align_sorted
from bubbleloc.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CENTROID_REACH = 2
"""Samples either side of a peak that may pull its position: the width of a trained network's
peaks, and little enough to leave neighbouring bubbles alone."""


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


@dataclass(frozen=True)
class Detections:
    """Bubbles found in one line: zero-based sub-sample positions, ascending, and confidences."""

    sample: Floats
    confidence: Floats

    def __len__(self) -> int:
        return len(self.sample)

    def above(self, threshold: float) -> Detections:
        """Those of a confidence above `threshold`."""
        kept = self.confidence > threshold
        return Detections(self.sample[kept], self.confidence[kept])


@dataclass(frozen=True)
class Matching:
    """Detections paired with bubbles, each at most once.

    `detected` and `true` are indices of the pairs into the positions that were matched, and
    `error_samples` is detected minus true position. The scores are ratios of counts; where there
    is nothing to find and nothing is found they are 1.
    """

    detected: Ints
    true: Ints
    error_samples: Floats
    n_detected: int
    n_true: int

    @property
    def precision(self) -> float:
        """Share of the detections that are bubbles."""
        return self._ratio(self.n_detected)

    @property
    def recall(self) -> float:
        """Share of the bubbles that are detected."""
        return self._ratio(self.n_true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return self._ratio((self.n_detected + self.n_true) / 2)

    @property
    def jaccard(self) -> float:
        """Pairs over everything detected or true: TP / (TP + FP + FN)."""
        return self._ratio(self.n_detected + self.n_true - len(self.detected))

    @property
    def bias_samples(self) -> float:
        """Mean error of the matched positions; NaN without a match."""
        return float(self.error_samples.mean()) if self.error_samples.size else float("nan")

    @property
    def rmse_samples(self) -> float:
        """Root mean square error of the matched positions; NaN without a match."""
        return float(np.sqrt(np.mean(self.error_samples**2))) if self.error_samples.size else np.nan

    def scores(self, scale: Scale | None = None) -> dict[str, float]:
        """All scores under the names of the report's columns, errors in three units."""
        unit = scale or Scale()
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "jaccard": self.jaccard,
            "efficiency": self.efficiency(unit),
            "rmse_samples": self.rmse_samples,
            "rmse_um": self.rmse_samples * unit.um_per_sample,
            "rmse_wavelengths": self.rmse_samples * unit.wavelengths_per_sample,
            "bias_samples": self.bias_samples,
            "bias_um": self.bias_samples * unit.um_per_sample,
            "bias_wavelengths": self.bias_samples * unit.wavelengths_per_sample,
        }

    def efficiency(self, scale: Scale, per_um: float = 0.01) -> float:
        """1 − √((1 − Jaccard)² + (per_um · RMSE in µm)²), Sage et al. 2019, equation 3.

        Their trade-off, 1 % per nanometre, belongs to light; per micrometre it suits ultrasound:
        an RMSE of 100 µm (an eighth of the wavelength) costs as much as finding nothing.
        """
        rmse_um = np.nan_to_num(self.rmse_samples * scale.um_per_sample)
        return float(1 - np.hypot(1 - self.jaccard, per_um * rmse_um))

    def _ratio(self, whole: float) -> float:
        if self.n_detected + self.n_true == 0:
            return 1.0
        return len(self.detected) / whole if whole else 0.0


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


def match_detections(
    detected: ArrayLike | Detections, true: ArrayLike, tolerance: float
) -> Matching:
    """Pair detections with bubbles one to one, no pair farther apart than `tolerance` samples.

    Of all pairings it takes one with the most pairs, and among those the least total distance —
    the optimum of ``scipy.optimize.linear_sum_assignment``. On a line some optimal pairing never
    crosses, so aligning the two sorted lists by dynamic programming finds it.

    Args:
        detected: positions in samples, (n,), in any order; or a :class:`Detections`.
        true: positions in samples, (m,), in any order; coincident bubbles count each.
        tolerance: largest distance of a pair in samples, inclusive.
    """
    found = _positions(
        detected.sample if isinstance(detected, Detections) else detected, "detected"
    )
    bubbles = _positions(true, "true")
    if not tolerance >= 0:
        raise InputError(f"the matching tolerance must be 0 samples or more, not {tolerance}")
    by_found = np.argsort(found, kind="stable")
    by_bubble = np.argsort(bubbles, kind="stable")
    i, j = align_sorted(found[by_found], bubbles[by_bubble], float(tolerance))
    pair_found, pair_bubble = by_found[i], by_bubble[j]
    return Matching(
        detected=pair_found,
        true=pair_bubble,
        error_samples=found[pair_found] - bubbles[pair_bubble],
        n_detected=len(found),
        n_true=len(bubbles),
    )


def _positions(values: ArrayLike, name: str) -> Floats:
    positions = np.asarray(values, dtype=np.float64)
    if positions.ndim != 1 or not np.isfinite(positions).all():
        raise InputError(f"{name} positions must be one list of finite sample numbers")
    return positions
