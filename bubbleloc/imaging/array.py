"""An array: where its elements lie, and when an echo from a point reaches each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import STRAIGHT_DOWN, Sent
from bubbleloc.units import Scale

STEP_M = 1e-6  # of the derivative of the way of a wave that is not plane


@dataclass(frozen=True)
class Region:
    """The part of the plane in which bubbles are looked for.

    Raises:
        InputError: the low end beyond the high one.
    """

    lateral_m: tuple[float, float]
    depth_m: tuple[float, float]

    def __post_init__(self) -> None:
        for name in ("lateral_m", "depth_m"):
            low, high = getattr(self, name)
            if not low <= high:
                raise InputError(f"region: {name} from {low:g} to {high:g}; give low, then high")

    @property
    def area_mm2(self) -> float:
        """Its area in mm²."""
        return 1e6 * float(np.ptp(self.lateral_m) * np.ptp(self.depth_m))

    def holds(self, x_m: Floats, z_m: Floats, margin_m: float = 0.0) -> NDArray[np.bool_]:
        """Tell which points (n,) lie inside, or less than a margin outside."""
        (left, right), (top, bottom) = self.lateral_m, self.depth_m
        across = (x_m >= left - margin_m) & (x_m <= right + margin_m)
        return across & (z_m >= top - margin_m) & (z_m <= bottom + margin_m)


@dataclass(frozen=True, eq=False)
class Array:
    """The elements of an array, and the wave whose echoes they receive.

    An echo from (x, z) is expected in the line of the element at (x_e, z_e) at sample
    (s + √((z − z_e)² + (x − x_e)²)) · fs/c + ``delay_samples``. The way s of the wave is
    x·sin θ + z·cos θ of a plane one, else the least of all elements' delay and distance.

    Attributes:
        element_m: lateral positions (E,).
        scale: what a sample of the lines is worth.
        delay_samples: sample of a line at which the wave leaves the array.
        element_z_m: depths (E,), of an array that is not flat.
        sent: the wave.
        fired_m: x, z and c·delay (3, n) of the elements that send a wave that is not plane; those
            of ``sent`` if not given.
    """

    element_m: Floats
    scale: Scale
    delay_samples: float = 0.0
    element_z_m: Floats = field(default_factory=lambda: np.zeros(()))
    sent: Sent = STRAIGHT_DOWN
    fired_m: Floats | None = None

    def __post_init__(self) -> None:
        x_m = np.asarray(self.element_m, dtype=np.float64)
        object.__setattr__(self, "element_m", x_m)
        z_m = np.broadcast_to(np.asarray(self.element_z_m, dtype=np.float64), x_m.shape)
        object.__setattr__(self, "element_z_m", z_m)
        if self.fired_m is None:
            object.__setattr__(self, "fired_m", self._fired_m())

    def _fired_m(self) -> Floats:
        if self.sent.angle_rad is not None:
            return np.zeros((3, 0))
        delay_s = np.zeros(len(self)) if self.sent.delay_s is None else self.sent.delay_s
        way_m = delay_s * self.scale.speed_of_sound_m_s
        return np.stack([self.element_m, self.element_z_m, way_m])[:, ~np.isnan(delay_s)]

    def __len__(self) -> int:
        return len(self.element_m)

    def __getitem__(self, chosen: slice | Ints | Sequence[int]) -> Self:
        """Keep some elements as receivers; the wave stays that of all."""
        element_m, z_m = self.element_m[chosen], self.element_z_m[chosen]
        return replace(self, element_m=element_m, element_z_m=z_m, fired_m=self.fired_m)

    def later(self, samples: float) -> Self:
        """The array of lines in which every echo comes some samples later."""
        return replace(self, delay_samples=self.delay_samples + samples)

    def at_rate(self, ratio: Fraction) -> Self:
        """The array of the same lines, resampled to ``ratio`` samples per sample."""
        scale = replace(self.scale, sampling_rate_hz=self.scale.sampling_rate_hz * float(ratio))
        return replace(self, scale=scale, delay_samples=self.delay_samples * float(ratio))

    @property
    def samples_per_m(self) -> float:
        """Samples in the time of 1 m of way."""
        return self.scale.sampling_rate_hz / self.scale.speed_of_sound_m_s

    @property
    def geometry(self) -> tuple[Floats, Floats, Floats]:
        """What `sent_way_m` and `back_way_m` take.

        x and z of the elements (2, E), the direction (2,) of a plane wave, and the firing elements
        (3, n) of any other.
        """
        angle = self.sent.angle_rad
        direction = np.zeros(2) if angle is None else np.array([np.sin(angle), np.cos(angle)])
        assert self.fired_m is not None
        fired_m = np.ascontiguousarray(self.fired_m)  # compiled functions tell layouts apart
        return np.stack([self.element_m, self.element_z_m]), direction, fired_m

    def arrival_sample(self, x_m: ArrayLike, z_m: ArrayLike) -> Floats:
        """Return the sample (E, B), not rounded, at which echoes from points (B,) arrive."""
        x, z = (np.atleast_1d(np.asarray(axis, dtype=np.float64)) for axis in (x_m, z_m))
        return np.asarray(self.samples_per_m * _ways_m(x, z, *self.geometry) + self.delay_samples)

    def sample_size_m(self, region: Region) -> tuple[float, float]:
        """Return the lateral distance and the depth that change arrivals by about a sample."""
        x_m, z_m = np.meshgrid(region.lateral_m, region.depth_m)
        steepest = np.abs(self.slopes(x_m.ravel(), z_m.ravel())).max(axis=(0, 1))
        return float(1 / steepest[0]), float(1 / steepest[1])

    def slopes(self, x_m: Floats, z_m: Floats) -> Floats:
        """Return the samples (B, E, 2) that arrivals change per metre of x and of z."""
        return np.asarray(self.samples_per_m * _way_slopes(x_m, z_m, *self.geometry))

    def sample_range(self, region: Region) -> tuple[int, int]:
        """Return the first and last sample that may hold a part of a region's arrivals.

        Arrivals lie between them, interpolation included.
        """
        element, direction, fired = self.geometry
        corners = np.array([(x, z) for x in region.lateral_m for z in region.depth_m]).T
        if fired.size:
            nearest, farthest = _distances_m(fired[:2], corners)
            sent = np.array([(fired[2] + nearest).min(), (fired[2] + farthest).min()])
        else:
            sent = direction @ corners
        nearest, farthest = _distances_m(element, corners)
        ways = np.array([sent.min() + nearest.min(), sent.max() + farthest.max()])
        first, last = self.samples_per_m * ways + self.delay_samples
        return int(np.floor(first)), int(np.floor(last)) + 1


def _distances_m(points: Floats, corners: Floats) -> tuple[Floats, Floats]:
    """Least and largest distance (n,) of points (2, n) from a rectangle with corners (2, 4)."""
    inside = np.clip(points, corners.min(axis=1)[:, None], corners.max(axis=1)[:, None])
    nearest = np.hypot(*(points - inside))
    return nearest, np.hypot(*(points[:, :, None] - corners[:, None])).max(axis=1)


@njit(cache=True, nogil=True)
def sent_way_m(x, z, direction, fired):  # type: ignore[no-untyped-def]
    """Way of the wave from the array to a point; see `Array.geometry`."""
    if fired.shape[1] == 0:
        return x * direction[0] + z * direction[1]
    least = np.inf
    for source in range(fired.shape[1]):
        aside, below = x - fired[0, source], z - fired[1, source]
        least = min(least, fired[2, source] + np.sqrt(aside * aside + below * below))
    return least


@njit(cache=True, nogil=True)
def back_way_m(x, z, element_x, element_z):  # type: ignore[no-untyped-def]
    """Way of an echo from a point to an element."""
    aside, below = x - element_x, z - element_z
    return np.sqrt(aside * aside + below * below)


@njit(cache=True, nogil=True)
def _ways_m(x, z, element, direction, fired):  # type: ignore[no-untyped-def]
    ways = np.empty((element.shape[1], len(x)))
    for point in range(len(x)):
        sent = sent_way_m(x[point], z[point], direction, fired)
        for e in range(element.shape[1]):
            ways[e, point] = sent + back_way_m(x[point], z[point], element[0, e], element[1, e])
    return ways


@njit(cache=True, nogil=True)
def way_slope(x, z, element, direction, fired):  # type: ignore[no-untyped-def]
    """How much the ways by each element change per metre of x and of z, (E, 2)."""
    slope = np.empty((element.shape[1], 2))
    at = sent_way_m(x, z, direction, fired)
    sent_x = (sent_way_m(x + STEP_M, z, direction, fired) - at) / STEP_M
    sent_z = (sent_way_m(x, z + STEP_M, direction, fired) - at) / STEP_M
    for e in range(element.shape[1]):
        back = back_way_m(x, z, element[0, e], element[1, e])
        slope[e, 0] = sent_x + (x - element[0, e]) / back
        slope[e, 1] = sent_z + (z - element[1, e]) / back
    return slope


@njit(cache=True, nogil=True)
def _way_slopes(x, z, element, direction, fired):  # type: ignore[no-untyped-def]
    slopes = np.empty((len(x), element.shape[1], 2))
    for point in range(len(x)):
        slopes[point] = way_slope(x[point], z[point], element, direction, fired)
    return slopes
