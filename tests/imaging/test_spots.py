import numpy as np

from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.spots import bubbles_of

CELLS = Grid(1e-3 + 1e-4 * np.arange(30), 30e-3 + 5e-5 * np.arange(40))


def field(*bubbles):
    """Gaussians of bubbles: row, column, expected, offsets and deviations."""
    values = np.zeros((5, 40, 30), np.float32)
    values[3:] = 0.1
    for row, column, *rest in bubbles:
        values[:, row, column] = rest
    return values


def test_a_gaussian_is_a_bubble_at_its_middle():
    found = bubbles_of(field((10, 20, 0.7, 0.3, -0.4, 0.2, 0.5)), CELLS)
    np.testing.assert_allclose(found.x_m, 1e-3 + 1e-4 * 19.6)
    np.testing.assert_allclose(found.z_m, 30e-3 + 5e-5 * 10.3)
    np.testing.assert_allclose(found.probability, 0.7)
    np.testing.assert_allclose([found.x_sigma_m[0], found.z_sigma_m[0]], [5e-5, 1e-5])


def test_gaussians_side_by_side_are_one_bubble_as_wide_as_both():
    halves = (10, 20, 0.5, 0.0, 0.2, 0.1, 0.3), (10, 21, 0.4, 0.0, -0.4, 0.1, 0.3)
    found = bubbles_of(field(*halves), CELLS)
    places, weights = np.array([20.2, 20.6]), np.array([0.5, 0.4])
    mean = np.average(places, weights=weights)
    variance = np.average((places - mean) ** 2, weights=weights) + 0.3**2
    np.testing.assert_allclose(found.probability, 0.9, rtol=1e-6)
    np.testing.assert_allclose(found.x_m, 1e-3 + 1e-4 * mean, rtol=1e-6)
    np.testing.assert_allclose(found.x_sigma_m, 1e-4 * np.sqrt(variance), rtol=1e-5)


def test_bubbles_far_apart_are_two_the_more_certain_first():
    found = bubbles_of(field((10, 20, 0.5, 0, 0, 1, 1), (20, 5, 0.9, 0, 0, 1, 1)), CELLS)
    np.testing.assert_allclose(found.probability, [0.9, 0.5])
    np.testing.assert_allclose(found.z_m, 30e-3 + 5e-5 * np.array([20, 10]))


def test_more_than_one_bubble_in_a_place_is_two():
    found = bubbles_of(field((10, 20, 1.6, 0, 0, 1, 1)), CELLS)
    np.testing.assert_allclose(found.probability, [1, 0.6], rtol=1e-6)


def test_nothing_expected_is_no_bubble():
    assert len(bubbles_of(field(), CELLS)) == 0
