"""Transmits of a recording: which one is read, where it goes, and when it leaves the array."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError

FLAT_M = 1e-6  # of the heights of the elements of a flat array
STRAIGHT = 1e-3  # rad; less is straight down
MOST_BENT_S = 50e-9  # that delays of a plane wave may be off a line: they are counted in steps


def choose_transmit(
    source: Path, angle_rad: Mapping[int, float | None], asked: int | None
) -> tuple[int, tuple[str, ...]]:
    """Return the transmit that is asked for, else the nearest to straight down, and a note.

    Args:
        angle_rad: of every transmit, by its number; None where it is unknown.

    Raises:
        InputError: there is no such transmit.
    """
    if asked is not None and asked not in angle_rad:
        numbers = ", ".join(map(str, sorted(angle_rad)))
        raise InputError(f"{source}: no transmit={asked}; it has transmits {numbers}")
    chosen = min(angle_rad, key=lambda n: abs(angle_rad[n] or 0.0)) if asked is None else asked
    angle = angle_rad[chosen]
    at = "at an unknown angle" if angle is None else f"at {np.degrees(angle):.1f}°"
    if len(angle_rad) > 1:
        return chosen, (f"transmit {chosen} of {len(angle_rad)} is read, {at}; see transmit=",)
    return chosen, () if angle is None or abs(angle) < STRAIGHT else (f"the wave goes {at}",)


class Firing(NamedTuple):
    """When the elements fire.

    Attributes:
        delay_s: of every element (elements,), NaN where it is silent.
        origin_s: when the pulse leaves x = 0.
        angle_rad: of the plane that fits the delays; None where they fit none.
        notes: what is assumed of the pulse at x = 0.
    """

    delay_s: Floats
    origin_s: float
    angle_rad: float | None
    notes: tuple[str, ...]


def firing(
    element_m: Floats, delay_s: Floats, weight: Floats | None, speed_m_s: float | None
) -> Firing:
    """Return when the pulse leaves an array whose elements (n, 3) fire at delays (n,).

    Elements whose weight (n,) is 0 are silent. Where those that fire do not lie on both sides of
    x = 0, the straight line through their delays tells when the wave passes there.
    """
    fires = np.ones(len(delay_s), dtype=bool) if weight is None else np.asarray(weight) != 0
    if not fires.any():
        return Firing(np.full(len(delay_s), np.nan), 0.0, None, ("no element fires",))
    x, delay = element_m[fires, 0], np.asarray(delay_s, dtype=np.float64)[fires]
    line = np.polyfit(x, delay, 1) if np.ptp(x) else np.array([0.0, delay[0]])
    notes: tuple[str, ...] = ()
    if x.min() <= 0 <= x.max():
        order = np.argsort(x)
        origin_s = float(np.interp(0.0, x[order], delay[order]))
    else:
        origin_s = float(line[1])
        ends = " to ".join(f"{1e3 * end:.2f}" for end in (x.min(), x.max()))
        notes = (f"only elements at x = {ends} mm fire; time 0 is that of their wave at x = 0",)
    sine = float(line[0]) * (speed_m_s or np.nan)
    is_plane = np.abs(delay - np.polyval(line, x)).max() < MOST_BENT_S and abs(sine) < 1
    angle = float(np.arcsin(sine)) if is_plane and np.ptp(x) else None
    return Firing(np.where(fires, delay_s, np.nan), origin_s, angle, notes)


class Sent(NamedTuple):
    """A transmitted wave, for where its echoes come from.

    Attributes:
        angle_rad: of a plane wave of a flat array, towards +x; None of any other.
        delay_s: of any other, when each element (elements,) fires, from time 0 on; NaN if it is
            silent. The wave is where the first of their circles is.
    """

    angle_rad: float | None = 0.0
    delay_s: Floats | None = None


STRAIGHT_DOWN = Sent()


def sent(
    element_m: Floats | None,
    delay_s: Floats | None,
    angle_rad: float | None,
    speed_m_s: float,
) -> Sent:
    """Return the wave that elements (n, 3) send at delays (n,), or else at an angle.

    Without delays, those of a convex array fire at once.
    """
    is_flat = element_m is None or np.ptp(element_m[:, 2]) < FLAT_M
    if element_m is None or (is_flat and (delay_s is None or np.isnan(delay_s).all())):
        return Sent(angle_rad or 0.0)
    delay_s = np.zeros(len(element_m)) if delay_s is None else delay_s
    shot = firing(element_m, np.nan_to_num(delay_s), ~np.isnan(delay_s), speed_m_s)
    if is_flat and shot.angle_rad is not None:
        return Sent(shot.angle_rad)
    return Sent(None, shot.delay_s - shot.origin_s)
