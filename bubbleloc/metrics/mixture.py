"""From the Gaussians of a head of emitters to bubbles, without a threshold to tune."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import EmitterDetections
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE

WINDOW = 2.0  # samples either side of a Gaussian whose bubbles may be the same one
LEAST_EXPECTED = 1e-3  # bubbles: fainter Gaussians are left out
FAINTEST = 0.25  # probability of the least probable bubble that is ever reported
LEAST_F1 = 0.2  # expected of a line: below it, its bubbles are guesses, and none is reported


def bubbles_in(field: Floats) -> EmitterDetections:
    """Return the bubbles of one line that are worth reporting, see `worth_reporting`.

    Args:
        field: what a head of emitters says of the line, (4, L): the expected number of bubbles of
            the Gaussian of each sample, its offset from the sample, its standard deviation, both
            in samples, and the logarithm of its radius in µm.
    """
    expected, offset, sigma, log_radius = field
    sample = np.arange(len(expected)) + offset
    rows = candidates(expected, sample, sigma, np.exp(log_radius))
    rows = rows[worth_reporting(rows[:, 1], float(expected.sum()))]
    at = rows[:, 0]
    near = _within(QUOTED_TOLERANCE, sample, at, expected) / _within(QUOTED_TOLERANCE, at, at)
    position, probability, deviation, radius_um = rows.T
    return EmitterDetections(position, probability, deviation, radius_um, near)


def candidates(
    expected: Floats, sample: Floats, sigma: Floats, radius_um: Floats, least: float = FAINTEST
) -> Floats:
    """Return position, probability, deviation and radius of bubbles, (n, 4), sorted by position.

    The bubbles are taken one by one. The next one lies where the Gaussians within ±2 samples of
    one of them add up to the most bubbles. One expected bubble is subtracted from these Gaussians,
    or all that is expected there if that is less; what was subtracted is the probability of the
    bubble. Its position and radius are the means of what was subtracted, its standard deviation
    that of the Gaussians together. Where enough is expected for two bubbles, the first one is
    subtracted from the front. The search ends where less than `least` is expected.

    Args:
        expected: the number of bubbles of each Gaussian, (n,).
        sample: the arrival of its bubbles in samples.
        sigma: its standard deviation in samples.
        radius_um: the radius of its bubbles.
        least: the smallest probability of a bubble.
    """
    kept = np.flatnonzero(expected > LEAST_EXPECTED)
    kept = kept[np.argsort(sample[kept], kind="stable")]
    rows = _take_bubbles(expected[kept], sample[kept], sigma[kept], radius_um[kept], least)
    return np.asarray(rows[np.argsort(rows[:, 0], kind="stable")])


def worth_reporting(probability: Floats, expected: float) -> NDArray[np.bool_]:
    """Choose the bubbles of a line, (n,), whose report makes its expected F1 the highest.

    The k most probable ones make it 2 Σp / (k + ``expected``), with the number of bubbles that the
    line is expected to have; of lines with less than ten, this is a rough estimate. So a bubble is
    worth reporting if its probability is above half of the F1 (Lipton et al., ECML 2014). F1 of an
    empty report is 1 if there is no bubble, else 0. Where no report is expected to reach an F1 of
    0.2, as in noise alone, nothing is chosen.
    """
    order = np.argsort(-probability, kind="stable")
    f1 = 2 * np.cumsum(probability[order]) / (np.arange(len(order)) + 1 + expected)
    chosen = np.zeros(len(order), dtype=np.bool_)
    if f1.size and f1.max() > max(np.exp(-expected), LEAST_F1):
        chosen[order[: f1.argmax() + 1]] = True
    return chosen


def _within(reach: float, sample: Floats, centre: Floats, weight: Floats | None = None) -> Floats:
    """Sum of the weights, or number, of what lies within ±``reach`` samples of each centre."""
    order = np.argsort(sample, kind="stable")
    total = np.ones(len(order)) if weight is None else weight[order]
    total = np.concatenate([[0.0], np.cumsum(total)])
    first = np.searchsorted(sample[order], centre - reach)
    last = np.searchsorted(sample[order], centre + reach, "right")
    return np.asarray(total[last] - total[first])


@njit(cache=True)
def _take_bubbles(
    expected: Floats, sample: Floats, sigma: Floats, radius_um: Floats, least: float
) -> Floats:
    """Return the bubbles of `candidates`, in no order, from Gaussians that are sorted by sample."""
    size = expected.size
    bubbles = np.empty((int(expected.sum() / least) + 1, 4))
    count = 0
    low, high = np.empty(size, np.int64), np.empty(size, np.int64)
    start, end = 0, 0
    for i in range(size):  # the neighbours of Gaussian i are low[i] … high[i] − 1
        while sample[start] < sample[i] - WINDOW:
            start += 1
        while end < size and sample[end] <= sample[i] + WINDOW:
            end += 1
        low[i], high[i] = start, end
    near = np.array([expected[low[i] : high[i]].sum() for i in range(size)])
    start = 0
    while start < size:
        end = start + 1  # groups with no neighbours in common do not depend on each other
        while end < size and low[end] < end:
            end += 1
        while True:
            best = start + np.argmax(near[start:end])
            if near[best] < least:
                break
            taken = min(1.0, near[best])
            share = 1.0 if near[best] >= 1 + FAINTEST else taken / near[best]
            left, mean, square, radius = taken, 0.0, 0.0, 0.0
            for i in range(low[best], high[best]):
                part = min(left, share * expected[i])
                left -= part
                expected[i] -= part
                away = sample[i] - sample[best]
                mean += part * away / taken
                square += part * (sigma[i] ** 2 + away**2) / taken
                radius += part * radius_um[i] / taken
            bubbles[count, 0] = sample[best] + mean
            bubbles[count, 1] = taken
            bubbles[count, 2] = np.sqrt(square - mean**2)
            bubbles[count, 3] = radius
            count += 1
            for i in range(low[low[best]], high[high[best] - 1]):
                near[i] = expected[low[i] : high[i]].sum()
        start = end
    return bubbles[:count]
