"""Figures of maps."""

import colorsys

import numpy as np
import pytest

from bubbleloc.imaging.array import Region
from bubbleloc.maps.figure import colour, map_figure
from bubbleloc.maps.grids import FlowMap
from bubbleloc.report.figures.style import save_picture
from tests.maps.drawn import track


def test_directions_differ_in_hue_and_speeds_in_brightness():
    angles = np.radians(np.arange(0, 360, 30.0))
    fast, slow = colour(angles, np.ones(12)), colour(angles, np.zeros(12))
    hue = np.array([colorsys.rgb_to_hsv(*rgb)[0] for rgb in fast])
    assert np.all(np.diff(np.unwrap(2 * np.pi * hue)) > 0)
    weight = np.array([0.2126, 0.7152, 0.0722])
    assert np.ptp(fast**2.2 @ weight) < 0.12  # no direction looks faster than another
    assert (slow @ weight < 0.5 * (fast @ weight)).all()


@pytest.mark.parametrize("count", [0, 3])
def test_a_map_is_drawn_with_and_without_tracks(count, tmp_path):
    flow = FlowMap.empty(Region((-1e-3, 1e-3), (30e-3, 32e-3)), 0.1e-3)
    for i in range(count):
        flow.draw(track(i, [-0.9, 0.9], [30.5 + i / 3, 31], 5.0, 1.0))
    figure = map_figure(flow.shown)
    density, velocity = figure.axes[:2]
    np.testing.assert_array_equal(density.images[0].get_array(), flow.density)
    drawn = velocity.images[0].get_array().max(axis=-1) > 0
    np.testing.assert_array_equal(drawn, flow.density > 0)
    assert density.get_ylim() == pytest.approx((32, 30))
    assert save_picture(figure, tmp_path / "map.png").stat().st_size > 5000
