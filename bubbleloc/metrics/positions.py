"""One-to-one pairs of the bubbles found in frames and the true ones, and their scores.

Positions are points (n, 2) in metres, lateral and depth. A pair lies within an ellipse, because a
wave tells depth better than the lateral position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.metrics.matching import Pairs

LEVELS = 12
"""Thresholds that are tried, twice."""


class Tolerance(NamedTuple):
    """Half axes of the ellipse that a pair lies within, in wavelengths."""

    lateral: float
    axial: float


TOLERANCES = {
    "λ/4 × λ/4": Tolerance(1 / 4, 1 / 4),
    "λ/4 × λ/10": Tolerance(1 / 4, 1 / 10),
    "λ/10 × λ/10": Tolerance(1 / 10, 1 / 10),
}
"""Lateral × axial."""


class Bounds(NamedTuple):
    """Part of the image plane in which positions are scored, in metres."""

    lateral_m: tuple[float, float]
    depth_m: tuple[float, float]

    def inside(self, points_m: Floats, margin_m: float = 0.0) -> Floats:
        """Return those of some points (n, 2) within the bounds or a margin around them."""
        low, high = np.transpose(self)
        kept = (points_m >= low - margin_m) & (points_m <= high + margin_m)
        return points_m[kept.all(axis=1)]

    def random(self, count: int, rng: np.random.Generator) -> Floats:
        """Return points (count, 2) drawn uniformly."""
        low, high = np.transpose(self)
        return rng.uniform(low, high, (count, 2))


@dataclass(frozen=True, eq=False)
class FrameAnswer:
    """What a method found in a frame, and what is there.

    Attributes:
        found_m: points (n, 2).
        confidence: of each, (n,); larger is more certain.
        true_m: points (m, 2).
    """

    found_m: Floats
    confidence: Floats
    true_m: Floats

    def above(self, threshold: float) -> Self:
        """Return the frame with the points of a confidence above a threshold alone."""
        kept = self.confidence > threshold
        return replace(self, found_m=self.found_m[kept], confidence=self.confidence[kept])


@dataclass(frozen=True)
class PointMatching(Pairs):
    """Pairs of a frame or of several; `error_m` (k, 2) is detected minus true position."""

    error_m: Floats

    @property
    def rmse_m(self) -> Floats:
        """Root mean square errors of the pairs, lateral and axial, (2,); NaN without a pair."""
        return np.sqrt(self._mean(self.error_m**2))

    @property
    def bias_m(self) -> Floats:
        """Mean errors of the pairs, lateral and axial, (2,); NaN without a pair."""
        return self._mean(self.error_m)

    def _mean(self, values: Floats) -> Floats:
        return values.mean(axis=0) if len(values) else np.full(2, np.nan)


def match_points(found_m: Floats, true_m: Floats, half_axes_m: ArrayLike) -> PointMatching:
    """Pair points one to one, every pair within an ellipse around the true one.

    Of all pairings it takes one with the most pairs, and among those the least total distance,
    counted in half axes of the ellipse.

    Args:
        found_m: points (n, 2), lateral and depth.
        true_m: points (m, 2).
        half_axes_m: of the ellipse, lateral and axial.

    Raises:
        InputError: points that are no list of pairs of finite numbers, or an empty ellipse.
    """
    axes = np.asarray(half_axes_m, dtype=np.float64)
    if axes.shape != (2,) or not (axes > 0).all():
        raise InputError(f"half axes {axes}: give two lengths above 0, lateral and axial")
    found, true = _points(found_m, "found"), _points(true_m, "true")
    near = KDTree(found / axes).sparse_distance_matrix(
        KDTree(true / axes), 1.0, output_type="ndarray"
    )
    detected, paired = _pairs(near["i"], near["j"], near["v"]).T
    return PointMatching(
        detected=detected,
        true=paired,
        n_detected=len(found),
        n_true=len(true),
        error_m=found[detected] - true[paired],
    )


def _points(values: Floats, name: str) -> Floats:
    points = np.asarray(values, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InputError(f"{name} positions must be finite points (n, 2), lateral and depth")
    return points


def _pairs(i: Ints, j: Ints, distance: Floats) -> Ints:
    """Return the best one-to-one pairs (k, 2) of possible ones (n,) and their distances."""
    alone = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1) if i.size else np.ones(0, bool)
    pairs = [np.stack([i[alone], j[alone]], axis=1)]
    groups = _apart(i[~alone], j[~alone], distance[~alone])
    pairs.extend(_best_pairs(*group) for group in groups)
    return np.concatenate(pairs)


def _apart(i: Ints, j: Ints, distance: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Split possible pairs into groups that share no point, each small enough for a full matrix."""
    if not i.size:
        return
    first_true = int(i.max()) + 1
    nodes = first_true + int(j.max()) + 1
    graph = coo_array((np.ones(i.size), (i, first_true + j)), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][i]
    order = np.argsort(group, kind="stable")
    ends = np.flatnonzero(np.diff(group[order])) + 1
    for part in np.split(order, ends):
        yield i[part], j[part], distance[part]


