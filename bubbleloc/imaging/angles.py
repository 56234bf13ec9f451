"""Images of an array, apart by the angles under which elements see a pixel.

A bubble is at the same place in all of them; the arc that its echo in one line draws through an
image is not. The tilt of an arc depends on the angle alone, wherever it is in the image.
"""

import numpy as np
from numba import njit

from bubbleloc.arrays import Float32s
from bubbleloc.imaging.array import Array, back_way_m, sent_way_m
from bubbleloc.imaging.beamforming import Grid

ANGLES = 8
STEP = 0.12  # of the tangent of the angle, between one image and the next


def images_by_angle(lines: Float32s, array: Array, grid: Grid) -> Float32s:
    """Return the means (ANGLES, H, W) of lines (E, L), each at the time of a pixel's echo.

    Image k holds the elements whose tangent from a pixel, (x_e − x)/(z − z_e), is between
    (k − ANGLES/2)·STEP and STEP more, the first and last one those beyond, too. All are divided by
    the number of elements: their sum is `delay_and_sum` over it.
    """
    times = (*array.geometry, grid.lateral_m, grid.depth_m, array.samples_per_m)
    images = np.zeros((ANGLES, len(grid.depth_m), len(grid.lateral_m)), np.float32)
    _sum_by_angle(np.asarray(lines, np.float32), *times, array.delay_samples, images)
    images /= np.float32(len(array))
    return images


@njit(cache=True, nogil=True)
def _sum_by_angle(lines, element, direction, fired, lateral_m, depth_m, samples_per_m, delay, sums):  # type: ignore[no-untyped-def]
    last = lines.shape[1] - 1
    sent_m = np.empty(len(lateral_m))
    for row in range(len(depth_m)):
        z = depth_m[row]
        for column in range(len(lateral_m)):
            sent_m[column] = sent_way_m(lateral_m[column], z, direction, fired)
        for e in range(element.shape[1]):
            line, x_e, z_e = lines[e], element[0, e], element[1, e]
            per_step = 1 / (STEP * (z - z_e))
            for column in range(len(lateral_m)):
                x = lateral_m[column]
                sample = samples_per_m * (sent_m[column] + back_way_m(x, z, x_e, z_e)) + delay
                before = int(np.floor(sample))
                if 0 <= before < last:
                    part = np.float32(sample - before)
                    angle = int(np.floor((x_e - x) * per_step)) + ANGLES // 2
                    value = line[before] + part * (line[before + 1] - line[before])
                    sums[min(max(angle, 0), ANGLES - 1), row, column] += value
