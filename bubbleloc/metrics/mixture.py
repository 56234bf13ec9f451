"""From the Gaussians of a head of emitters to bubbles, without a threshold to tune."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.metrics.detections import EmitterDetections
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE

WINDOW = 2.0  # samples either side of a Gaussian whose bubbles may be the same one
LEAST_EXPECTED = 1e-3  # bubbles: fainter Gaussians are left out
FAINTEST = 0.25  # probability of the least probable bubble that is ever reported
LEAST_F1 = 0.2  # expected of a line: below it, its bubbles are guesses, and none is reported


def bubbles_in(fields: Floats | Float32s) -> tuple[EmitterDetections, Ints]:
    """Return the bubbles of lines that are worth reporting, and the line of each.

    Of what is expected in a line, `candidates` are taken one by one, and `worth_reporting` chooses
    among them.

    Args:
        fields: what a head of emitters says of b lines, (b, 4, L): the expected number of bubbles
            of the Gaussian of each sample, its offset from the sample, its standard deviation, both
            in samples, and the logarithm of its radius in µm.

    Returns:
        The bubbles (n,), one line after the other, and the numbers of their lines (n,).
    """
    by_kind = np.moveaxis(fields, 1, 0).astype(np.float64, order="C")
    expected, offset, sigma, log_radius = by_kind
    sample = np.arange(fields.shape[2]) + offset
    radius_um = np.exp(log_radius)
    total = expected.sum(axis=1)
    least_f1 = np.maximum(np.exp(-total), LEAST_F1)
    most = np.floor(total / FAINTEST).astype(np.int64) + 1
    rows, line = _bubbles(expected, sample, sigma, radius_um, total, least_f1, most)
    return EmitterDetections(*rows.T), line


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
    order = _order(sample)
    return np.asarray(_candidates(expected, sample, sigma, radius_um, order, least))


def worth_reporting(probability: Floats, expected: float) -> NDArray[np.bool_]:
    """Choose the bubbles of a line, (n,), whose report makes its expected F1 the highest.

    The k most probable ones make it 2 Σp / (k + ``expected``), with the number of bubbles that the
    line is expected to have; of lines with less than ten, this is a rough estimate. So a bubble is
    worth reporting if its probability is above half of the F1 (Lipton et al., ECML 2014). F1 of an
    empty report is 1 if there is no bubble, else 0. Where no report is expected to reach an F1 of
    0.2, as in noise alone, nothing is chosen.
    """
    least_f1 = max(float(np.exp(-expected)), LEAST_F1)
    return np.asarray(_worth_reporting(probability, float(expected), least_f1))


@njit(cache=True, nogil=True)
def _bubbles(
    expected: Floats,
    sample: Floats,
    sigma: Floats,
    radius_um: Floats,
    total: Floats,
    least_f1: Floats,
    most: Ints,
) -> tuple[Floats, Ints]:
    """Return the bubbles of lines (b, L): rows of `EmitterDetections`, and the line of each.

    Args:
        total: what is expected of each line, (b,).
        least_f1: what a report of each line has to be expected to reach.
        most: the bubbles that there can be in each line.
    """
    rows, line = np.empty((most.sum(), 5)), np.empty(most.sum(), np.int64)
    end = 0
    for b in range(len(total)):
        order = _order(sample[b])
        found = _candidates(expected[b], sample[b], sigma[b], radius_um[b], order, FAINTEST)
        found = found[_worth_reporting(found[:, 1], total[b], least_f1[b])]
        first, end = end, end + len(found)
        line[first:end], rows[first:end, :4] = b, found
        at, one_each = found[:, 0], np.ones(len(found))
        near = _within(QUOTED_TOLERANCE, sample[b][order], expected[b][order], at)
        rows[first:end, 4] = near / _within(QUOTED_TOLERANCE, at, one_each, at)
    return rows[:end], line[:end]


@njit(cache=True, nogil=True)
def _order(values: Floats) -> Ints:
    """Return what sorts values (n,) that are nearly sorted already; equal ones keep their order."""
    order, moved = np.arange(len(values)), values.copy()
    for i in range(1, len(values)):
        place, value = i, values[i]
        while place > 0 and moved[place - 1] > value:
            order[place], moved[place] = order[place - 1], moved[place - 1]
            place -= 1
        order[place], moved[place] = i, value
    return order


@njit(cache=True, nogil=True)
def _candidates(
    expected: Floats,
    sample: Floats,
    sigma: Floats,
    radius_um: Floats,
    order: Ints,
    least: float,
) -> Floats:
    """Return `candidates` of Gaussians (n,) that an `order` sorts by sample."""
    kept = order[expected[order] > LEAST_EXPECTED]
    rows = _take_bubbles(expected[kept], sample[kept], sigma[kept], radius_um[kept], least)
    return rows[_order(rows[:, 0])]


@njit(cache=True, nogil=True)
def _worth_reporting(probability: Floats, expected: float, least_f1: float) -> NDArray[np.bool_]:
    """Return `worth_reporting`; nothing is chosen that is expected to reach `least_f1` at most."""
    order = np.argsort(-probability, kind="mergesort")
    true, best, reported = 0.0, least_f1, 0
    for i in range(len(order)):
        true += probability[order[i]]
        f1 = 2 * true / (i + 1 + expected)
        if f1 > best:
            best, reported = f1, i + 1
    chosen = np.zeros(len(order), np.bool_)
    chosen[order[:reported]] = True
    return chosen


@njit(cache=True, nogil=True)
def _within(reach: float, sample: Floats, weight: Floats, centre: Floats) -> Floats:
    """Sum of the weights of what lies within ±``reach`` samples of each centre.

    Args:
        sample: where they lie, sorted, (n,).
        centre: sorted, (m,).
    """
    total = np.zeros(len(sample) + 1)
    for i in range(len(sample)):
        total[i + 1] = total[i] + weight[i]
    sums = np.empty(len(centre))
    first, last = 0, 0
    for i in range(len(centre)):
        while first < len(sample) and sample[first] < centre[i] - reach:
            first += 1
        while last < len(sample) and sample[last] <= centre[i] + reach:
            last += 1
        sums[i] = total[last] - total[first]
    return sums


@njit(cache=True, nogil=True)
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
    near = np.empty(size)
    _sum_near(expected, low, high, near, 0, size)
    start = 0
    while start < size:
        end = start + 1  # groups with no neighbours in common do not depend on each other
        while end < size and low[end] < end:
            end += 1
        while True:
            best = start
            for i in range(start + 1, end):
                if near[i] > near[best]:
                    best = i
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
            _sum_near(expected, low, high, near, low[low[best]], high[high[best] - 1])
        start = end
    return bubbles[:count]


@njit(cache=True, nogil=True)
def _sum_near(expected: Floats, low: Ints, high: Ints, near: Floats, first: int, stop: int) -> None:
    """Add up what is expected of the neighbours of Gaussians `first` to before `stop`."""
    for i in range(first, stop):
        total = 0.0
        for j in range(low[i], high[i]):
            total += expected[j]
        near[i] = total
