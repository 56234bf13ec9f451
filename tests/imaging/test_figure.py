import warnings

import numpy as np
import pytest

from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.figure import image_figure
from bubbleloc.physics import Scene

WHOLE, PARTS = (
    ("RF lines", "localized lines"),
    ("RF lines, framed part", "localized lines, framed part"),
)


def images_of(grid, place):
    """Images that are zero but for one bright pixel."""
    image = np.zeros((len(grid.depth_m), len(grid.lateral_m)), np.float32)
    image[place] = 7.0
    return image, image


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.images}


@pytest.mark.parametrize("depth_mm", [(10, 70), (15, 35), (0, 100), (20, 26)])
def test_both_images_are_shown_whole_and_in_part(depth_mm):
    grid = Grid.covering((-0.014, 0.014), (1e-3 * depth_mm[0], 1e-3 * depth_mm[1]), 0.1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of a layout that does not fit
        figure = image_figure(*images_of(grid, (31, 200)), grid)
        figure.canvas.draw()
    shown = panels(figure)
    assert set(shown) == {*WHOLE, *PARTS}
    for title in (WHOLE[1], PARTS[1]):  # no bright pixel is lost, whatever the size of the print
        assert shown[title].images[0].get_array().max() == 1
    left, right, bottom, top = shown[PARTS[0]].images[0].get_extent()
    assert left < 1e3 * grid.lateral_m[200] < right
    assert top < 1e3 * grid.depth_m[31] < bottom


def test_the_crowd_is_framed_and_its_bubbles_marked():
    lateral_m, depth_m = np.array([[-8, 5, 6, 6.5], [20, 40, 41, 39.5]]) * 1e-3
    bubbles = Scene(depth_m, lateral_m, np.full(4, 2e-6), 1e5)
    grid = Grid.covering((-0.014, 0.014), (0.01, 0.07), 0.2e-3)
    shown = panels(image_figure(*images_of(grid, (0, 0)), grid, bubbles))
    for title in PARTS:
        (circles,) = shown[title].lines
        np.testing.assert_allclose(circles.get_xdata(), 1e3 * lateral_m[1:])
        np.testing.assert_allclose(circles.get_ydata(), 1e3 * depth_m[1:])


def test_silence_is_drawn_as_it_is():
    grid = Grid.covering((-0.014, 0.014), (0.01, 0.07), 1e-3)
    silence = np.zeros((60, 28), np.float32)
    shown = panels(image_figure(silence, silence, grid))
    assert shown[WHOLE[1]].images[0].get_array().max() == 0
