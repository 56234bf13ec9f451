"""Tracks: columns, length, velocities, and that they come as they end."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from bubbleloc.console.settings.mapping import Tracking
from bubbleloc.errors import InputError
from bubbleloc.tracking.tracks import SIGMA_WAVELENGTHS, TRACK_COLUMNS, track_bubbles
from tests.tracking.paths import by_frame, wandering, with_columns

RATE_HZ, WAVELENGTH_M = 500.0, 0.87e-3


def tracks_of(tables, **settings):
    found = track_bubbles(tables, Tracking(**settings), RATE_HZ, WAVELENGTH_M)
    return pd.concat([pd.DataFrame(columns=TRACK_COLUMNS, dtype=float), *found], ignore_index=True)


def straight(frames):
    x_mm = 0.05 * np.asarray(frames)
    return with_columns(pd.DataFrame({"frame": frames, "x_mm": x_mm, "z_mm": 40.0}))


def test_a_bridged_frame_has_a_row():
    tracks = tracks_of([straight([0, 1, 2, 3, 6, 7, 8])], gap=2)
    assert list(tracks) == TRACK_COLUMNS
    assert tracks["frame"].tolist() == list(range(9))
    np.testing.assert_allclose(tracks["x_mm"], 0.05 * tracks["frame"], atol=1e-3)
    np.testing.assert_allclose(tracks["time_s"], tracks["frame"] / RATE_HZ)
    np.testing.assert_allclose(tracks["vx_mm_s"], 0.05 * RATE_HZ, rtol=0.03)
    assert tracks["x_sigma_mm"].between(1e-3, SIGMA_WAVELENGTHS * 1e3 * WAVELENGTH_M).all()


@pytest.mark.parametrize(("least", "count"), [(4, 1), (5, 0)])
def test_short_tracks_are_left_out(least, count):
    tracks = tracks_of([straight([0, 1, 3, 4])], gap=1, least_length=least)
    assert tracks["track"].nunique() == count


def test_blocks_of_frames_make_no_difference():
    table = wandering(30, frames=150, step_mm=0.05, seed=1)
    whole, single = tracks_of([table]), tracks_of(by_frame(table))
    pd.testing.assert_frame_equal(whole, single)
    assert sorted(whole["track"].unique()) == list(range(whole["track"].nunique()))


def test_tracks_are_yielded_while_frames_come():
    read = []

    def frames():
        for rows in by_frame(wandering(30, frames=400, step_mm=0.05, seed=1)):
            read.append(rows["frame"].iat[0])
            yield rows

    tracks = track_bubbles(frames(), Tracking(), RATE_HZ, WAVELENGTH_M)
    assert next(tracks)["frame"].max() < 70
    assert len(read) < 70  # of 400


def test_frames_out_of_order_are_refused():
    with pytest.raises(InputError, match="frame 3 after frame 5; sort"):
        tracks_of([straight([4, 5]), straight([3])])


@pytest.mark.parametrize("sigma_mm", [0.0, 0.02])
def test_the_velocity_of_poiseuille_flow_is_right(sigma_mm):
    """In a straight, tilted vessel; 5 % of the speed on its axis."""
    rng = np.random.default_rng(0)
    radius_mm, axis_mm_s, count = 0.5, 30.0, 40
    off = rng.uniform(-radius_mm, radius_mm, count)
    speed = axis_mm_s * (1 - (off / radius_mm) ** 2)
    along, across = np.array([0.6, 0.8]), np.array([0.8, -0.6])
    place = np.stack([np.full(count, -3.0), np.full(count, 35.0)], axis=1) + off[:, None] * across
    tables = []
    for frame in range(80):  # bubbles enter one after the other
        gone = np.maximum(frame - np.arange(count), 0)[:, None] * speed[:, None] / RATE_HZ * along
        inside = frame >= np.arange(count)
        found = (place + gone)[inside]
        found = found + rng.normal(0, sigma_mm, found.shape)
        tables.append(pd.DataFrame({"frame": frame, "x_mm": found[:, 0], "z_mm": found[:, 1]}))
    known = {} if sigma_mm == 0 else {"sigma_mm": sigma_mm}
    tracks = tracks_of([with_columns(table, **known) for table in tables], least_length=15)
    x, z = tracks[["x_mm", "z_mm"]].to_numpy().T
    true = axis_mm_s * (1 - (((x + 3) * across[0] + (z - 35) * across[1]) / radius_mm) ** 2)
    velocity = tracks[["vx_mm_s", "vz_mm_s"]].to_numpy()
    error = velocity - np.maximum(true, 0)[:, None] * along
    assert len(tracks) > 1000
    assert np.abs(error.mean(axis=0)).max() < 0.01 * axis_mm_s
    assert np.sqrt((error**2).sum(axis=1).mean()) < 0.05 * axis_mm_s


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording():
    """The peak of memory after 500 frames and after 1500, of bubbles that come and go."""

    def peak(frames):
        rng = np.random.default_rng(0)
        place, velocity = rng.uniform(0, 10, (20, 2)), rng.normal(0, 0.1, (20, 2))

        def positions():
            for frame in range(frames):
                x_mm, z_mm = ((place + frame * velocity) % 10).T  # leaves, and enters again
                yield with_columns(pd.DataFrame({"frame": frame, "x_mm": x_mm, "z_mm": z_mm}))

        tracemalloc.start()
        for _ in track_bubbles(positions(), Tracking(), RATE_HZ, WAVELENGTH_M):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(500)  # caches
    assert peak(1500) < 1.2 * peak(500)
