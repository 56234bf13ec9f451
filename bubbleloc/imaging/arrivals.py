"""Places where the arrivals that are expected in many lines meet.

The best supported place is taken first: least squares on the arrivals near it move it to where
they fit best, then one bubble is taken off every line there, and the search goes on in what is
left.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.ndimage import maximum_filter

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.imaging.array import Array, Region, back_way_m, sent_way_m, way_slope
from bubbleloc.imaging.beamforming import ArrayLines, Grid

FLOOR = 0.8  # samples: arrivals are spread by this in addition to their σ
LEAST_EXPECTED = 1e-3  # bubbles: fainter Gaussians are left out
WIDTH = 4.0  # samples: half the biweight window in which arrivals count for a place
CONTRAST = 100.0  # of log(1 + CONTRAST · bubbles), which asks for many lines, not for certain ones
LEAST_SUPPORT = 0.15  # of the lines
LEAST_PIXEL = 1.1  # of the image, per line, of a place that is tried
ROUNDS = 2  # images of what is left; a third finds nothing
STEPS = 6  # of least squares
FARTHEST = 8.0  # pixels that they may move a place
# Samples that an arrival changes from one pixel of the image to the next: depth, lateral.
DOWN, ACROSS = 1.0, 0.7
MARGIN = 6  # pixels around the region: a bubble at its edge is no maximum of the edge
UNCHANGED = 0.999  # of a score: less, and the place is fitted anew


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Bubbles that are expected at every sample of the lines of an array.

    Attributes:
        array: the array of these lines.
        expected: bubbles per sample (E, L).
        variance: σ² of their arrival, times ``expected``, (E, L).
    """

    array: Array
    expected: Floats
    variance: Floats

    @classmethod
    def of_emitters(cls, array: Array, fields: Floats) -> "Arrivals":
        """Spread the Gaussians of lines, the fields (E, 4, L) of `bubbleloc.nn.heads.Emitters`."""
        expected, variance = np.zeros((2, fields.shape[0], fields.shape[2]))
        _spread(expected, variance, fields, FLOOR, LEAST_EXPECTED)
        return cls(array, expected, variance)

    def places(self, region: Region) -> Floats:
        """Return the places of bubbles (n, 5), best supported ones first.

        Columns: x, z, σ of x and of z in m, and support: the share of the lines that have a bubble
        there once better supported ones were taken.
        """
        grid = self._grid(region)
        pixel = np.array([np.diff(axis[:2])[0] for axis in (grid.lateral_m, grid.depth_m)])
        left = self.expected.copy()
        geometry = self.array.geometry
        timing = (self.array.samples_per_m, self.array.delay_samples)
        found = np.empty((0, 5))
        for _ in range(ROUNDS):
            image = ArrayLines(np.log1p(CONTRAST * left), self.array).image(grid)
            tried = _maxima(image, LEAST_PIXEL * len(left))
            starts = np.stack([grid.lateral_m[tried[1]], grid.depth_m[tried[0]]], axis=1)
            new = _take(left, self.expected, self.variance, *geometry, *timing, starts, pixel)
            if not len(new):
                break
            found = np.concatenate([found, new])
        inside = region.holds(found[:, 0], found[:, 1])
        return found[inside]

    def _grid(self, region: Region) -> Grid:
        """Pixels between which arrivals change by about a sample."""
        across_m, down_m = np.multiply(self.array.sample_size_m(region), (ACROSS, DOWN))
        x, z = (
            np.arange(low - MARGIN * step, high + (MARGIN + 0.5) * step, step)
            for (low, high), step in ((region.lateral_m, across_m), (region.depth_m, down_m))
        )
        return Grid(x, z)


def _maxima(image: Float32s, least: float) -> tuple[Ints, Ints]:
    """Rows and columns of the maxima of an image (H, W) within two rows and one column."""
    top = maximum_filter(image, size=(5, 3), mode="constant")
    row, column = np.nonzero((image == top) & (image > least))
    return row.astype(np.int64), column.astype(np.int64)


@njit(cache=True, nogil=True)
def _spread(expected, variance, fields, floor, least):  # type: ignore[no-untyped-def]
    """Add the Gaussians (E, 4, L) to ``expected`` and ``variance`` (E, L)."""
    samples = expected.shape[1]
    for e in range(fields.shape[0]):
        for s in range(fields.shape[2]):
            count, middle = fields[e, 0, s], s + fields[e, 1, s]
            if count < least:
                continue
            square = fields[e, 2, s] ** 2
            sigma = np.sqrt(square + floor**2)
            height = count / (sigma * np.sqrt(2 * np.pi))
            reach = 4 * sigma
            for t in range(max(0, int(middle - reach)), min(samples, int(middle + reach) + 2)):
                part = height * np.exp(-0.5 * ((t - middle) / sigma) ** 2)
                expected[e, t] += part
                variance[e, t] += part * square


@njit(cache=True, nogil=True)
def _near(line, arrival, width):  # type: ignore[no-untyped-def]
    """Bubbles near an arrival, and their mean distance from it times their number."""
    count = moment = 0.0
    for t in range(max(0, int(arrival - width) + 1), min(len(line), int(arrival + width) + 1)):
        away = t - arrival
        part = line[t] * (1 - (away / width) ** 2) ** 2
        count += part
        moment += part * away
    return count, moment


@njit(cache=True, nogil=True)
def _arrival(x, z, e, element, direction, fired, per_m, delay):  # type: ignore[no-untyped-def]
    way = sent_way_m(x, z, direction, fired) + back_way_m(x, z, element[0, e], element[1, e])
    return per_m * way + delay


