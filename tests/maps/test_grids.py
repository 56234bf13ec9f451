"""Maps of tracks that are known, pixel by pixel."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Region
from bubbleloc.maps.grids import FlowMap
from tests.maps.drawn import track

REGION = Region((-1e-3, 1e-3), (30e-3, 31e-3))  # 20 × 10 pixels
PIXEL_M = 0.1e-3


def drawn(*tracks, region=REGION, pixel_m=PIXEL_M):
    flow = FlowMap.empty(region, pixel_m)
    flow.draw(pd.concat(tracks))
    return flow


@pytest.mark.parametrize("steps", [2, 3, 40])
def test_a_straight_track_crosses_each_pixel_once(steps):
    """However many positions it has."""
    density = drawn(track(0, np.linspace(-0.95, 0.95, steps), 30.55)).density
    assert density.shape == (10, 20)
    assert (density[5] == 1).all()
    assert density.sum() == 20


def test_an_oblique_track_crosses_the_pixels_that_a_fine_line_does():
    ends = np.array([[-0.93, 30.03], [0.71, 30.97]])
    density = drawn(track(0, *ends.T)).density
    fine = ends[0] + np.linspace(0, 1, 100_001)[:, None] * (ends[1] - ends[0])
    columns, rows = np.floor((fine - [-1, 30]) / 0.1 + 1e-12).astype(int).T
    expected = np.zeros((10, 20))
    expected[rows, columns] = 1
    np.testing.assert_array_equal(density, expected)


@pytest.mark.parametrize("seed", range(3))
def test_all_that_wanders_is_found_by_fine_steps_and_counts_once(seed):
    """Also where it returns to a pixel, and where it leaves the map."""
    rng = np.random.default_rng(seed)
    places = np.array([0.0, 30.5]) + np.cumsum(rng.normal(0, 0.25, (30, 2)), axis=0)
    share = np.linspace(0, 1, 20_000, endpoint=False)[:, None]
    parts = [a + share * (b - a) for a, b in pairwise(places)]
    fine = np.concatenate([*parts, places[-1:]])
    columns, rows = np.floor((fine - [-1, 30]) / 0.1).astype(int).T
    inside = (columns >= 0) & (columns < 20) & (rows >= 0) & (rows < 10)
    expected = np.zeros((10, 20))
    expected[rows[inside], columns[inside]] = 1
    np.testing.assert_array_equal(drawn(track(0, *places.T)).density, expected)


def test_a_uniform_flow_has_its_speed_and_direction_everywhere():
    lanes = [
        track(i, np.linspace(-0.99, 0.99, 7), 30.05 + 0.1 * i, vx_mm_s=3.0, vz_mm_s=4.0)
        for i in range(10)
    ]
    flow = drawn(*lanes)
    assert (flow.density == 1).all()
    np.testing.assert_allclose(flow.speed_mm_s, 5.0)
    np.testing.assert_allclose(flow.direction_rad, np.arctan2(4, 3))


def test_opposite_flows_keep_their_speed_and_lose_their_velocity():
    right = track(0, [-0.9, 0.9], 30.55, vx_mm_s=10.0)
    left = track(1, [0.9, -0.9], 30.55, vx_mm_s=-10.0)
    flow = drawn(right, left)
    assert flow.density[5, 10] == 2
    assert flow.speed_mm_s[5, 10] == 10
    assert flow.velocity_mm_s[0][5, 10] == 0
    assert np.isnan(flow.speed_mm_s[0, 0])


def test_velocity_and_time_are_interpolated_along_the_way():
    """Of ten pixels between two positions, the n-th is crossed at (n + 1/2)/10 of the way."""
    flow = drawn(track(0, [0.0, 1.0], 30.55, vx_mm_s=[0.0, 10.0], rate_hz=1.0, start=5))
    crossed = flow.speed_mm_s[5, 10:]
    np.testing.assert_allclose(crossed, np.arange(10) + 0.5)
    np.testing.assert_allclose(flow.first_s[5, 10:], 5.05 + 0.1 * np.arange(10))
    assert np.isinf(flow.first_s[5, :10]).all()


def test_maps_of_parts_add_up():
    parts = [track(0, [-0.9, 0.9], 30.55, 1.0), track(1, [-0.9, 0.2], 30.35, 2.0, start=3)]
    whole, both = drawn(*parts), drawn(parts[0]).together(drawn(parts[1]))
    np.testing.assert_array_equal(both.sums, whole.sums)
    np.testing.assert_array_equal(both.first_s, whole.first_s)


def test_what_is_shown_ends_at_the_edges_of_the_pixels():
    shown = drawn(track(0, [-0.95, 0.95], 30.55, vx_mm_s=2.0)).shown
    np.testing.assert_allclose(shown.extent_mm, (-1, 1, 30, 31))
    assert shown.speed_mm_s[5, 0] == 2
    assert shown.direction_rad[5, 0] == 0


def test_blurring_keeps_counts_and_spreads_by_sigma():
    flow = drawn(track(0, [0.05], [30.55]), region=Region((-2e-3, 2e-3), (28e-3, 32e-3)))
    density = flow.blurred(0.3e-3, 0.1e-3).density
    assert density.sum() == pytest.approx(1, rel=1e-3)
    for axis, positions, sigma in (
        (1, flow.grid.depth_m, 0.1e-3),
        (0, flow.grid.lateral_m, 0.3e-3),
    ):
        profile = density.sum(axis=axis)
        mean = (profile * positions).sum()
        found = np.sqrt((profile * (positions - mean) ** 2).sum())
        assert found == pytest.approx(sigma, rel=0.03)


def test_too_many_pixels_are_refused():
    with pytest.raises(InputError, match=r"a pixel of 0\.001 µm"):
        FlowMap.empty(REGION, 1e-9)
