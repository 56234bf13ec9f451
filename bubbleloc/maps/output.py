"""Maps and tracks as files that other programs open."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from bubbleloc.files import atomic
from bubbleloc.maps.results import Grids
from bubbleloc.tables import write_long_csv

MAPS = {"density": "tracks", "speed_mm_s": "mm/s", "direction_rad": "rad"}
"""Maps that are written, and what their values are in."""


def write_tiffs(grids: Grids, folder: Path) -> list[Path]:
    """Write each of `MAPS` as ``<name>.tif``: 32-bit floats, with the size of a pixel for ImageJ.

    Pixels that no track crosses have no speed and no direction: NaN.
    """
    pixel_um = _pixel_um(grids)
    paths = []
    for name in MAPS:
        values = np.asarray(getattr(grids, name), dtype=np.float32)
        path = folder / f"{name}.tif"
        with atomic(path) as unfinished:
            tifffile.imwrite(
                unfinished,
                values,
                imagej=True,
                resolution=(1 / pixel_um, 1 / pixel_um),
                metadata={"axes": "YX", "unit": "um"},
            )
        paths.append(path)
    return paths


def write_display_tracks(tracks: Iterable[pd.DataFrame], grids: Grids, path: Path) -> Path:
    """Write tracks for napari and TrackMate, over the images of `write_tiffs`.

    A row per track and frame: ``track`` and ``t`` (number of the frame) are whole, ``y`` and ``x``
    are in µm from the middle of the first pixel, as both programs count.
    """
    return write_long_csv(_display(tracks, grids), path)


def _display(tracks: Iterable[pd.DataFrame], grids: Grids) -> Iterator[pd.DataFrame]:
    left, _, top, _ = grids.extent_mm
    half_um = _pixel_um(grids) / 2
    for part in tracks:
        yield pd.DataFrame(
            {
                "track": part["track"],
                "t": part["frame"],
                "y": 1e3 * (part["z_mm"] - top) - half_um,
                "x": 1e3 * (part["x_mm"] - left) - half_um,
                "speed_mm_s": np.hypot(part["vx_mm_s"], part["vz_mm_s"]),
            }
        )


def _pixel_um(grids: Grids) -> float:
    left, right, _, _ = grids.extent_mm
    return 1e3 * (right - left) / grids.density.shape[1]
