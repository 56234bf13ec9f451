"""How right a map of known vessels is."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bubbleloc.arrays import Floats
from bubbleloc.imaging.array import Region
from bubbleloc.maps.grids import FlowMap
from bubbleloc.physics.vessels import WALL, Vessels
from bubbleloc.tracking.tracks import TRACK_COLUMNS

DIP = 0.8
"""Tracks per width between two vessels, over those in either one, at which they are two."""

BANDS = 50  # distances at which a pair is looked at: each 6 % less than the one before
LEAST = 5  # tracks in a strip that are enough to compare


def vessel_mask(vessels: Vessels, region: Region, pixel_m: float) -> NDArray[np.bool_]:
    """Tell which pixels (H, W) bubbles of these vessels cross, however little of them."""
    flow = FlowMap.empty(region, pixel_m)
    count = 0
    for vessel in vessels:
        lines = 2 * int(np.ceil(4 * vessel.radius_m.max() / pixel_m)) + 1  # 4 in a pixel
        for offset in np.linspace(-WALL, WALL, lines):
            x, z = np.stack([vessel.x_m, vessel.z_m]) + offset * vessel.radius_m * vessel.normal
            table = pd.DataFrame(0.0, index=range(len(x)), columns=TRACK_COLUMNS)
            flow.draw(table.assign(track=count, x_mm=1e3 * x, z_mm=1e3 * z))
            count += 1
    return flow.density > 0


def dice(filled: NDArray[np.bool_], vessels: NDArray[np.bool_]) -> float:
    """Return twice the pixels of both over the sum of the pixels of each."""
    total = filled.sum() + vessels.sum()
    return float(2 * (filled & vessels).sum() / total) if total else np.nan


def smallest_pair_um(tracks: pd.DataFrame, pair: Vessels) -> float:
    """Return the smallest distance in µm at which the vessels of a pair are seen to be two.

    At a distance d, three strips of width d/3 are compared: around either centre line, and halfway
    between. The vessels are two if the middle strip holds at most `DIP` times the tracks of either
    other one, each of which holds at least `LEAST`. The distance that is returned is resolved, and
    so are all larger ones; NaN where not even the largest is.

    Args:
        tracks: with the columns `TRACK_COLUMNS`.
        pair: two vessels that flow down and come nearer, see `bubbleloc.physics.vessels.pair`.
    """
    left, right = pair
    smallest = np.nan
    apart_m = right.x_m - left.x_m
    for distance in np.geomspace(apart_m[0], apart_m[-1], BANDS + 2)[1:-1]:
        depth, *lines = (
            np.interp(-distance, -apart_m, row) for row in (left.z_m, left.x_m, right.x_m)
        )
        crossed = _crossed(tracks, depth)
        strips = [
            int(np.sum(np.abs(crossed - middle) < distance / 6))
            for middle in (lines[0], np.mean(lines), lines[1])
        ]
        fewer = min(strips[0], strips[2])
        if fewer < LEAST or strips[1] > DIP * fewer:
            break
        smallest = 1e6 * distance
    return float(smallest)


def _crossed(tracks: pd.DataFrame, depth_m: float) -> Floats:
    """Lateral positions in m at which tracks cross a depth first."""
    number = tracks["track"].to_numpy()
    x, z = 1e-3 * tracks[["x_mm", "z_mm"]].to_numpy(np.float64).T
    above = z < depth_m
    at = np.flatnonzero((np.diff(number) == 0) & (above[1:] != above[:-1]))
    at = at[np.unique(number[at], return_index=True)[1]]
    share = (depth_m - z[at]) / (z[at + 1] - z[at])
    return np.asarray(x[at] + share * (x[at + 1] - x[at]))
