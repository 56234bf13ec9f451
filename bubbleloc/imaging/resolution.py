"""How finely an array tells where a bubble is."""

from typing import NamedTuple

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.imaging.array import Array, Region


class Resolution(NamedTuple):
    """Distances in m over which the sum over elements falls to about a half."""

    x_m: float
    z_m: float

    @classmethod
    def of(cls, array: Array, region: Region, half_width: float) -> "Resolution":
        """Return that in the middle of a region, of pulses whose half width is in samples.

        In depth all arrivals move alike; laterally, it is their root mean square that counts.
        """
        x_m, z_m = np.mean(region.lateral_m), np.mean(region.depth_m)
        moved = array.slopes(np.array([x_m]), np.array([z_m]))[0]
        return cls(*(half_width / np.sqrt(np.mean(moved**2, axis=0))).tolist())


def deviations(array: Array, x_m: Floats, z_m: Floats, single: Floats, common: float) -> Floats:
    """Standard deviations (2, B) in m of positions from the maximum of the sum over elements.

    Maxima of a sum are where the slopes of all pulses cancel. With independent noise, that is the
    inverse of the matrix of `Array.slopes`, as in a least-squares fit of the arrivals.

    Args:
        single: standard deviations (B,) of an arrival in samples, other in every line.
        common: standard deviation of an error that is the same in all lines.
    """
    moved = array.slopes(x_m, z_m)
    (xx, xz), (_, zz) = np.einsum("bei,bej->ijb", moved, moved)
    determinant = xx * zz - xz**2
    x, z = moved.sum(axis=1).T
    both = np.stack([zz * x - xz * z, xx * z - xz * x]) / determinant
    return np.hypot(single * np.sqrt(np.stack([zz, xx]) / determinant), common * both)
