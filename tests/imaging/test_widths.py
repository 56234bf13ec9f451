import numpy as np
import pytest

from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.imaging.widths import full_width, measure_widths, nearest_m, summarize_widths
from bubbleloc.physics import Scene
from bubbleloc.units import Scale

GAUSS = 2 * np.sqrt(2 * np.log(2))  # FWHM over standard deviation
SAMPLES_PER_M = 62.5e6 / 1480


@pytest.mark.parametrize("deviation", [2.0, 7.7, 30.0])
def test_width_of_a_gaussian(deviation):
    places = np.arange(-200, 201)
    profile = np.exp(-0.5 * (places / deviation) ** 2)
    assert full_width(profile, 200) == pytest.approx(GAUSS * deviation, rel=0.02)


def test_width_is_at_half_of_the_peak_also_above_a_pedestal():
    triangle = np.maximum(1 - np.abs(np.arange(-50, 51)) / 20, 0.3)
    assert full_width(triangle, 50) == pytest.approx(20)


def test_a_profile_that_stays_high_has_no_width():
    assert np.isnan(full_width(np.linspace(0.6, 1, 50), 49))
    assert np.isnan(full_width(np.linspace(1, 0.6, 50), 0))


def scene(*places_mm):
    depth, lateral = 1e-3 * np.array(places_mm, dtype=float).T
    return Scene(depth, lateral, np.full(len(depth), 2e-6), 1e5)


def test_nearest_distances_are_those_of_all_pairs():
    rng = np.random.default_rng(0)
    bubbles = scene(*rng.uniform(1, 50, (30, 2)))
    depth, lateral = bubbles.depth_m, bubbles.lateral_m
    apart = np.hypot(depth[:, None] - depth, lateral[:, None] - lateral)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(nearest_m(bubbles), apart.min(axis=1))
    assert np.isinf(nearest_m(scene([10, 0])))


def gaussian_echoes(bubbles, deviation):
    """Lines in which every bubble is a Gaussian at its time of flight."""
    element_m = np.linspace(-0.014, 0.014, 96)
    lines = np.zeros((96, 3000))
    for z, x in zip(bubbles.depth_m, bubbles.lateral_m, strict=True):
        flight = (z + np.hypot(z, x - element_m)) * SAMPLES_PER_M
        lines += np.exp(-0.5 * ((np.arange(3000) - flight[:, None]) / deviation) ** 2)
    return ArrayLines(lines, Array(element_m, Scale(62.5e6, 1480, None)))


def test_isolated_bubbles_of_the_region_are_measured():
    bubbles = scene([30, 5], [12, -3], [12.5, 3], [13, 3.4], [45, 0])
    grid = Grid.covering((-0.014, 0.014), (0.005, 0.04), 1e-3)
    images = {"wide": gaussian_echoes(bubbles, 8.0), "narrow": gaussian_echoes(bubbles, 2.0)}
    widths = measure_widths(images, bubbles, grid, isolation_m=2e-3)
    assert list(widths["image"]) == ["wide", "wide", "narrow", "narrow"]
    np.testing.assert_allclose(widths["depth_mm"], [12, 30, 12, 30])
    # across the axis of depth all lines are cut where path grows by 1 + cos(angle) ≤ 2 per depth
    expected_um = np.repeat([8.0, 2.0], 2) * GAUSS / (2 * SAMPLES_PER_M) * 1e6
    assert (widths["axial_fwhm_um"] >= 0.99 * expected_um).all()
    assert (widths["axial_fwhm_um"] <= 1.2 * expected_um).all()
    assert widths[["depth_error_um", "lateral_error_um"]].abs().to_numpy().max() <= 20
    summary = summarize_widths(widths).set_index("image")
    assert list(summary["bubbles"]) == [2, 2]
    ratio = summary["lateral_fwhm_um"]["wide"] / summary["lateral_fwhm_um"]["narrow"]
    assert 3 < ratio < 5


def test_without_an_isolated_bubble_tables_are_empty():
    bubbles = scene([30, 5], [30, 5.1])
    grid = Grid.covering((-0.014, 0.014), (0.005, 0.04), 1e-3)
    widths = measure_widths({"a": gaussian_echoes(bubbles, 2.0)}, bubbles, grid, 1e-3)
    assert widths.empty
    assert summarize_widths(widths).empty
