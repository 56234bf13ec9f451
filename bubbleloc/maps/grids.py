"""Maps of vessels: how many tracks cross each pixel, how fast, which way, and since when."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from numba import njit
from scipy.ndimage import gaussian_filter

from bubbleloc.arrays import Floats, Ints
from bubbleloc.imaging.array import Region
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.maps.results import Grids

PIXEL_WAVELENGTHS = 1 / 20
"""Side of a pixel where none is given."""


@dataclass(frozen=True, eq=False)
class FlowMap:
    """Tracks on square pixels (H, W), each counted once in every pixel that it crosses.

    Attributes:
        sums: number of tracks, sums of their vx, vz and speed in mm/s, (4, H, W).
        first_s: time of the first track, (H, W); infinite where there is none.
    """

    grid: Grid
    pixel_m: float
    sums: Floats
    first_s: Floats
    _last: Ints = field(repr=False)  # (H, W), the track that crossed a pixel last

    @classmethod
    def empty(cls, region: Region, pixel_m: float) -> Self:
        """Return a map of a region without tracks.

        Raises:
            InputError: too many pixels, or none.
        """
        grid = Grid.covering(region.lateral_m, region.depth_m, pixel_m)
        shape = len(grid.depth_m), len(grid.lateral_m)
        none = np.full(shape, -1, dtype=np.int64)
        return cls(grid, pixel_m, np.zeros((4, *shape)), np.full(shape, np.inf), none)

    @property
    def density(self) -> Floats:
        """Number of tracks in each pixel."""
        return self.sums[0]

    @property
    def speed_mm_s(self) -> Floats:
        """Mean of the speeds of tracks in mm/s; NaN where there is none."""
        return self._mean(3)

    @property
    def velocity_mm_s(self) -> tuple[Floats, Floats]:
        """Mean of the velocities of tracks, lateral and axial; NaN where there is none."""
        return self._mean(1), self._mean(2)

    @property
    def direction_rad(self) -> Floats:
        """Direction of the mean velocity: 0 to the right, π/2 down; NaN where there is none."""
        vx, vz = self.velocity_mm_s
        return np.arctan2(vz, vx)

    @property
    def shown(self) -> Grids:
        """The maps that reports and viewers show."""
        half = self.pixel_m / 2
        left, right = self.grid.lateral_m[0] - half, self.grid.lateral_m[-1] + half
        top, bottom = self.grid.depth_m[0] - half, self.grid.depth_m[-1] + half
        extent_mm = 1e3 * left, 1e3 * right, 1e3 * top, 1e3 * bottom
        return Grids(self.density, self.speed_mm_s, self.direction_rad, extent_mm)

    def _mean(self, which: int) -> Floats:
        with np.errstate(invalid="ignore"):
            return self.sums[which] / self.sums[0]

    def draw(self, tracks: pd.DataFrame) -> None:
        """Add tracks to the map: straight lines between the positions of each.

        Args:
            tracks: whole tracks, with the columns of `bubbleloc.tracking.tracks.TRACK_COLUMNS`,
                row after row of each; numbers that the map has not seen yet.
        """
        corner_m = self.grid.lateral_m[0], self.grid.depth_m[0]
        place = tracks[["x_mm", "z_mm"]].to_numpy(np.float64) * 1e-3
        column, row = ((place - corner_m) / self.pixel_m + 0.5).T
        values = tracks[["vx_mm_s", "vz_mm_s", "time_s"]].to_numpy(np.float64)
        number = tracks["track"].to_numpy(np.int64)
        _draw(number, column, row, values, self.sums, self.first_s, self._last)

    def together(self, other: Self) -> Self:
        """Return the map of the tracks of two maps of the same pixels."""
        first_s = np.minimum(self.first_s, other.first_s)
        return replace(self, sums=self.sums + other.sums, first_s=first_s)

    def blurred(self, x_sigma_m: float, z_sigma_m: float) -> Self:
        """Return the map as positions of these standard deviations tell it."""
        sigma = 0, z_sigma_m / self.pixel_m, x_sigma_m / self.pixel_m
        return replace(self, sums=gaussian_filter(self.sums, sigma, mode="constant"))


@njit(cache=True, nogil=True)
def _draw(
    number: Ints,
    column: Floats,
    row: Floats,
    values: Floats,
    sums: Floats,
    first_s: Floats,
    last: Ints,
) -> None:
    """Follow the tracks from pixel to pixel (Amanatides and Woo, Eurographics 1987)."""
    for i in range(len(number)):
        begins = i == 0 or number[i - 1] != number[i]
        if begins and i + 1 < len(number) and number[i + 1] == number[i]:
            continue
        before = i if begins else i - 1  # a track of one position is a line of no length
        x, y = column[before], row[before]
        across, down = column[i] - x, row[i] - y
        pixel_x, pixel_y = int(np.floor(x)), int(np.floor(y))
        # share of the way at which the next pixel begins, to the side and up or down
        to_side, to_level = _way(x, across), _way(y, down)
        steps = abs(int(np.floor(column[i])) - pixel_x) + abs(int(np.floor(row[i])) - pixel_y)
        gone = 0.0
        for step in range(steps + 1):
            until = min(to_side, to_level, 1.0) if step < steps else 1.0
            if 0 <= pixel_y < first_s.shape[0] and 0 <= pixel_x < first_s.shape[1]:
                share = (gone + until) / 2
                vx, vz, time = values[before] + share * (values[i] - values[before])
                first_s[pixel_y, pixel_x] = min(first_s[pixel_y, pixel_x], time)
                if last[pixel_y, pixel_x] != number[i]:
                    last[pixel_y, pixel_x] = number[i]
                    sums[0, pixel_y, pixel_x] += 1
                    sums[1, pixel_y, pixel_x] += vx
                    sums[2, pixel_y, pixel_x] += vz
                    sums[3, pixel_y, pixel_x] += np.hypot(vx, vz)
            gone = until
            if step == steps:
                break
            if to_side < to_level:
                pixel_x += 1 if across > 0 else -1
                to_side += 1 / abs(across)
            else:
                pixel_y += 1 if down > 0 else -1
                to_level += 1 / abs(down)


@njit(cache=True, nogil=True)
def _way(start: float, way: float) -> float:
    """Share of the way at which a new pixel begins."""
    if way == 0:
        return np.inf
    edge = np.floor(start) + 1 if way > 0 else np.floor(start)
    return (edge - start) / way
