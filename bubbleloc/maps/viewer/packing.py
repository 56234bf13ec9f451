"""Tracks and maps as packed integers, which the page of the viewer carries as text."""

import base64
import zlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from bubbleloc.arrays import Floats
from bubbleloc.maps.results import Grids

MOST_PIXELS = 2048  # of a side of the maps, which every graphics card takes
_CODES = 2**16 - 1  # of a position, between the ends of all tracks
_VELOCITIES = 2**15 - 1  # of a velocity, between 0 and the fastest
_MIXED_PIXELS = 2.5  # a filled pixel is at most that far from one that shows some of it
_DENSEST = 0.995  # share of the filled pixels that are less than white


def pack_tracks(tracks: pd.DataFrame) -> dict[str, Any]:
    """Return points, sorted by track and frame, as packed integers and the units to undo it.

    Positions are codes of 16 bits between the ends of all tracks, velocities 16 bits with a sign,
    frames count from the first. `points` says how many each track has. All but these are
    differences to the point before, modulo their size, which zlib packs well.
    """
    names = ("x_mm", "z_mm", "vx_mm_s", "vz_mm_s")
    x, z, vx, vz = (tracks[name].to_numpy(np.float64) for name in names)
    frame = tracks["frame"].to_numpy(np.int64)
    x_codes, x_low, x_step = _quantized(x)
    z_codes, z_low, z_step = _quantized(z)
    v_step = max(float(speeds_mm_s(tracks).max()), 1e-9) / _VELOCITIES
    of_track, points = np.unique(tracks["track"].to_numpy(np.int64), return_counts=True)
    first_s, frame_s = _clock(frame, tracks["time_s"].to_numpy(np.float64))
    units = {
        **{"xLow_mm": x_low, "xStep_mm": x_step, "zLow_mm": z_low, "zStep_mm": z_step},
        **{"vStep_mm_s": v_step, "first_s": first_s, "frame_s": frame_s},
        "tail_frames": float(np.median(points)),
    }
    return {
        "units": units,
        "x": _differences(x_codes, "<u2"),
        "z": _differences(z_codes, "<u2"),
        "frame": _differences(frame - frame.min(), "<u4"),
        "vx": _differences(np.rint(vx / v_step), "<i2"),
        "vz": _differences(np.rint(vz / v_step), "<i2"),
        "names": _differences(of_track, "<u4"),
        "points": _packed(points.astype("<u4")),
    }


def _quantized(values: Floats) -> tuple[Floats, float, float]:
    """Return codes of 16 bits, what code 0 means, and what a code is worth."""
    low = float(values.min())
    step = max(float(values.max()) - low, 1e-6) / _CODES
    return np.rint((values - low) / step), low, step


def _clock(frame: NDArray[np.int64], time_s: Floats) -> tuple[float, float]:
    """Return the time of the first frame, and the time between frames."""
    first, last = int(frame.argmin()), int(frame.argmax())
    frame_s = (time_s[last] - time_s[first]) / max(int(frame[last] - frame[first]), 1)
    return float(time_s[first]), max(float(frame_s), 1e-9)


def speeds_mm_s(tracks: pd.DataFrame) -> Floats:
    """Return the speed at every point of tracks, (n,)."""
    return np.hypot(tracks["vx_mm_s"].to_numpy(np.float64), tracks["vz_mm_s"].to_numpy(np.float64))


def _differences(values: NDArray[Any], kind: str) -> str:
    """Return integers as packed differences to the one before; the first one as it is."""
    codes = values.astype(np.int64)
    return _packed(np.diff(codes, prepend=0).astype(kind))


def _packed(values: NDArray[Any]) -> str:
    """Return the bytes of an array, as zlib packs them, in base64."""
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")


def pack_grids(grids: Grids, fastest_mm_s: float) -> dict[str, Any]:
    """Return the maps as one packed picture (H, W, 4) of a byte per value.

    The channels are the square root of the density up to almost its largest, the speed up to
    `fastest_mm_s`, and cosine and sine of the direction from -1 to 1. Pixels near filled ones have
    their speed and direction, so that these stay what they are when pixels are mixed to enlarge
    the map.
    """
    maps = _reduced(grids)
    density, filled = maps.density, maps.density > 0
    densest = float(np.quantile(density[filled], _DENSEST)) if filled.any() else 1.0
    away, nearest = distance_transform_edt(~filled, return_indices=True)
    near = away < _MIXED_PIXELS
    speed, direction = (
        np.where(near, values[tuple(nearest)], 0)
        for values in (maps.speed_mm_s, maps.direction_rad)
    )
    channels = [
        np.sqrt(np.minimum(density / densest, 1)),
        np.minimum(speed / fastest_mm_s, 1),
        np.where(near, (1 + np.cos(direction)) / 2, 0),
        np.where(near, (1 + np.sin(direction)) / 2, 0),
    ]
    picture = np.stack([np.rint(255 * channel) for channel in channels], axis=-1)
    return {
        "width": density.shape[1],
        "height": density.shape[0],
        "extent_mm": list(maps.extent_mm),
        "values": _packed(picture.astype(np.uint8)),
    }


def _reduced(grids: Grids) -> Grids:
    """Return maps that are not too large: of n × n pixels of a larger one, the densest."""
    layers = grids.density, grids.speed_mm_s, grids.direction_rad
    maps = np.stack([np.nan_to_num(layer) for layer in layers])
    whole = maps.shape[1:]
    n = -(-max(whole) // MOST_PIXELS)
    height, width = (-(-side // n) for side in whole)
    padded = np.zeros((3, height * n, width * n))
    padded[:, : whole[0], : whole[1]] = maps
    blocks = padded.reshape(3, height, n, width, n).swapaxes(2, 3).reshape(3, height, width, n * n)
    densest = blocks[0].argmax(axis=-1)[None, ..., None]
    density, speed, direction = np.take_along_axis(blocks, densest, axis=-1)[..., 0]
    left, right, top, bottom = grids.extent_mm
    right = left + (right - left) * width * n / whole[1]
    bottom = top + (bottom - top) * height * n / whole[0]
    return Grids(density, speed, direction, (left, right, top, bottom))
