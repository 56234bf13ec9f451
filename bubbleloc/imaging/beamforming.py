"""Delay-and-sum: from the signals of an array to an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, back_way_m, sent_way_m

MOST_PIXELS = 2**26


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
        if not 0 < width * height <= MOST_PIXELS:
            raise InputError(
                f"pixel_mm={1e3 * pixel_m:g} makes an image of {width:g} × {height:g} pixels: "
                f"choose a size and a region that make 1 to {MOST_PIXELS}"
            )
        across, down = np.arange(width) + 0.5, np.arange(height) + 0.5
        return cls(
            np.asarray(lateral_m[0] + across * pixel_m), np.asarray(depth_m[0] + down * pixel_m)
        )


@dataclass(frozen=True, eq=False)
class ArrayLines:
    """Signals of an array's elements after one wave."""

    signal: NDArray[Any]  # (E, L), real or complex
    array: Array

    def image(self, grid: Grid) -> Float32s:
        """Magnitude (H, W) of the sum over elements, by linear interpolation of their lines.

        What lies outside a line counts as zero.
        """
        total = _delay_and_sum(
            np.ascontiguousarray(self.signal),
            *self.array.geometry,
            grid.lateral_m,
            grid.depth_m,
            self.array.samples_per_m,
            self.array.delay_samples,
        )
        return np.abs(total).astype(np.float32)


@njit(cache=True, nogil=True)
def _delay_and_sum(signal, element_m, direction, fired, lateral_m, depth_m, samples_per_m, delay):  # type: ignore[no-untyped-def]
    """Row by row, so that a row of pixels and its piece of each line stay in the cache."""
    image = np.zeros((len(depth_m), len(lateral_m)), signal.dtype)
    sent_m = np.empty(len(lateral_m))
    for row in range(len(depth_m)):
        depth = depth_m[row]
        for column in range(len(lateral_m)):
            sent_m[column] = sent_way_m(lateral_m[column], depth, direction, fired)
        for element in range(element_m.shape[1]):
            line = signal[element]
            x, z = element_m[0, element], element_m[1, element]
            for column in range(len(lateral_m)):
                path_m = sent_m[column] + back_way_m(lateral_m[column], depth, x, z)
                sample = samples_per_m * path_m + delay
                before = int(np.floor(sample))
                if 0 <= before < len(line) - 1:
                    part = sample - before
                    image[row, column] += (1 - part) * line[before] + part * line[before + 1]
    return image