def _best_pairs(i: Ints, j: Ints, distance: Floats) -> Ints:
    """Return the best one-to-one pairs (k, 2) of possible ones and their distances, at most 1."""
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    # one pair more outweighs any change in total distance: most pairs first, then least distance
    never = min(len(rows), len(columns)) + 1.0
    cost = np.full((len(rows), len(columns)), never)
    cost[row, column] = distance
    a, b = linear_sum_assignment(cost)
    possible = cost[a, b] < never
    return np.stack([rows[a[possible]], columns[b[possible]]], axis=1)


def pooled(matchings: Sequence[PointMatching]) -> PointMatching:
    """Put the pairs of frames together; indices count through the points of all frames."""
    before_detected = np.cumsum([0, *(m.n_detected for m in matchings)])
    before_true = np.cumsum([0, *(m.n_true for m in matchings)])
    detected = [b + m.detected for b, m in zip(before_detected[:-1], matchings, strict=True)]
    true = [b + m.true for b, m in zip(before_true[:-1], matchings, strict=True)]
    return PointMatching(
        detected=np.concatenate(detected),
        true=np.concatenate(true),
        n_detected=int(before_detected[-1]),
        n_true=int(before_true[-1]),
        error_m=np.concatenate([m.error_m for m in matchings]),
    )


def match_frames(
    frames: Sequence[FrameAnswer], threshold: float, half_axes_m: ArrayLike
) -> list[PointMatching]:
    """Match every frame, without the points up to a threshold of the confidence."""
    kept = [frame.above(threshold) for frame in frames]
    return [match_points(frame.found_m, frame.true_m, half_axes_m) for frame in kept]


def best_threshold(frames: Sequence[FrameAnswer], half_axes_m: ArrayLike) -> float:
    """Return the threshold of the confidence of highest pooled F1; -inf keeps all points.

    It tries `LEVELS` numbers of points to keep, spread evenly over the logarithm, then as many
    between the neighbours of the best of these.
    """
    falling = np.sort(np.concatenate([frame.confidence for frame in frames]))[::-1]
    if not falling.size:
        return -np.inf
    levels = np.append(falling, -np.inf)  # above one lie as many points as its number

    def best(numbers: Ints) -> int:
        f1 = [pooled(match_frames(frames, levels[n], half_axes_m)).f1 for n in numbers]
        return int(np.argmax(f1))

    coarse = np.unique(np.geomspace(1, falling.size, LEVELS).astype(np.int64))
    place = best(coarse)
    first, last = coarse[max(place - 1, 0)], coarse[min(place + 1, len(coarse) - 1)]
    fine = np.unique(np.linspace(first, last, LEVELS).astype(np.int64))
    return float(levels[fine[best(fine)]])


def by_chance(
    frames: Sequence[FrameAnswer], bounds: Bounds, rng: np.random.Generator
) -> list[FrameAnswer]:
    """Return the frames with every point that was found moved to a random place."""
    return [replace(f, found_m=bounds.random(len(f.found_m), rng)) for f in frames]


def score_positions(
    selection: Sequence[FrameAnswer],
    frames: Sequence[FrameAnswer],
    wavelength_m: float,
    bounds: Bounds,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the pooled scores of frames, a row per tolerance.

    Args:
        selection: other frames, of which every tolerance gets its threshold.
        frames: those that are scored.
        bounds: part of the plane that as many random points are drawn from, whose F1 is
            ``chance``.
    """
    rows = []
    for name, tolerance in TOLERANCES.items():
        half_axes_m = wavelength_m * np.array(tolerance)
        threshold = best_threshold(selection, half_axes_m)
        kept = [frame.above(threshold) for frame in frames]
        matching = pooled(match_frames(kept, -np.inf, half_axes_m))
        chance = pooled(match_frames(by_chance(kept, bounds, rng), -np.inf, half_axes_m))
        rmse_um, bias_um = 1e6 * matching.rmse_m, 1e6 * matching.bias_m
        rows.append(
            {
                "tolerance": name,
                "threshold": threshold,
                "f1": matching.f1,
                "precision": matching.precision,
                "recall": matching.recall,
                "jaccard": matching.jaccard,
                "rmse_x_um": rmse_um[0],
                "rmse_z_um": rmse_um[1],
                "bias_x_um": bias_um[0],
                "bias_z_um": bias_um[1],
                "found": matching.n_detected,
                "true": matching.n_true,
                "matched": len(matching.detected),
                "chance": chance.f1,
            }
        )
    return pd.DataFrame(rows)
