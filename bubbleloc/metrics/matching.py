"""One-to-one pairs of detections and bubbles, and their scores.

The published F1 (:mod:`bubbleloc.metrics.tolerance`) lets one positive sample find several bubbles
and one bubble excuse several positives. The scores here count every detection and every bubble
once, as single-molecule localization challenges do (Sage et al., Nature Methods 16, 2019).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.metrics.detections import Detections
from bubbleloc.units import Scale


@dataclass(frozen=True)
class Pairs:
    """Detections paired with bubbles, each at most once.

    `detected` and `true` are indices of the pairs into the positions that were matched. The scores
    are ratios of counts; where there is nothing to find and nothing is found they are 1.
    """

    detected: Ints
    true: Ints
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

    def _ratio(self, whole: float) -> float:
        if self.n_detected + self.n_true == 0:
            return 1.0
        return len(self.detected) / whole if whole else 0.0


@dataclass(frozen=True)
class Matching(Pairs):
    """Pairs of a line; `error_samples` is detected minus true position."""

    error_samples: Floats

    @property
    def bias_samples(self) -> float:
        """Mean error of the matched positions; NaN without a match."""
        return float(self.error_samples.mean()) if self.error_samples.size else float("nan")

    @property
    def rmse_samples(self) -> float:
        """Root mean square error of the matched positions; NaN without a match."""
        return float(np.sqrt(np.mean(self.error_samples**2))) if self.error_samples.size else np.nan

    def efficiency(self, scale: Scale, per_um: float = 0.01) -> float:
        """1 − √((1 − Jaccard)² + (per_um · RMSE in µm)²), Sage et al. 2019, equation 3.

        Their trade-off, 1 % per nanometre, belongs to light; per micrometre it suits ultrasound:
        an RMSE of 100 µm (an eighth of the wavelength) costs as much as finding nothing.
        """
        rmse_um = np.nan_to_num(self.rmse_samples * scale.um_per_sample)
        return float(1 - np.hypot(1 - self.jaccard, per_um * rmse_um))


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

    Raises:
        InputError: positions that are no list of finite numbers, or a negative tolerance.
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


@njit(cache=True)
def _align_block(
    a: Floats,
    b: Floats,
    rows: tuple[int, int],
    columns: tuple[int, int],
    tolerance: float,
    pairs: Ints,
    n: int,
) -> int:
    """Append the best pairs of a[rows] and b[columns] to the first n of `pairs`; return n."""
    size_a, size_b = rows[1] - rows[0], columns[1] - columns[0]
    # one pair more outweighs any change in total distance: most pairs first, then least distance
    worth = (min(size_a, size_b) + 1) * tolerance + 1.0
    best = np.zeros((size_a + 1, size_b + 1))
    for i in range(1, size_a + 1):
        for j in range(1, size_b + 1):
            score = max(best[i - 1, j], best[i, j - 1])
            distance = abs(a[rows[0] + i - 1] - b[columns[0] + j - 1])
            if distance <= tolerance:
                score = max(score, best[i - 1, j - 1] + worth - distance)
            best[i, j] = score
    i, j = size_a, size_b
    while i > 0 and j > 0:
        if best[i, j] == best[i - 1, j]:
            i -= 1
        elif best[i, j] == best[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs[n, 0], pairs[n, 1] = rows[0] + i, columns[0] + j
            n += 1
    return n


@njit(cache=True)
def align_sorted(a: Floats, b: Floats, tolerance: float) -> tuple[Ints, Ints]:
    """Indices of the best non-crossing pairs of two ascending lists.

    Wherever neighbours of the merged list are farther apart than the tolerance no pair can reach
    across, so the list falls into short blocks, and the work grows with n + m in practice.
    """
    pairs = np.empty((min(a.size, b.size), 2), dtype=np.int64)
    i, j, n = 0, 0, 0
    while i < a.size and j < b.size:
        i_end, j_end = i, j
        last = min(a[i], b[j])
        while True:
            if i_end < a.size and a[i_end] - last <= tolerance:
                last = max(last, a[i_end])
                i_end += 1
            elif j_end < b.size and b[j_end] - last <= tolerance:
                last = max(last, b[j_end])
                j_end += 1
            else:
                break
        n = _align_block(a, b, (i, i_end), (j, j_end), tolerance, pairs, n)
        i, j = i_end, j_end
    return pairs[:n, 0], pairs[:n, 1]
