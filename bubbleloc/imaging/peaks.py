"""Peaks of an image, and where they are between its pixels."""

from typing import NamedTuple

import numpy as np
from numba import njit

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.imaging.beamforming import Grid


class Pixels(NamedTuple):
    """Numbers (n,) of some pixels of an image."""

    row: Ints
    column: Ints


def local_maxima(image: Float32s, above: float = 0.0, half: int = 1) -> Pixels:
    """Return the pixels (n,) of an image (H, W) above a level that no neighbour exceeds.

    Args:
        half: pixels nearer than this to the border of the image are left out.
    """
    found = _local_maxima(np.ascontiguousarray(image), above, max(half, 1))
    return Pixels(found[:, 0], found[:, 1])


@njit(cache=True, nogil=True)
def _local_maxima(image, above, half):  # type: ignore[no-untyped-def]
    """Of equal neighbours the first counts."""
    height, width = image.shape
    found = np.empty((image.size // 4 + 1, 2), np.int64)  # two of them are never neighbours
    count = 0
    for row in range(half, height - half):
        for column in range(half, width - half):
            value = image[row, column]
            if (
                value > above
                and value > image[row - 1, column - 1]
                and value > image[row - 1, column]
                and value > image[row - 1, column + 1]
                and value > image[row, column - 1]
                and value >= image[row, column + 1]
                and value >= image[row + 1, column - 1]
                and value >= image[row + 1, column]
                and value >= image[row + 1, column + 1]
            ):
                found[count, 0], found[count, 1] = row, column
                count += 1
    return found[:count].copy()


def parabolic(image: Float32s, at: Pixels) -> tuple[Floats, Floats]:
    """Offsets (n,) in columns and rows from peaks to the tops of parabolas along both axes."""
    row, column = at
    top = image[at].astype(np.float64)
    neighbours = (
        (image[row, column - 1], image[row, column + 1]),
        (image[row - 1, column], image[row + 1, column]),
    )
    offsets = []
    for before, after in neighbours:
        offsets.append(_ratio((after - before) / 2, 2 * top - before - after))
    return offsets[0], offsets[1]


def radial_symmetry(image: Float32s, at: Pixels, half: int) -> tuple[Floats, Floats]:
    """Offsets (n,) in columns and rows from pixels to the centres of symmetry of their windows.

    The centre is the point to which the lines along the gradients come nearest, each weighted by
    its gradient's square and by the inverse of its distance from their centroid; see Parthasarathy,
    Nature Methods 9 (2012). Spots should be round in pixels, windows (2·half + 1)² inside the
    image. A centre outside its window is replaced by the pixel.
    """
    size = 2 * half + 1
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    window = windows[at.row - half, at.column - half].astype(np.float64)
    rising = window[:, :-1, 1:] - window[:, 1:, :-1]  # along the diagonals, between four pixels
    falling = window[:, 1:, 1:] - window[:, :-1, :-1]
    across, down = rising + falling, falling - rising
    between = np.arange(size - 1) - (size - 2) / 2
    x, y = np.meshgrid(between, between)
    square = across**2 + down**2
    total = square.sum(axis=(1, 2))
    x_mean, y_mean = (
        _ratio((square * axis).sum(axis=(1, 2)), total)[:, None, None] for axis in (x, y)
    )
    weight = 1 / np.maximum(np.hypot(x - x_mean, y - y_mean), 1e-3)
    # Least Σ weight · (across·(y − y₀) − down·(x − x₀))², which is square · distance².
    level = across * y - down * x
    xx, yy, xy = ((weight * v).sum(axis=(1, 2)) for v in (down**2, across**2, across * down))
    x_right, y_right = ((weight * v * level).sum(axis=(1, 2)) for v in (-down, across))
    determinant = xx * yy - xy**2
    columns = _ratio(yy * x_right + xy * y_right, determinant)
    rows = _ratio(xx * y_right + xy * x_right, determinant)
    outside = np.maximum(np.abs(columns), np.abs(rows)) > half
    return np.where(outside, 0.0, columns), np.where(outside, 0.0, rows)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return their ratio (n,), 0 where the whole is not above 0."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def position_m(grid: Grid, at: Pixels, columns: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Return lateral positions and depths (n,) of pixels moved by parts of a pixel."""
    x_step_m, z_step_m = (axis[1] - axis[0] for axis in (grid.lateral_m, grid.depth_m))
    x_m = grid.lateral_m[at.column] + x_step_m * columns
    return x_m, grid.depth_m[at.row] + z_step_m * rows
