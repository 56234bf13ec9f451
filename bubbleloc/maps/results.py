"""What a mapping leaves: the maps of a method, and all that a report says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from bubbleloc.arrays import Floats

Extent = tuple[float, float, float, float]  # left, right, top, bottom in mm: edges of the pixels


@dataclass(frozen=True, eq=False)
class Grids:
    """Maps (H, W) of the tracks; row 0 is the shallowest, column 0 the leftmost.

    Attributes:
        density: how many tracks crossed a pixel; 0 where none did.
        speed_mm_s: their mean speed; NaN where none passed.
        direction_rad: their mean direction, ``atan2(vz, vx)``: 0 to the right, π/2 downwards; NaN
            where none passed.
        extent_mm: where the outer edges lie.
    """

    density: Floats
    speed_mm_s: Floats
    direction_rad: Floats
    extent_mm: Extent


@dataclass(frozen=True, eq=False)
class MapResult:
    """What one method made of a recording.

    Attributes:
        name: of the method.
        positions: a row per bubble found in a frame, `bubbleloc.imaging.positions`.
        tracks: a row per point of a track, `bubbleloc.tracking`.
        grids: the maps of the tracks.
        scores: numbers by name, under the names of `bubbleloc.maps.report.HEADINGS`.
        saturation: share of the pixels that are filled by time, columns ``time_s`` and ``share``;
            None where the vessels are not known.
        frc: Fourier ring correlation, columns ``per_mm``, ``correlation`` and ``threshold``.
        seconds: what localization, tracking and maps took.
    """

    name: str
    positions: pd.DataFrame
    tracks: pd.DataFrame
    grids: Grids
    scores: Mapping[str, float] = field(default_factory=dict)
    saturation: pd.DataFrame | None = None
    frc: pd.DataFrame | None = None
    seconds: float = float("nan")
