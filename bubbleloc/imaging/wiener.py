"""Bubbles as peaks of a delay-and-sum image of deconvolved lines."""

from dataclasses import dataclass
from functools import cached_property

from bubbleloc.arrays import Float32s
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.beamforming import Grid, delay_and_sum
from bubbleloc.imaging.deconvolution import Deconvolution
from bubbleloc.imaging.echoes import Echo
from bubbleloc.imaging.peaks import local_maxima, parabolic, position_m
from bubbleloc.imaging.positions import Positions
from bubbleloc.imaging.resolution import Resolution

PER_RESOLUTION = 2  # pixels


@dataclass(frozen=True, eq=False)
class Wiener:
    """Finds bubbles as the peaks of the sum of deconvolved lines, by parabolas between pixels.

    The height of a position is relative to that of a bubble with the mean echo.
    """

    array: Array
    region: Region
    echo: Echo

    def __call__(self, rf: Float32s) -> Positions:
        """Find the bubbles in the lines (E, L) of a frame."""
        sharp = self.deconvolution(rf)
        found = self.peaks(sharp.lines, sharp.weakest)
        return found[self.region.holds(found.x_m, found.z_m)]

    def peaks(self, lines: Float32s, least: float) -> Positions:
        """Return the peaks of the image of deconvolved lines (E, n), the margin's too."""
        array, grid = self.deconvolution.lines_array, self.grid
        image = delay_and_sum(lines[None], array, grid)[0] / len(array)
        at = local_maxima(image, least)
        x_m, z_m = position_m(grid, at, *parabolic(image, at))
        return Positions(x_m, z_m, height=image[at])

    @cached_property
    def deconvolution(self) -> Deconvolution:
        """Of echoes from the region and its margin."""
        return Deconvolution(self.array, self.region, self.echo)

    @cached_property
    def resolution(self) -> Resolution:
        """Of the sharpest filter."""
        sharpest = self.deconvolution.pulses[0]
        return Resolution.of(self.array, self.region, sharpest.half_width)

    @cached_property
    def grid(self) -> Grid:
        """Pixels of the region and a margin around it."""
        x_m, z_m = self.resolution
        return Grid.around(self.region, x_m / PER_RESOLUTION, z_m / PER_RESOLUTION, margin_m=x_m)
