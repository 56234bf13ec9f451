"""Scores of tracks that are wrong in known places."""

import numpy as np
import pandas as pd
import pytest

from bubbleloc.console.settings.mapping import Tracking
from bubbleloc.physics.flow import Flow
from bubbleloc.physics.vessels import VESSELS
from bubbleloc.tracking.scores import score_tracks
from bubbleloc.tracking.tracks import TRACK_COLUMNS, track_bubbles
from tests.tracking.paths import with_columns

NEAR_M = (0.2e-3, 0.2e-3)


def truth_of(bubbles=2, frames=11):
    """Bubbles that move to the right side by side, 1 mm apart, at 50 mm/s."""
    frame, bubble = (v.ravel() for v in np.meshgrid(np.arange(frames), np.arange(bubbles)))
    rows = {"frame": frame, "bubble": bubble, "x_mm": 0.1 * frame, "z_mm": 40.0 + bubble}
    return pd.DataFrame(rows | {"vx_mm_s": 50.0, "vz_mm_s": 0.0})


def as_tracks(truth):
    tracks = truth.rename(columns={"bubble": "track"}).assign(x_sigma_mm=0.01, z_sigma_mm=0.01)
    return tracks.assign(time_s=tracks["frame"] / 500)[TRACK_COLUMNS]


def test_true_tracks_are_right():
    scores = score_tracks(as_tracks(truth_of()), truth_of(), NEAR_M)
    assert (scores.precision, scores.recall) == (1, 1)
    assert (scores.velocity_error, scores.speed_bias) == (0, 0)


def test_two_tracks_that_change_places_are_wrong_there_alone():
    truth = truth_of()
    tracks = as_tracks(truth)
    tracks.loc[tracks["frame"] > 4, "track"] = 1 - tracks["track"]
    tracks = tracks.sort_values(["track", "frame"])
    scores = score_tracks(tracks, truth, NEAR_M)
    assert scores.precision == scores.recall == pytest.approx(18 / 20)


def test_a_track_of_nothing_lowers_precision_and_a_missed_bubble_recall():
    truth = truth_of()
    tracks = as_tracks(truth)
    astray = tracks[tracks["track"] == 1].assign(z_mm=45.0)
    scores = score_tracks(pd.concat([tracks[tracks["track"] == 0], astray]), truth, NEAR_M)
    assert scores.precision == scores.recall == 0.5


def test_errors_of_velocity_are_relative():
    truth = truth_of()
    tracks = as_tracks(truth).assign(vx_mm_s=52.0, vz_mm_s=1.0)
    scores = score_tracks(tracks, truth, NEAR_M)
    assert scores.velocity_error == pytest.approx(np.sqrt(5) / 50)
    assert scores.speed_bias == pytest.approx(0.04)


def test_no_tracks_are_no_score():
    scores = score_tracks(as_tracks(truth_of()).iloc[:0], truth_of(), NEAR_M)
    assert scores.recall == 0
    assert np.isnan(scores.precision)


@pytest.mark.parametrize("name", ["pair", "crossing", "tree"])
def test_bubbles_of_a_phantom_are_tracked_and_their_velocity_measured(name):
    """Up to 200 µm per frame; where a vessel branches, too."""
    rate_hz, frames = 500.0, 150
    vessels = VESSELS[name](((-5e-3, 5e-3), (30e-3, 50e-3)))
    flow = Flow(vessels, density_mm2=2.0, speed_m_s=0.1)
    entered = flow.entered(frames / rate_hz)
    truth = pd.concat(
        [flow.at(i / rate_hz, entered).to_table(i) for i in range(frames)], ignore_index=True
    )
    positions = with_columns(truth[["frame", "x_mm", "z_mm"]].copy())
    settings = Tracking(most_speed_mm_s=150)
    tracks = pd.concat(track_bubbles([positions], settings, rate_hz, 0.87e-3))
    scores = score_tracks(tracks, truth, (0.2e-3, 0.2e-3))
    assert scores.precision > 0.99
    assert scores.recall > 0.97  # short ones at the beginning and the end are left out
    assert scores.velocity_error < 0.05
    assert abs(scores.speed_bias) < 0.01
