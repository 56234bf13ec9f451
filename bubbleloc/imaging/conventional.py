"""Bubbles as most maps find them: envelopes of delay-and-sum images, radial symmetry of spots."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import hilbert, peak_widths

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.beamforming import Grid, delay_and_sum
from bubbleloc.imaging.echoes import WEAKEST, Echo, compensated, lines_of
from bubbleloc.imaging.peaks import local_maxima, position_m, radial_symmetry
from bubbleloc.imaging.positions import Positions

SPOT = 6  # pixels across a spot at half its height
HALF = 3  # pixels from the middle of a spot's window to its border


@dataclass(frozen=True, eq=False)
class Conventional:
    """Finds bubbles as spots of the magnitude of a delay-and-sum image of analytic lines.

    The height of a position is relative to that of a bubble with the mean echo.
    """

    array: Array
    region: Region
    echo: Echo

    def __call__(self, rf: Float32s) -> Positions:
        """Find the bubbles in the lines (E, L) of a frame."""
        found = self._spots(rf, self.lag_samples)
        return found[self.region.holds(found.x_m, found.z_m)]

    @cached_property
    def lag_samples(self) -> float:
        """From the arrival of an echo to what makes the centre of its spot.

        Measured on a bubble with the mean echo in the middle of the region.
        """
        x_m, z_m = (float(np.mean(ends)) for ends in (self.region.lateral_m, self.region.depth_m))
        loudest = float(self._envelope.argmax())
        samples = self.array.sample_range(self.region)[1] + len(self.echo.volts)
        found = self._spots(lines_of(self.echo, self.array, [x_m], [z_m], samples), loudest)
        deeper_m = np.append(z_m, found.z_m[found.height.argmax()])
        return loudest + float(np.diff(self.array.arrival_sample([x_m, x_m], deeper_m)).mean())

    @cached_property
    def _envelope(self) -> Floats:
        return np.abs(hilbert(self.echo.volts))

    @cached_property
    def _grid(self) -> Grid:
        """Pixels of the region and a margin, in which spots are round."""
        peak = int(self._envelope.argmax())
        samples = float(peak_widths(self._envelope, [peak])[0][0])
        power = np.abs(np.fft.rfft(self.echo.volts)) ** 2
        per_sample = (
            power * np.fft.rfftfreq(len(self.echo.volts))[: len(power)]
        ).sum() / power.sum()
        wavelength_m = 1 / (per_sample * self.array.samples_per_m)
        depth_m, aperture_m = float(np.mean(self.region.depth_m)), np.ptp(self.array.element_m)
        x_m, z_m = wavelength_m * depth_m / aperture_m, samples / self.array.samples_per_m / 2
        margin_m = (HALF + 1) * max(x_m, z_m) / SPOT
        return Grid.around(self.region, x_m / SPOT, z_m / SPOT, margin_m)

    def _spots(self, rf: Float32s, lag_samples: float) -> Positions:
        array, grid = self.array.later(lag_samples), self._grid
        even = compensated(rf, self.array.later(self.echo.centre), self.echo.distance_m)
        signal = hilbert(even, axis=1).astype(np.complex64)
        image = np.abs(delay_and_sum(signal[None], array, grid)[0])
        image /= len(array) * self._envelope.max()
        at = local_maxima(image, WEAKEST, HALF)
        x_m, z_m = position_m(grid, at, *radial_symmetry(image, at, HALF))
        return Positions(x_m, z_m, height=image[at])
