"""Bubbles in a plane, frame by frame: carried by the flow in vessels, or anywhere."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats, Ints
from bubbleloc.physics.scene import RadiusDistribution, Scene, draw_radii
from bubbleloc.physics.vessels import WALL, Vessels, streamline

TRUTH_COLUMNS = [
    *("frame", "bubble", "x_mm", "z_mm", "radius_um"),
    *("vessel", "vx_mm_s", "vz_mm_s"),
]
"""Of a table of the bubbles in every frame."""

UNIFORM, FLOW = 10, 11  # what randomness is for, in the keys of its seed
DRAWN = 1024  # bubbles at a time


class Carried(NamedTuple):
    """The B bubbles of a frame, (B,) each.

    Attributes:
        bubble: number that a bubble keeps in all frames.
        vessel: number of the vessel that it is in, −1 for none.
        vx_m_s, vz_m_s: its velocity, NaN where it has none.
    """

    bubble: Ints
    x_m: Floats
    z_m: Floats
    radius_m: Floats
    vessel: Ints
    vx_m_s: Floats
    vz_m_s: Floats

    def scene(self, pressure_pa: float) -> Scene:
        """Return them as the scene that a pulse of this amplitude meets."""
        return Scene(self.z_m, self.x_m, self.radius_m, pressure_pa)

    def to_table(self, frame: int) -> pd.DataFrame:
        """Return a row per bubble with the columns `TRUTH_COLUMNS`."""
        values = {
            "frame": np.full(len(self.bubble), frame),
            "bubble": self.bubble,
            "x_mm": 1e3 * self.x_m,
            "z_mm": 1e3 * self.z_m,
            "radius_um": 1e6 * self.radius_m,
            "vessel": self.vessel,
            "vx_mm_s": 1e3 * self.vx_m_s,
            "vz_mm_s": 1e3 * self.vz_m_s,
        }
        return pd.DataFrame(values)[TRUTH_COLUMNS]

    @classmethod
    def standing(cls, scene: Scene, first: int) -> Self:
        """Return the bubbles of a scene that nothing carries, numbered from ``first`` on."""
        unknown = np.full(len(scene), np.nan)
        number = first + np.arange(len(scene))
        nowhere = np.full(len(scene), -1)
        rows = (scene.lateral_m, scene.depth_m, scene.radius_m)
        return cls(number, *rows, nowhere, unknown, unknown)


class Entered(NamedTuple):
    """Bubbles in the order in which they enter, (n,) each.

    Attributes:
        time_s: when they do.
        place: part of the flow, 0 to 1, that is left of them.
    """

    time_s: Floats
    place: Floats
    radius_m: Floats


@dataclass(frozen=True, eq=False)
class Flow:
    """Bubbles that enter vessels at random, follow the streamlines and leave at the ends.

    The flow between two walls: v·(1 − (r/R)²), without swirls or pulsation. A bubble keeps its
    streamline, also where a vessel branches. As the flow of a vessel, ∫v dr = 4/3·R·v, is the sum
    of those of its branches, the bubbles stay evenly spread. Frames are stationary from time 0 on,
    and what happens until a time does not depend on what comes after it.

    Attributes:
        density_mm2: bubbles per mm² of the vessels, the mean over time.
        speed_m_s: v on the centre line where the first vessel begins.
        bubbles: how radii are drawn, see `draw_scene`.
    """

    vessels: Vessels
    density_mm2: float
    speed_m_s: float
    seed: int = 0
    bubbles: RadiusDistribution = "monodisperse"

    @property
    def flow_m2_s(self) -> float:
        """Flow of all vessels together, as area per time."""
        first = self.vessels[0]
        return 4 / 3 * float(first.radius_m[0]) * self.speed_m_s / first.part

    @property
    def rate_hz(self) -> float:
        """Bubbles that enter per second.

        They fill the inner 95 % of the width, through which a part ``passing`` of it flows.
        """
        passing = (3 * WALL - WALL**3) / 2
        return 1e6 * self.density_mm2 / WALL * passing * self.flow_m2_s

    @property
    def slowest_s(self) -> float:
        """Time that the slowest bubble would need through all vessels."""
        return sum(
            float(vessel.swept_m2[-1]) / self._swept_m2_s(vessel.part, np.array(WALL)).item()
            for vessel in self.vessels
        )

    def _swept_m2_s(self, part: float, offset: Floats) -> Floats:
        """Area of a vessel that a bubble at an offset over radius (n,) passes per second.

        v falls as 1/R where a vessel widens, so that this is the same everywhere.
        """
        return np.asarray(1.5 * part * self.flow_m2_s * (1 - offset**2))

    def entered(self, until_s: float) -> Entered:
        """Return all bubbles that have entered until a time, from long before time 0 on."""
        parts: list[Entered] = []
        last_s = -self.slowest_s
        while last_s <= until_s:
            part = self._draw(len(parts), last_s)
            parts.append(part)
            last_s = float(part.time_s[-1])
        every = Entered(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))
        return Entered(*(row[every.time_s <= until_s] for row in every))

    def _draw(self, block: int, start_s: float) -> Entered:
        key = np.random.SeedSequence(self.seed, spawn_key=(FLOW, block))
        rng = np.random.default_rng(key)
        time_s = start_s + np.cumsum(rng.exponential(1 / self.rate_hz, DRAWN))
        place = rng.uniform(size=DRAWN)
        return Entered(time_s, place, rng.permutation(draw_radii(rng, self.bubbles, DRAWN)))

    def at(self, time_s: float, entered: Entered) -> Carried:
        """Return the bubbles in the vessels at a time, of all that have `entered` until then."""
        recent = slice(*np.searchsorted(entered.time_s, [time_s - self.slowest_s, time_s]))
        number = np.arange(len(entered.time_s))[recent]
        place, radius_m = entered.place[recent], entered.radius_m[recent]
        left_s = time_s - entered.time_s[recent]
        parts = []
        for index, vessel in enumerate(self.vessels):
            low, high = vessel.share
            here = np.flatnonzero((place >= low) & (place < high) & (left_s >= 0))
            offset = streamline((place[here] - low) / vessel.part)
            rate_m2_s = self._swept_m2_s(vessel.part, offset)
            swept_m2 = rate_m2_s * left_s[here]
            left_s[here] -= vessel.swept_m2[-1] / rate_m2_s
            inside = left_s[here] < 0
            here = here[inside]
            (x_m, z_m), change = vessel.at(swept_m2[inside], offset[inside])
            vx, vz = change * rate_m2_s[inside]
            of = np.full(len(here), index)
            parts.append(Carried(number[here], x_m, z_m, radius_m[here], of, vx, vz))
        rows = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Carried._fields
        }
        order = np.argsort(rows["bubble"])
        return Carried(**{name: row[order] for name, row in rows.items()})


def uniform_scene(
    seed: int,
    index: int,
    density_mm2: float,
    lateral_m: tuple[float, float],
    depth_m: tuple[float, float],
    *,
    bubbles: RadiusDistribution = "monodisperse",
    pressure_pa: float = 100e3,
) -> Scene:
    """Draw frame ``index`` of bubbles anywhere in a rectangle; it depends on nothing else.

    Their number is the nearest to ``density_mm2``, bubbles per mm² of the rectangle. Radii are
    drawn as by `draw_scene`.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(UNIFORM, index)))
    area_mm2 = 1e6 * (lateral_m[1] - lateral_m[0]) * (depth_m[1] - depth_m[0])
    count = round(density_mm2 * area_mm2)
    depth, lateral = rng.uniform(*depth_m, count), rng.uniform(*lateral_m, count)
    return Scene(depth, lateral, draw_radii(rng, bubbles, count), pressure_pa)
