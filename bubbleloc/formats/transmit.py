"""Which transmit of a frame is read, and when its pulse leaves the middle of the array."""

from pathlib import Path

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError


def choose_transmit(
    source: Path, angle_rad: dict[int, float], asked: int | None
) -> tuple[int, tuple[str, ...]]:
    """Return the transmit that is asked for, else the nearest to straight down, and a note.

    Args:
        angle_rad: of every transmit, by its number.

    Raises:
        InputError: there is no such transmit.
    """
    if asked is not None and asked not in angle_rad:
        numbers = ", ".join(map(str, sorted(angle_rad)))
        raise InputError(f"{source}: no transmit={asked}; it has transmits {numbers}")
    chosen = min(angle_rad, key=lambda n: abs(angle_rad[n])) if asked is None else asked
    if len(angle_rad) == 1:
        return chosen, ()
    angle = f"{np.degrees(angle_rad[chosen]):.1f}°"
    return chosen, (f"transmit {chosen} of {len(angle_rad)} is read, at {angle}; see transmit=",)


def delay_at_origin_s(element_m: Floats, delay_s: Floats) -> float:
    """Return when the pulse leaves x = 0, between the elements (n, 3) that fire at delays (n,)."""
    x = element_m[:, 0]
    order = np.argsort(x)
    return float(np.interp(0.0, x[order], delay_s[order]))