@njit(cache=True, nogil=True)
def _fit(left, element, direction, fired, per_m, delay, x, z, pixel):  # type: ignore[no-untyped-def]
    """Least squares on the arrivals near a place; the place itself if they lead far away."""
    from_x, from_z = x, z
    for step in range(STEPS):
        width = WIDTH * (1 - 0.5 * step / (STEPS - 1))
        slopes = per_m * way_slope(x, z, element, direction, fired)
        xx = xz = zz = right_x = right_z = 0.0
        for e in range(len(left)):
            arrival = _arrival(x, z, e, element, direction, fired, per_m, delay)
            count, moment = _near(left[e], arrival, width)
            if count > 1e-4:
                weight, away = min(count, 1.0), moment / count
                xx += weight * slopes[e, 0] ** 2
                xz += weight * slopes[e, 0] * slopes[e, 1]
                zz += weight * slopes[e, 1] ** 2
                right_x += weight * slopes[e, 0] * away
                right_z += weight * slopes[e, 1] * away
        det = xx * zz - xz * xz
        if det <= 1e-9 * xx * zz:
            break
        move_x, move_z = (zz * right_x - xz * right_z) / det, (xx * right_z - xz * right_x) / det
        x += min(max(move_x, -2 * pixel[0]), 2 * pixel[0])
        z += min(max(move_z, -4 * pixel[1]), 4 * pixel[1])
        if abs(x - from_x) > FARTHEST * pixel[0] or abs(z - from_z) > FARTHEST * pixel[1]:
            return from_x, from_z
    return x, z


@njit(cache=True, nogil=True)
def _score(left, element, direction, fired, per_m, delay, x, z):  # type: ignore[no-untyped-def]
    """Σ log(1 + CONTRAST · bubbles) over the lines, and their mean, each line of at most one."""
    score = support = 0.0
    for e in range(len(left)):
        arrival = _arrival(x, z, e, element, direction, fired, per_m, delay)
        count = min(1.0, _near(left[e], arrival, WIDTH)[0])
        score += np.log1p(CONTRAST * count)
        support += count / len(left)
    return score, support


@njit(cache=True, nogil=True)
def _remove(left, element, direction, fired, per_m, delay, x, z):  # type: ignore[no-untyped-def]
    """Take one bubble off each line at a place, or what there is."""
    samples = left.shape[1]
    for e in range(len(left)):
        arrival = _arrival(x, z, e, element, direction, fired, per_m, delay)
        share = 1.0 / max(_near(left[e], arrival, WIDTH)[0], 1.0)
        for t in range(max(0, int(arrival - WIDTH) + 1), min(samples, int(arrival + WIDTH) + 1)):
            left[e, t] *= 1 - share * (1 - ((t - arrival) / WIDTH) ** 2) ** 2


@njit(cache=True, nogil=True)
def _errors(expected, variance, element, direction, fired, per_m, delay, x, z):  # type: ignore[no-untyped-def]
    """σ of x and of z: the inverse normal matrix of the arrivals, each with the σ of its line."""
    slopes = per_m * way_slope(x, z, element, direction, fired)
    xx = xz = zz = 0.0
    for e in range(len(expected)):
        arrival = _arrival(x, z, e, element, direction, fired, per_m, delay)
        count = _near(expected[e], arrival, WIDTH)[0]
        if count > 1e-4:
            square = _near(variance[e], arrival, WIDTH)[0] / count
            weight = min(count, 1.0) / square
            xx += weight * slopes[e, 0] ** 2
            xz += weight * slopes[e, 0] * slopes[e, 1]
            zz += weight * slopes[e, 1] ** 2
    det = xx * zz - xz * xz
    if det <= 1e-9 * xx * zz:
        return np.nan, np.nan
    return np.sqrt(zz / det), np.sqrt(xx / det)


@njit(cache=True, nogil=True)
def _take(left, expected, variance, element, direction, fired, per_m, delay, starts, pixel):  # type: ignore[no-untyped-def]
    """Take bubbles off the lines ``left``, the best supported first; return their places (n, 5).

    A place whose score has fallen is fitted anew, and waits until it is the best one again.
    """
    waiting = [(0.0, 0.0, 0.0) for _ in range(0)]
    for x, z in starts:
        x, z = _fit(left, element, direction, fired, per_m, delay, x, z, pixel)
        score, support = _score(left, element, direction, fired, per_m, delay, x, z)
        if support > LEAST_SUPPORT:
            waiting.append((-score, x, z))
    heapq.heapify(waiting)
    found = [(0.0, 0.0, 0.0, 0.0, 0.0) for _ in range(0)]
    while waiting:
        before, x, z = heapq.heappop(waiting)
        score, support = _score(left, element, direction, fired, per_m, delay, x, z)
        if score < -UNCHANGED * before:
            x, z = _fit(left, element, direction, fired, per_m, delay, x, z, pixel)
            score, support = _score(left, element, direction, fired, per_m, delay, x, z)
            if support > LEAST_SUPPORT:
                heapq.heappush(waiting, (-score, x, z))
            continue
        _remove(left, element, direction, fired, per_m, delay, x, z)
        sigma_x, sigma_z = _errors(
            expected, variance, element, direction, fired, per_m, delay, x, z
        )
        found.append((x, z, sigma_x, sigma_z, support))
    rows = np.empty((len(found), 5))
    for row, place in enumerate(found):
        for column, value in enumerate(place):
            rows[row, column] = value
    return rows
