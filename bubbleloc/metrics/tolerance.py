"""F1 over thresholds × tolerances, as published by Blanken et al. (IEEE TMI 41(9), 2022).

A network's output z marks a bubble wherever z > threshold. The published script asks, for each of
10 tolerances and 25 thresholds, which bubbles have a positive sample nearby and which positive
samples have no bubble nearby. All 250 answers follow from two small tables per signal, because

* "some z within ±t of a bubble exceeds θ" is "the largest z within ±t of that bubble exceeds θ";
* "this sample is farther than t from every bubble" depends only on its distance to the nearest.

So one pass over a signal replaces 250.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.metrics.thresholds import THRESHOLDS, TOLERANCES, Sweep

_SCORE_OF_NOTHING = 1e-3
"""The published script puts this in place of a precision or recall of exactly zero."""


def tolerance_sweep(
    prediction: ArrayLike,
    count: ArrayLike,
    thresholds: ArrayLike = THRESHOLDS,
    tolerances: ArrayLike = TOLERANCES,
) -> Sweep:
    """Score network outputs against true bubble counts at every tolerance and threshold.

    With z > threshold a positive sample and count > 0.5 a true one: TP are true samples with a
    positive within ±tolerance, FN the other true samples, FP the positives with no true sample
    within ±tolerance. TP + FP = 0 counts as FP = 1, TP + FN = 0 as FN = 1, a precision or recall
    of 0 as 1e-3. F1 is the harmonic mean of the two, signal by signal.

    Args:
        prediction: network outputs z, (n, L); a CPU tensor will do.
        count: bubbles per sample, (n, L).
        thresholds: (K,) values, in any order; z > threshold is decided in double precision.
        tolerances: (T,) whole numbers of samples ≥ 0, in any order.

    Raises:
        InputError: shapes differ, an array holds NaN, or the grid makes no sense.
    """
    predictions, counts = _checked_pair(prediction, count)
    levels, reaches = _checked_grid(thresholds, tolerances)
    order = np.argsort(levels)
    ascending, rank = levels[order], np.argsort(order)
    precision = np.empty((len(predictions), len(reaches), len(levels)))
    recall = np.empty_like(precision)
    for i, (z, true) in enumerate(_checked_rows(predictions, counts)):
        bubbles = np.flatnonzero(true > 0.5)
        level = np.searchsorted(ascending, z, side="left")  # thresholds that each sample exceeds
        found = _found_bubbles(level, bubbles, reaches, len(levels))[:, rank]
        false = _false_positives(level, bubbles, reaches, len(levels))[:, rank]
        precision[i] = found / np.maximum(found + false, 1)
        recall[i] = found / max(bubbles.size, 1)
    # the published special cases: nothing positive, nothing true and nothing found all score 1e-3
    precision[precision == 0] = _SCORE_OF_NOTHING
    recall[recall == 0] = _SCORE_OF_NOTHING
    f1 = 2 * precision * recall / (precision + recall)
    return Sweep(f1, precision, recall, levels, reaches)


def _found_bubbles(level: Ints, bubbles: Ints, reaches: Ints, n_levels: int) -> Ints:
    """Bubbles with a sample above each threshold within each tolerance: (T, K)."""
    last = level.size - 1
    found = np.empty((reaches.max() + 1, n_levels), dtype=np.int64)
    highest = level[bubbles]
    for reach in range(len(found)):
        # clipped to the line, a window repeats its first or last sample: harmless in a maximum
        np.maximum(highest, level[np.maximum(bubbles - reach, 0)], out=highest)
        np.maximum(highest, level[np.minimum(bubbles + reach, last)], out=highest)
        found[reach] = _from_above(np.bincount(highest, minlength=n_levels + 1))[1:]
    return found[reaches]


def _false_positives(level: Ints, bubbles: Ints, reaches: Ints, n_levels: int) -> Ints:
    """Samples above each threshold and farther than each tolerance from any bubble: (T, K)."""
    far = int(reaches.max()) + 1
    distance = np.full(level.size, far)
    for reach in range(far - 1, -1, -1):  # nearer overwrites farther, so clipping is harmless
        distance[np.maximum(bubbles - reach, 0)] = reach
        distance[np.minimum(bubbles + reach, level.size - 1)] = reach
    cell = distance * (n_levels + 1) + level
    table = np.bincount(cell, minlength=(far + 1) * (n_levels + 1)).reshape(far + 1, -1)
    return _from_above(_from_above(table.T).T)[reaches + 1, 1:]


def _from_above(histogram: Ints) -> Ints:
    """Cumulative sum along the last axis from the top: entry k counts all of k and higher."""
    return np.flip(np.flip(histogram, -1).cumsum(-1), -1)


def _checked_grid(thresholds: ArrayLike, tolerances: ArrayLike) -> tuple[Floats, Ints]:
    levels = np.asarray(thresholds, dtype=np.float64)
    if levels.ndim != 1 or levels.size == 0 or np.isnan(levels).any():
        raise InputError("thresholds must be a non-empty list of numbers, none of them NaN")
    reaches = np.asarray(tolerances)
    whole = reaches.ndim == 1 and reaches.size > 0 and bool((reaches == np.floor(reaches)).all())
    if not whole or reaches.min() < 0:
        raise InputError("tolerances must be a non-empty list of whole numbers of samples, 0 or up")
    return levels, reaches.astype(np.int64)


def _checked_pair(
    prediction: ArrayLike, count: ArrayLike
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    predictions, counts = np.asarray(prediction), np.asarray(count)
    if predictions.ndim != 2 or predictions.shape != counts.shape or predictions.shape[1] == 0:
        raise InputError(
            f"prediction {predictions.shape} and count {counts.shape} must both be (signals, "
            "samples) of one shape: drop the channel axis, and score whole lines"
        )
    return predictions, counts


def _checked_rows(
    predictions: NDArray[np.generic], counts: NDArray[np.generic]
) -> Iterator[tuple[Floats, Floats]]:
    """Signals as float64 one by one, so that no second copy of all of them is made."""
    for i, pair in enumerate(zip(predictions, counts, strict=True)):
        z, true = (row.astype(np.float64) for row in pair)
        for name, row in (("prediction", z), ("count", true)):
            if np.isnan(row).any():
                raise InputError(
                    f"{name} of signal {i} is NaN at sample {int(np.isnan(row).argmax())}: "
                    "look for NaN in its RF line and in the network's weights"
                )
        yield z, true
