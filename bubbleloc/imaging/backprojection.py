"""Bubbles in a frame by a network that localizes them in the lines of an array."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from bubbleloc.arrays import Float32s
from bubbleloc.errors import InputError
from bubbleloc.formats.conditioning import rate_ratio, resample
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.arrivals import Arrivals
from bubbleloc.imaging.positions import Positions
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.nn.inference import apply_fields

EVERY = 3  # elements: the lines of those between hold little that is new
FEWEST_LINES = 32  # of an array that has them
# Share of true bubbles among those of a support, in what robust and robust-small found in simulated
# frames of 96 elements over 28 mm: .05 to 1 bubbles per mm², 0 to 16 % of noise, 25 to 250 kPa, of
# equal and all sizes. Of equal bubbles, more of the doubtful ones are true, of others fewer.
SUPPORT = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65, 0.8, 1.0)
PROBABILITY = (0.09, 0.14, 0.26, 0.48, 0.59, 0.78, 0.88, 0.95, 0.95, 0.97)
SIGMA_SCALE = (1.6, 3.0)  # of x and z, for errors that lines have in common: 68 % are within σ


@dataclass(frozen=True, eq=False)
class Backprojection:
    """Finds the bubbles of a frame where the arrivals in its lines meet, see `Arrivals`.

    The lines are those of every third element, or less where few are left. Lines of another rate
    are resampled to the network's. The probability of a place is interpolated between those that
    were measured for its support, the share of the lines that have a bubble there: `PROBABILITY`.

    Attributes:
        array: the array whose lines are given.
        region: where bubbles are looked for.
        network: a network with a head of emitters.

    Raises:
        InputError: a network without.
    """

    array: Array
    region: Region
    network: Localizer

    def __post_init__(self) -> None:
        if not isinstance(self.network.head, EmitterHead):
            raise InputError(
                "this network counts bubbles per sample; positions in frames need one that tells "
                "arrivals and their errors: run=robust, or one trained with model.head=emitters"
            )

    def __call__(self, rf: Float32s) -> Positions:
        """Return the bubbles in the RF lines (E, L) of a frame; height is the support."""
        x_m, z_m, x_sigma_m, z_sigma_m, support = self.arrivals(rf).places(self.region).T
        return Positions(
            x_m=x_m,
            z_m=z_m,
            x_sigma_m=SIGMA_SCALE[0] * x_sigma_m,
            z_sigma_m=SIGMA_SCALE[1] * z_sigma_m,
            probability=np.interp(support, SUPPORT, PROBABILITY),
            height=support,
        )

    def arrivals(self, rf: Float32s) -> Arrivals:
        """Return the bubbles that the network expects in some of the RF lines (E, L)."""
        first, last = self._samples
        piece = rf[self._elements, first:last]
        lines = np.zeros((len(piece), last - first), np.float32)  # where lines end earlier, silence
        lines[:, : piece.shape[1]] = piece
        fields = apply_fields(self.network, resample(lines, self.network_samples))
        array = self.used.later(-first).at_rate(self.network_samples)
        return Arrivals.of_emitters(array, fields.astype(np.float64))

    @cached_property
    def used(self) -> Array:
        """The array of the elements whose lines are used."""
        return self.array[self._elements]

    @cached_property
    def network_samples(self) -> Fraction:
        """Samples of the network per sample of the lines."""
        return rate_ratio(self.array.scale.sampling_rate_hz, self.network.sampling_rate_hz)

    @property
    def _elements(self) -> slice:
        """Elements whose lines are used, as far from the ends on either side."""
        step = min(EVERY, max(1, len(self.array) // FEWEST_LINES))
        return slice((len(self.array) - 1) % step // 2, None, step)

    @cached_property
    def _samples(self) -> tuple[int, int]:
        """First and last sample that tell of bubbles in the region."""
        first, last = self.used.sample_range(self.region)
        reach = int(self.network.receptive_field / 2 / self.network_samples)
        return max(0, first - reach), last + reach + 1
