"""Vessels in a plane: centre lines, radii, and which part of the flow each of them carries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bubbleloc.arrays import Floats

POINTS = 200  # of a centre line
WALL = 0.95  # part of the radius within which bubbles flow: nearer to the wall they would stand
PAIR_RADIUS_M = 40e-6  # a pair that touches is 80 µm apart
PAIR_APART = 0.15  # of the width, between their centre lines where they enter
TREE_RADIUS_M = 200e-6
CROSSING_RADIUS_M = 100e-6


@dataclass(frozen=True, eq=False)
class Vessel:
    """A vessel between two walls, wherein bubbles flow from the first point on.

    Attributes:
        x_m, z_m: centre line (N,).
        radius_m: half of its width (N,), along the centre line.
        share: part of the flow of all vessels that it carries, from 0 to 1. A vessel whose part
            lies within that of another one continues it.
    """

    x_m: Floats
    z_m: Floats
    radius_m: Floats
    share: tuple[float, float]

    @cached_property
    def swept_m2(self) -> Floats:
        """Area (N,) from the first point up to each."""
        step_m = np.hypot(np.diff(self.x_m), np.diff(self.z_m))
        widths_m = self.radius_m[1:] + self.radius_m[:-1]
        return np.concatenate([[0.0], np.cumsum(widths_m * step_m)])

    @cached_property
    def normal(self) -> Floats:
        """Unit vectors (2, N) across, towards +x where the vessel goes down."""
        along = np.gradient(np.stack([self.x_m, self.z_m]), axis=1)
        x, z = along / np.hypot(*along)
        return np.stack([z, -x])

    def at(self, swept_m2: Floats, offset: Floats) -> tuple[Floats, Floats]:
        """Return points (2, n), x and z, and how they change per area that is swept.

        Args:
            swept_m2: area from the beginning up to the points (n,).
            offset: their distance from the centre line over the radius (n,).
        """
        line = np.stack([self.x_m, self.z_m])
        after = np.searchsorted(self.swept_m2, swept_m2).clip(1, len(self.x_m) - 1)
        ends = [
            line[:, i] + self.normal[:, i] * self.radius_m[i] * offset for i in (after - 1, after)
        ]
        begun_m2 = self.swept_m2[after - 1]
        change = (ends[1] - ends[0]) / (self.swept_m2[after] - begun_m2)
        return ends[0] + change * (swept_m2 - begun_m2), change

    @property
    def area_mm2(self) -> float:
        """Area of the vessel."""
        return 1e6 * float(self.swept_m2[-1])

    @property
    def part(self) -> float:
        """How much of the flow it carries, 0 to 1."""
        return self.share[1] - self.share[0]


Vessels = tuple[Vessel, ...]
"""Vessels of a phantom, each after the one that it continues."""

Rectangle = tuple[tuple[float, float], tuple[float, float]]
"""Lateral positions and depths in m, the smaller first."""


def streamline(place: Floats) -> Floats:
    """Offset over radius (n,), −0.95 to 0.95, left of which a part ``place`` (n,) of bubbles flow.

    Between two walls the speed is v·(1 − g²), so that a part (2 + 3g − g³)/4 of the flow passes
    left of g; solved by g = 2·sin φ, for which (3g − g³)/2 = sin 3φ.
    """
    most = (3 * WALL - WALL**3) / 2
    return np.asarray(2 * np.sin(np.arcsin(most * (2 * place - 1)) / 3))


def pair(region: Rectangle) -> Vessels:
    """Two vessels that flow down; their distance falls evenly until they touch."""
    (left, right), (top, bottom) = region
    down = np.linspace(top, bottom, POINTS)
    middle = (left + right) / 2
    half = np.linspace(PAIR_APART * (right - left), 2 * PAIR_RADIUS_M, POINTS) / 2
    radius = np.full(POINTS, PAIR_RADIUS_M)
    return (
        Vessel(middle - half, down, radius, (0.0, 0.5)),
        Vessel(middle + half, down, radius, (0.5, 1.0)),
    )


def crossing(region: Rectangle) -> Vessels:
    """Two vessels that cross in the middle: bubbles pass through each other's way."""
    (left, right), (top, bottom) = region
    inset = (right - left) / 10
    down = np.linspace(top, bottom, POINTS)
    across = np.linspace(left + inset, right - inset, POINTS)
    radius = np.full(POINTS, CROSSING_RADIUS_M)
    return (
        Vessel(across, down, radius, (0.0, 0.5)),
        Vessel(across[::-1].copy(), down, radius, (0.5, 1.0)),
    )


def tree(region: Rectangle) -> Vessels:
    """Three generations of 1, 2 and 4 vessels, each narrower by √2 than the one before it.

    Each child carries half of the flow, and its speed is lower by √2, too. It begins as half of its
    parent, and reaches its own width within a third of its length: streamlines go on.
    """
    (left, right), (top, bottom) = region
    middle, width, height = (left + right) / 2, right - left, bottom - top
    first = top + height * 0.25
    root = _curve((middle, top), (middle, first), TREE_RADIUS_M, TREE_RADIUS_M, (0.0, 1.0))
    vessels, generation = [root], [root]
    for depth_m, reach_m in ((top + 0.6 * height, 0.25 * width), (bottom, 0.11 * width)):
        ends = [vessel.x_m[-1] + side * reach_m for vessel in generation for side in (-1, 1)]
        parents = np.repeat(np.arange(len(generation)), 2)
        generation = [
            _child(generation[parent], side, (x_m, depth_m))
            for parent, side, x_m in zip(parents, (-1, 1) * len(generation), ends, strict=True)
        ]
        vessels += generation
    return tuple(vessels)


VESSELS: Mapping[str, Callable[[Rectangle], Vessels]] = {
    "pair": pair,
    "tree": tree,
    "crossing": crossing,
}
"""Phantoms by name; each fills a rectangle."""


def _child(parent: Vessel, side: int, end_m: tuple[float, float]) -> Vessel:
    """Return the left (−1) or right (1) half of a vessel that goes down where it ends."""
    low, high = parent.share
    middle = (low + high) / 2
    radius_m = float(parent.radius_m[-1])
    start_m = (float(parent.x_m[-1]) + side * WALL * radius_m / 2, float(parent.z_m[-1]))
    share = (low, middle) if side < 0 else (middle, high)
    return _curve(start_m, end_m, radius_m / 2, radius_m / np.sqrt(2), share)


def _curve(
    start_m: tuple[float, float],
    end_m: tuple[float, float],
    radius_m: float,
    last_radius_m: float,
    share: tuple[float, float],
) -> Vessel:
    """Return a vessel that goes down at both ends, and widens in its first third."""
    along = np.linspace(0.0, 1.0, POINTS)
    ease = along**2 * (3 - 2 * along)
    widen = np.clip(3 * along, 0, 1)
    widths = radius_m + (last_radius_m - radius_m) * widen**2 * (3 - 2 * widen)
    x_m = start_m[0] + (end_m[0] - start_m[0]) * ease
    return Vessel(x_m, np.linspace(start_m[1], end_m[1], POINTS), widths, share)
