"""Scores of maps whose vessels are known."""

import numpy as np
import pandas as pd
import pytest

from bubbleloc.imaging.array import Region
from bubbleloc.maps.scores import dice, smallest_pair_um, vessel_mask
from bubbleloc.physics.vessels import VESSELS, pair
from tests.maps.drawn import track

REGION = Region((-5e-3, 5e-3), (30e-3, 50e-3))
RECTANGLE = (REGION.lateral_m, REGION.depth_m)


@pytest.mark.parametrize("name", VESSELS)
def test_the_pixels_of_vessels_are_those_that_hold_points_inside(name):
    pixel_m = 87e-6
    mask = vessel_mask(VESSELS[name](RECTANGLE), REGION, pixel_m)
    points = []
    for vessel in VESSELS[name](RECTANGLE):
        rng = np.random.default_rng(0)
        swept = rng.uniform(0, vessel.swept_m2[-1], 200_000)
        points.append(vessel.at(swept, rng.uniform(-0.95, 0.95, len(swept)))[0])
    x, z = np.concatenate(points, axis=1)
    columns, rows = ((x + 5e-3) / pixel_m).astype(int), ((z - 30e-3) / pixel_m).astype(int)
    inside = (rows < mask.shape[0]) & (columns < mask.shape[1])
    expected = np.zeros_like(mask)
    expected[rows[inside], columns[inside]] = True
    assert dice(mask, expected) > 0.98


def test_dice_counts_what_both_have():
    a, b = np.zeros((2, 10), bool)
    a[:4], b[2:8] = True, True
    assert dice(a, b) == pytest.approx(2 * 2 / (4 + 6))
    assert np.isnan(dice(np.zeros(3, bool), np.zeros(3, bool)))


def blurred_pair(sigma_m, seed=0, count=4000):
    """Tracks down the centre lines, off by a normal number that stays the same along a track."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(count):
        vessel = pair(RECTANGLE)[i % 2]
        off = rng.normal(0, sigma_m)
        rows = np.linspace(0, len(vessel.x_m) - 1, 11).astype(int)
        parts.append(track(i, 1e3 * (vessel.x_m[rows] + off), 1e3 * vessel.z_m[rows]))
    return pd.concat(parts)


@pytest.mark.parametrize("sigma_um", [60.0, 120.0])
def test_two_blurred_lines_are_two_down_to_the_distance_of_their_closed_form(sigma_um):
    """Counts of the strips are integrals of two normal densities."""
    from scipy.stats import norm

    def dip(d):
        def strip(middle):
            ends = (middle + np.array([[-d / 6, d / 6]]).T - np.array([0, d])) / sigma_um
            return np.diff(norm.cdf(ends), axis=0).sum()

        return strip(d / 2) / strip(0.0)

    distances = np.arange(80.0, 1500.0)
    closed = distances[np.array([dip(d) for d in distances]) <= 0.8].min()
    found = smallest_pair_um(blurred_pair(1e-6 * sigma_um), pair(RECTANGLE))
    assert found == pytest.approx(closed, rel=0.13)  # from one distance to the next it is 6 %


def test_one_vessel_alone_is_not_a_pair():
    tracks = blurred_pair(50e-6, count=200)
    assert np.isnan(smallest_pair_um(tracks[tracks["track"] % 2 == 0], pair(RECTANGLE)))
