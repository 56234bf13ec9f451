"""Peaks, and where they are between pixels."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.peaks import (
    Pixels,
    local_maxima,
    parabolic,
    position_m,
    radial_symmetry,
)


def spots(rows, columns, shape=(60, 60), width=2.0):
    """Gaussian spots between pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    places = zip(rows, columns, strict=True)
    return sum(np.exp(-((y - r) ** 2 + (x - c) ** 2) / (2 * width**2)) for r, c in places)


ROWS, COLUMNS = np.array([12.3, 30.0, 45.45]), np.array([20.0, 35.49, 11.7])


def test_maxima_are_those_of_a_maximum_filter():
    image = np.random.default_rng(0).standard_normal((40, 50))
    inner = np.zeros_like(image, dtype=bool)
    inner[2:-2, 2:-2] = True
    expected = np.nonzero((image == maximum_filter(image, 3)) & (image > 0.5) & inner)
    found = local_maxima(image, above=0.5, half=2)
    np.testing.assert_array_equal(found, expected)


def test_of_a_plateau_one_pixel_is_the_maximum():
    image = np.zeros((9, 9))
    image[3:6, 2:5] = 1
    assert [list(axis) for axis in local_maxima(image)] == [[3], [2]]


@pytest.mark.parametrize(
    ("centre", "most"),
    [(parabolic, 0.02), (lambda image, at: radial_symmetry(image, at, 3), 0.01)],
)
def test_centres_of_spots_are_found_between_pixels(centre, most):
    image = spots(ROWS, COLUMNS)
    at = local_maxima(image, above=0.1)
    columns, rows = centre(image, at)
    np.testing.assert_allclose(at.row + rows, ROWS, atol=most)
    np.testing.assert_allclose(at.column + columns, COLUMNS, atol=most)


def test_symmetry_survives_a_saturated_top():
    image = np.minimum(spots(ROWS, COLUMNS), 0.7)
    at = Pixels(np.rint(ROWS).astype(int), np.rint(COLUMNS).astype(int))
    columns, rows = radial_symmetry(image, at, 4)
    np.testing.assert_allclose(at.row + rows, ROWS, atol=0.02)
    np.testing.assert_allclose(at.column + columns, COLUMNS, atol=0.02)


def test_a_flat_window_has_its_centre_at_its_pixel():
    middle = Pixels(np.array([4]), np.array([4]))
    assert np.ravel(radial_symmetry(np.ones((9, 9)), middle, 3)).tolist() == [0, 0]
    assert np.ravel(parabolic(np.ones((9, 9)), middle)).tolist() == [0, 0]


def test_positions_lie_between_pixels():
    grid = Grid(np.arange(5) * 0.1e-3, np.arange(5) * 0.05e-3)
    x_m, z_m = position_m(grid, Pixels([0], [2]), np.array([0.5]), np.array([-0.5]))
    assert x_m[0] == pytest.approx(0.25e-3)
    assert z_m[0] == pytest.approx(-0.025e-3)
