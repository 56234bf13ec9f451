"""Delay-and-sum: from the signals of an array to an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region, back_way_m, sent_way_m

MOST_PIXELS = 2**26
LANES = 16  # float32 that one instruction adds, or two


@dataclass(frozen=True, eq=False)
class Grid:
    """The pixels of an image: every depth with every lateral position."""

    lateral_m: Floats  # (W,)
    depth_m: Floats  # (H,)

    @classmethod
    def covering(
        cls, lateral_m: Sequence[float] | Floats, depth_m: Sequence[float] | Floats, pixel_m: float
    ) -> Self:
        """Return square pixels between two lateral positions and two depths.

        Raises:
            InputError: no pixel, or more than `MOST_PIXELS`.
        """
        width, height = (
            float(np.rint((high - low) / pixel_m)) for low, high in (lateral_m, depth_m)
        )
        _check_pixels(f"a pixel of {1e6 * pixel_m:g} µm", width, height)
        across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
        return cls(
            np.asarray(lateral_m[0] + across * pixel_m), np.asarray(depth_m[0] + down * pixel_m)
        )

    @classmethod
    def around(
        cls, region: Region, lateral_step_m: float, depth_step_m: float, margin_m: float
    ) -> Self:
        """Return the pixels of a region and a margin around it.

        Raises:
            InputError: more than `MOST_PIXELS`.
        """
        sides = ((region.lateral_m, lateral_step_m), (region.depth_m, depth_step_m))
        width, height = (1 + (np.ptp(ends) + 2 * margin_m) // step_m for ends, step_m in sides)
        _check_pixels("this region", float(width), float(height))
        return cls(
            *(
                np.arange(low - margin_m, high + margin_m + step_m, step_m)
                for (low, high), step_m in sides
            )
        )

    @property
    def region(self) -> Region:
        """From the first pixel's centre to the last one's."""
        (left, right), (top, bottom) = self.lateral_m[[0, -1]], self.depth_m[[0, -1]]
        return Region((float(left), float(right)), (float(top), float(bottom)))


def _check_pixels(source: str, width: float, height: float) -> None:
    if not 0 < width * height <= MOST_PIXELS:
        raise InputError(
            f"{source} makes an image of {width:g} × {height:g} pixels: "
            f"choose a size and a region that make 1 to {MOST_PIXELS}"
        )


@dataclass(frozen=True, eq=False)
class ArrayLines:
    """Signals of an array's elements after one wave."""

    signal: NDArray[Any]  # (E, L), real or complex
    array: Array

    def image(self, grid: Grid) -> Float32s:
        """Magnitude (H, W) of the sum over elements, see `delay_and_sum`."""
        return np.abs(delay_and_sum(self.signal[None], self.array, grid)[0])


def delay_and_sum(signals: NDArray[Any], array: Array, grid: Grid) -> NDArray[Any]:
    """Sum the lines of every frame over elements, each at the time of a pixel's echo.

    Lines are interpolated linearly; what lies outside a line counts as zero. Times are computed
    once for `LANES` numbers, which are the same sample of as many frames.

    Args:
        signals: lines (F, E, L) of F frames, real or complex.

    Returns:
        Images (F, H, W), float32 or complex64.

    Raises:
        InputError: not as many lines as elements.
    """
    if signals.shape[1] != len(array):
        raise InputError(
            f"{signals.shape[1]} lines of {len(array)} elements: give one of each, in their order"
        )
    kind = np.complex64 if np.iscomplexobj(signals) else np.float32
    times = (*array.geometry, grid.lateral_m, grid.depth_m, array.samples_per_m)
    images = np.empty((len(signals), len(grid.depth_m), len(grid.lateral_m)), kind)
    first, last = array.sample_range(grid.region)
    first = int(np.clip(first, 0, signals.shape[2]))
    piece = np.ascontiguousarray(signals[:, :, first : max(first, last + 1)], dtype=kind)
    delay = array.delay_samples - first
    block = LANES * 4 // np.dtype(kind).itemsize
    for start in range(0, len(signals), block):
        part = piece[start : start + block]
        if len(part) == 1:
            _sum_frame(part[0], *times, delay, images[start])
        else:
            lanes = np.ascontiguousarray(np.moveaxis(part, 0, -1)).view(np.float32)
            summed = _sum_frames(lanes, *times, delay).view(kind)
            images[start : start + block] = np.moveaxis(summed, -1, 0)
    return images


@njit(cache=True, nogil=True)
def _sum_frame(line, element, direction, fired, lateral_m, depth_m, samples_per_m, delay, image):  # type: ignore[no-untyped-def]
    """Sum lines (E, L) into an image (H, W).

    Row by row, so that a row of pixels and its piece of each line stay in the cache.
    """
    image[:] = 0
    sent_m = np.empty(len(lateral_m))
    before, part = np.empty(len(lateral_m), np.int64), np.empty(len(lateral_m), np.float32)
    for row in range(len(depth_m)):
        z = depth_m[row]
        for column in range(len(lateral_m)):
            sent_m[column] = sent_way_m(lateral_m[column], z, direction, fired)
        for e in range(element.shape[1]):
            _times(sent_m, lateral_m, z, element[:, e], samples_per_m, delay, before, part)
            for column in range(len(lateral_m)):
                b = before[column]
                if 0 <= b < line.shape[1] - 1:
                    low = line[e, b]
                    image[row, column] += low + part[column] * (line[e, b + 1] - low)


@njit(cache=True, nogil=True)
def _sum_frames(lanes, element, direction, fired, lateral_m, depth_m, samples_per_m, delay):  # type: ignore[no-untyped-def]
    """Sum lines (E, L, n) of many frames, or of their real and imaginary parts, into (H, W, n)."""
    images = np.zeros((len(depth_m), len(lateral_m), lanes.shape[2]), np.float32)
    sent_m = np.empty(len(lateral_m))
    before, part = np.empty(len(lateral_m), np.int64), np.empty(len(lateral_m), np.float32)
    for row in range(len(depth_m)):
        z = depth_m[row]
        for column in range(len(lateral_m)):
            sent_m[column] = sent_way_m(lateral_m[column], z, direction, fired)
        for e in range(element.shape[1]):
            _times(sent_m, lateral_m, z, element[:, e], samples_per_m, delay, before, part)
            for column in range(len(lateral_m)):
                b, after = before[column], part[column]
                if 0 <= b < lanes.shape[1] - 1:
                    for lane in range(lanes.shape[2]):
                        low = lanes[e, b, lane]
                        images[row, column, lane] += low + after * (lanes[e, b + 1, lane] - low)
    return images


@njit(cache=True, nogil=True)
def _times(sent_m, lateral_m, z, element, samples_per_m, delay, before, part):  # type: ignore[no-untyped-def]
    """Find the sample before the echo of every pixel of a row, and what part of a sample later.

    A loop of its own, so that several pixels are computed in one instruction.
    """
    for column in range(len(lateral_m)):
        way_m = sent_m[column] + back_way_m(lateral_m[column], z, element[0], element[1])
        sample = samples_per_m * way_m + delay
        b = np.int64(np.floor(sample))
        before[column] = b
        part[column] = sample - b
