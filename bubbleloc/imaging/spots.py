"""From the Gaussians of a network that sees an array to bubbles in the plane."""

import numpy as np
from numba import njit
from scipy.spatial import KDTree

from bubbleloc.arrays import Floats
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.positions import Positions

LEAST_EXPECTED = 2e-3  # bubbles: fainter Gaussians are left out
LEAST_PROBABILITY = 0.05
ROWS, COLUMNS = 1.2, 0.8  # cells: half axes of the ellipse whose Gaussians may be the same bubble


def bubbles_of(field: Floats, cells: Grid) -> Positions:
    """Return the bubbles of an image with their probabilities and standard deviations.

    They are taken one by one, as along a line (`bubbleloc.metrics.mixture.candidates`): the next
    one lies where the Gaussians in an ellipse around one of them add up to the most bubbles. One
    bubble is subtracted from these, or what is expected there if that is less; this is the
    probability. The position is the mean of what was subtracted.

    Args:
        field: what `bubbleloc.nn.array_network.spots` says of the image, (5, H, W).
        cells: their middles.
    """
    expected, down, right, row_sigma, column_sigma = field.astype(np.float64)
    row, column = np.nonzero(expected > LEAST_EXPECTED)
    place = np.stack([row + down[row, column], column + right[row, column]], axis=1)
    spread = np.stack([row_sigma[row, column], column_sigma[row, column]], axis=1)
    tree = KDTree(place / (ROWS, COLUMNS))
    lists = tree.query_ball_tree(tree, 1.0)
    ends = np.cumsum([0, *(len(row) for row in lists)])
    near = np.concatenate([np.empty(0, np.int64), *lists]).astype(np.int64)
    found = _take(expected[row, column], place, spread, near, ends, LEAST_PROBABILITY)
    x_step_m, z_step_m = (axis[1] - axis[0] for axis in (cells.lateral_m, cells.depth_m))
    return Positions(
        x_m=cells.lateral_m[0] + x_step_m * found[:, 1],
        z_m=cells.depth_m[0] + z_step_m * found[:, 0],
        x_sigma_m=x_step_m * found[:, 4],
        z_sigma_m=z_step_m * found[:, 3],
        probability=found[:, 2],
    )


@njit(cache=True, nogil=True)
def _take(expected, place, spread, near, ends, least):  # type: ignore[no-untyped-def]
    """Take bubbles (n, 5): row, column, probability, their deviations, from Gaussians (K,).

    The neighbours of Gaussian i, itself among them, are near[ends[i] : ends[i + 1]].
    """
    together = np.zeros(len(expected))
    for i in range(len(expected)):
        for j in near[ends[i] : ends[i + 1]]:
            together[i] += expected[j]
    bubbles = np.empty((int(expected.sum() / least) + 1, 5))
    count = 0
    while len(expected) and count < len(bubbles):
        best = np.argmax(together)
        if together[best] < least:
            break
        taken = min(1.0, together[best])
        share = taken / together[best]
        mean, square = np.zeros(2), np.zeros(2)
        for j in near[ends[best] : ends[best + 1]]:
            part = share * expected[j]
            expected[j] -= part
            away = place[j] - place[best]
            mean += part * away / taken
            square += part * (spread[j] ** 2 + away**2) / taken
            for k in near[ends[j] : ends[j + 1]]:
                together[k] -= part
        bubbles[count, :2] = place[best] + mean
        bubbles[count, 2] = taken
        bubbles[count, 3:] = np.sqrt(np.maximum(square - mean**2, 0.0))
        count += 1
    return bubbles[:count]
