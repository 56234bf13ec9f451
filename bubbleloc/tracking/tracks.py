"""Positions in frames become tracks: numbered, smoothed, with velocities."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats, Ints
from bubbleloc.console.settings.mapping import Tracking
from bubbleloc.errors import InputError
from bubbleloc.tracking.links import Found, Limits, Linker, linked
from bubbleloc.tracking.motion import smooth

TRACK_COLUMNS = [
    *("track", "frame", "time_s", "x_mm", "z_mm", "vx_mm_s", "vz_mm_s"),
    *("x_sigma_mm", "z_sigma_mm"),
]
"""Of a table of tracks: a row per frame, from the first in which it was found to the last."""

LEAST_SIGMA_MM = 1e-3  # of positions that claim to be exact
SIGMA_WAVELENGTHS = 1 / 20  # of positions that tell none
LAG = 5  # frames over which the speed of a track is measured, before it is smoothed
CALMER = (1.0, 0.3, 0.1, 0.03)  # times the change of velocity: of these the track has one
KEPT = 64  # frames that are kept before tracks that ended are looked for


def track_bubbles(
    positions: Iterable[pd.DataFrame],
    settings: Tracking,
    frame_rate_hz: float,
    wavelength_m: float,
) -> Iterator[pd.DataFrame]:
    """Link positions to tracks, which are yielded as they end: memory does not grow with frames.

    Args:
        positions: tables with the columns of `bubbleloc.imaging.positions.POSITION_COLUMNS`, of
            one frame or more each, in the order of frames.
        wavelength_m: `SIGMA_WAVELENGTHS` of it are taken as the standard deviation of a position
            that has none.

    Yields:
        Tables of whole tracks with the columns `TRACK_COLUMNS`; tracks count from 0.

    Raises:
        InputError: frames out of order, or a frame in two tables.
    """
    limits = Limits(settings.most_speed_mm_s / frame_rate_hz, settings.turn, settings.gap)
    linker = Linker(limits)
    count = 0
    frames = linked(_frames(positions, 1e3 * SIGMA_WAVELENGTHS * wavelength_m), linker)
    for rows in _ended(frames, linker):
        tracks = [
            _track(part, count + nth, limits, frame_rate_hz)
            for nth, part in enumerate(_long_enough(rows, settings.least_length))
        ]
        count += len(tracks)
        if tracks:
            table = pd.DataFrame(np.concatenate(tracks), columns=TRACK_COLUMNS)
            yield table.astype({"track": np.int64, "frame": np.int64})


def _frames(positions: Iterable[pd.DataFrame], unknown_sigma_mm: float) -> Iterator[Found]:
    last = -1
    for table in positions:
        for _, rows in table.groupby("frame", sort=False):
            frame = int(rows["frame"].to_numpy()[0])
            if frame <= last:
                raise InputError(f"positions: frame {frame} after frame {last}; sort them by frame")
            last = frame
            sigma = rows[["x_sigma_mm", "z_sigma_mm"]].to_numpy(np.float64)
            sigma = np.where(np.isnan(sigma), unknown_sigma_mm, np.maximum(sigma, LEAST_SIGMA_MM))
            yield Found(last, rows[["x_mm", "z_mm"]].to_numpy(np.float64), sigma**2)


def _ended(frames: Iterable[tuple[Found, Ints]], linker: Linker) -> Iterator[Floats]:
    """Yield the rows of bubbles that are no longer followed: number, frame, position, variance."""
    kept: list[Floats] = []
    for now, number in frames:
        head = np.stack([number, np.full_like(number, now.frame)], axis=1)
        kept.append(np.concatenate([head, now.position, now.variance], axis=1))
        if len(kept) >= KEPT:
            rows = np.concatenate(kept)
            going_on = np.isin(rows[:, 0], linker.followed)
            yield rows[~going_on]
            kept = [rows[going_on]]
    if kept:
        yield np.concatenate(kept)


def _long_enough(rows: Floats, least: int) -> Iterator[Floats]:
    """Yield the rows of each bubble that was found often enough, in the order of frames."""
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    for start, length in zip(starts, np.diff(starts, append=len(rows)), strict=True):
        if length >= least:
            yield rows[start : start + length]


def _track(rows: Floats, number: int, limits: Limits, frame_rate_hz: float) -> Floats:
    frame = rows[:, 1].astype(np.int64)
    found, variance = rows[:, 2:4], rows[:, 4:6]
    lag = min(LAG, len(found) - 1)
    way = np.hypot(*(found[lag:] - found[: len(found) - lag]).T)
    passed = np.maximum(frame[lag:] - frame[: len(frame) - lag], 1)
    change = max(limits.turn * float((way / passed).mean()), limits.rest_mm)
    changes = change * np.array(CALMER)
    # any velocity is as likely as another: one that is expected to be small would be made smaller
    position, velocity, spread = smooth(frame, found, variance, changes, 10 * limits.step_mm)
    frames = np.arange(frame[0], frame[-1] + 1)
    head = [np.full_like(frames, number), frames, frames / frame_rate_hz]
    return np.column_stack([*head, position, velocity * frame_rate_hz, np.sqrt(spread)])
