"""Delay-and-sum: from the signals of an array to an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import STRAIGHT_DOWN, Sent
from bubbleloc.units import Scale

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
    """Signals of an array's elements after one wave.

    An echo from (x, z) is expected in the line of the element at (x_e, z_e) at sample
    (s + √((z − z_e)² + (x − x_e)²)) · fs/c + ``delay_samples``. The way s of the wave is
    x·sin θ + z·cos θ of a plane one, else the least of all elements' delay and distance.
    """

    signal: NDArray[Any]  # (E, L), real or complex
    element_m: Floats  # (E,), lateral
    scale: Scale
    delay_samples: float = 0.0
    element_z_m: Floats | None = None  # (E,), of an array that is not flat
    sent: Sent = STRAIGHT_DOWN

    def image(self, grid: Grid) -> Float32s:
        """Magnitude (H, W) of the sum over elements, by linear interpolation of their lines.

        What lies outside a line counts as zero.
        """
        z_m = np.zeros(len(self.element_m)) if self.element_z_m is None else self.element_z_m
        element_m = np.stack([self.element_m, z_m]).astype(np.float64)
        if self.sent.angle_rad is not None:
            direction = np.array([np.sin(self.sent.angle_rad), np.cos(self.sent.angle_rad)])
            firing = np.zeros((3, 0))
        else:
            direction = np.zeros(2)
            firing = self._firing(element_m)
        total = _delay_and_sum(
            np.ascontiguousarray(self.signal),
            element_m,
            direction,
            firing,
            grid.lateral_m,
            grid.depth_m,
            self.scale.sampling_rate_hz / self.scale.speed_of_sound_m_s,
            self.delay_samples,
        )
        return np.abs(total).astype(np.float32)

    def _firing(self, element_m: Floats) -> Floats:
        """Return x, z and the way c·delay (3, n) of the elements (2, E) that fire."""
        delay_s = np.zeros(element_m.shape[1]) if self.sent.delay_s is None else self.sent.delay_s
        rows = np.stack([*element_m, delay_s * self.scale.speed_of_sound_m_s])
        return rows[:, ~np.isnan(delay_s)]


@njit(cache=True, nogil=True)
def _delay_and_sum(signal, element_m, direction, firing, lateral_m, depth_m, samples_per_m, delay):  # type: ignore[no-untyped-def]
    """Row by row, so that a row of pixels and its piece of each line stay in the cache."""
    image = np.zeros((len(depth_m), len(lateral_m)), signal.dtype)
    for row in range(len(depth_m)):
        depth = depth_m[row]
        sent_m = lateral_m * direction[0] + depth * direction[1]
        if firing.shape[1] > 0:
            sent_m[:] = np.inf
            for source in range(firing.shape[1]):
                below = depth - firing[1, source]
                aside_m = lateral_m - firing[0, source]
                way_m = firing[2, source] + np.sqrt(below * below + aside_m * aside_m)
                sent_m = np.minimum(sent_m, way_m)
        for element in range(element_m.shape[1]):
            line = signal[element]
            below = depth - element_m[1, element]
            for column in range(len(lateral_m)):
                aside = lateral_m[column] - element_m[0, element]
                path_m = sent_m[column] + np.sqrt(below * below + aside * aside)
                sample = samples_per_m * path_m + delay
                before = int(np.floor(sample))
                if 0 <= before < len(line) - 1:
                    part = sample - before
                    image[row, column] += (1 - part) * line[before] + part * line[before + 1]
    return image
