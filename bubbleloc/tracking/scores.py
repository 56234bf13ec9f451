"""How right tracks are, where the bubbles are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bubbleloc.arrays import Floats, Ints
from bubbleloc.metrics.positions import match_points


@dataclass(frozen=True)
class TrackScores:
    """Scores of tracks; NaN where nothing can be counted.

    A link is a step of a track, or of a bubble, from one frame to the next; that of a track is
    right if both of its ends are paired with the same bubble.

    Attributes:
        precision: share of the links of tracks that are right.
        recall: share of the links of bubbles that are right in a track.
        velocity_error: root mean square of the errors of velocity where a track is paired with a
            bubble, over the root mean square of the true velocities.
        speed_bias: mean error of velocity along the true one, over the mean true speed.
    """

    precision: float
    recall: float
    velocity_error: float
    speed_bias: float


def score_tracks(tracks: pd.DataFrame, truth: pd.DataFrame, half_axes_m: ArrayLike) -> TrackScores:
    """Score tracks by the bubbles that are there.

    Args:
        tracks: with the columns of `bubbleloc.tracking.tracks.TRACK_COLUMNS`.
        truth: with those of `bubbleloc.physics.flow.TRUTH_COLUMNS`.
        half_axes_m: of the ellipse around a bubble that it is found in, lateral and axial; in each
            frame, positions and bubbles are paired one to one.
    """
    row = _paired(tracks, truth, np.asarray(half_axes_m, dtype=np.float64))
    found = row >= 0
    number = np.where(found, truth["bubble"].to_numpy()[row], -1)
    same = _steps(tracks["track"].to_numpy(), tracks["frame"].to_numpy())
    right = same & found[:-1] & (number[1:] == number[:-1])
    order = np.lexsort([truth["frame"], truth["bubble"]])
    true = _steps(truth["bubble"].to_numpy()[order], truth["frame"].to_numpy()[order])
    names = ["vx_mm_s", "vz_mm_s"]
    velocity = truth[names].to_numpy()[row[found]]
    error = tracks[names].to_numpy()[found] - velocity
    speed = np.hypot(*velocity.T)
    along = (error * velocity).sum(axis=1) / np.where(speed > 0, speed, 1)
    return TrackScores(
        precision=_ratio(right.sum(), same.sum()),
        recall=_ratio(right.sum(), true.sum()),
        velocity_error=float(np.sqrt(_ratio((error**2).sum(), (velocity**2).sum()))),
        speed_bias=_ratio(along.sum(), speed.sum()),
    )


def _paired(tracks: pd.DataFrame, truth: pd.DataFrame, half_axes_m: Floats) -> Ints:
    """Row of the bubble at each position of a track, (n,); -1 for none."""
    row = np.full(len(tracks), -1)
    places = [table[["x_mm", "z_mm"]].to_numpy() * 1e-3 for table in (tracks, truth)]
    groups = truth.groupby("frame").indices
    for frame, mine in tracks.groupby("frame").indices.items():
        theirs = groups.get(frame, np.zeros(0, dtype=np.int64))
        pairs = match_points(places[0][mine], places[1][theirs], half_axes_m)
        row[mine[pairs.detected]] = theirs[pairs.true]
    return row


def _steps(number: Ints, frame: Ints) -> NDArray[np.bool_]:
    """Whether each row and the next one (n - 1,) are of one track, in successive frames."""
    return (np.diff(number) == 0) & (np.diff(frame) == 1)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan
