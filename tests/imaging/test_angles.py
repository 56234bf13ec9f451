import numpy as np
import pytest

from bubbleloc.formats.transmits import Sent
from bubbleloc.imaging.angles import ANGLES, STEP, images_by_angle
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import Grid, delay_and_sum
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
X_M = np.sort(np.random.default_rng(1).uniform(-0.01, 0.01, 9))
GRID = Grid(np.linspace(-0.006, 0.006, 13), np.linspace(0.003, 0.02, 17))
ARRAYS = {
    "flat": Array(X_M, SCALE, 12.3),
    "steered": Array(X_M, SCALE, -40.0, sent=Sent(0.2)),
    "convex": Array(X_M, SCALE, 0.0, 1e-3 * np.cos(100 * X_M), Sent(None, np.zeros(9))),
}
LINES = np.random.default_rng(0).standard_normal((9, 2000)).astype(np.float32)


@pytest.mark.parametrize("name", ARRAYS)
def test_images_by_angle_add_up_to_delay_and_sum(name):
    array = ARRAYS[name]
    images = images_by_angle(LINES, array, GRID)
    np.testing.assert_allclose(
        images.sum(0), delay_and_sum(LINES[None], array, GRID)[0] / 9, atol=1e-6
    )


@pytest.mark.parametrize("name", ARRAYS)
def test_an_element_is_in_the_image_of_its_angle(name):
    array = ARRAYS[name]
    x, z = (axis.ravel() for axis in np.meshgrid(GRID.lateral_m, GRID.depth_m))
    for element in (0, 4, 8):
        lines = np.zeros_like(LINES)
        lines[element] = 1
        images = images_by_angle(lines, array, GRID).reshape(ANGLES, -1)
        angle = np.arctan2(array.element_m[element] - x, z - array.element_z_m[element])
        edges = np.arctan(STEP * np.arange(-ANGLES / 2 + 1, ANGLES / 2))
        np.testing.assert_array_equal(images.argmax(0), np.digitize(angle, edges))
        np.testing.assert_allclose(images.sum(0), 1 / 9, rtol=1e-6)
