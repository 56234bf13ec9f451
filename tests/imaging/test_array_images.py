import numpy as np
import pytest

from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.array_images import ArrayImages, cells_around, drawn, in_cells
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.echoes import lines_of, simulated_echo
from bubbleloc.physics import Setup
from bubbleloc.units import Scale

WAVELENGTH_M = 1480 / 1.7e6
REGION = Region((-2e-3, 1e-3), (30e-3, 32e-3))
ARRAY = Array(np.linspace(-0.01, 0.01, 8), Scale(62.5e6, 1480, 1.7e6))


def test_cells_hold_the_region_and_a_margin():
    cells = cells_around(REGION, ARRAY)
    np.testing.assert_allclose(np.diff(cells.lateral_m), WAVELENGTH_M / 6)
    np.testing.assert_allclose(np.diff(cells.depth_m), WAVELENGTH_M / 12)
    inner = cells.lateral_m[5:-5], cells.depth_m[8:-8]
    for middles, (low, high) in zip(inner, (REGION.lateral_m, REGION.depth_m), strict=True):
        assert middles[0] <= low + 1e-12
        assert middles[-1] >= high - 1e-12


def test_rows_of_pixels_become_channels():
    images = np.arange(3 * 8 * 5, dtype=np.float32).reshape(3, 8, 5)
    cells = in_cells(images)
    assert cells.shape == (6, 4, 5)
    for channel in range(3):
        np.testing.assert_array_equal(cells[2 * channel], images[channel, ::2])
        np.testing.assert_array_equal(cells[2 * channel + 1], images[channel, 1::2])


def test_bubbles_are_drawn_where_they_are():
    pixels = Grid(1e-3 * np.arange(10), 0.02 + 1e-4 * np.arange(20))
    found = np.array([[2.3e-3, 0.02047, 2], [7e-3, 0.0215, 3]])
    image = drawn(found, pixels)
    np.testing.assert_allclose(image.sum(), 5, rtol=1e-6)
    left = image[:, :5]
    np.testing.assert_allclose((left.sum(0) @ pixels.lateral_m[:5]) / left.sum(), 2.3e-3, rtol=1e-6)
    np.testing.assert_allclose((left.sum(1) @ pixels.depth_m) / left.sum(), 0.02047, rtol=1e-6)


def test_bubbles_outside_are_not_drawn():
    pixels = Grid(1e-3 * np.arange(10), 0.02 + 1e-4 * np.arange(20))
    away = np.array([[-5e-3, 0.02, 1], [20e-3, 0.03, 1]])
    assert not drawn(away, pixels).any()


@pytest.fixture(scope="module")
def images_of():
    setup = Setup(elements=32)
    array = Array(setup.probe.element_positions_m(32), setup.scale)
    region = Region((-1e-3, 1e-3), (19e-3, 21e-3))
    return ArrayImages(Clean(array, region, simulated_echo(Setup(), "monodisperse", 1e5)))


def test_clean_moves_a_bubble_from_what_remains_to_what_is_found(images_of):
    clean, x_m, z_m = images_of.clean, 0.31e-3, 20.17e-3
    lines = lines_of(clean.echo, clean.array, x_m, z_m, 2500)
    images = images_of(lines)
    rows, columns = images_of.cells.depth_m, images_of.cells.lateral_m
    assert images.shape == (34, len(rows), len(columns))
    whole, rest = images[:32].reshape(2, 8, 2, len(rows), len(columns)).sum(1)
    _, row, column = np.unravel_index(whole.argmax(), whole.shape)
    assert abs(rows[row] - z_m) < rows[1] - rows[0]
    assert abs(columns[column] - x_m) < columns[1] - columns[0]
    assert np.abs(rest).max() < 0.1 * whole.max()
    np.testing.assert_allclose(images[32:].sum(), 1, atol=0.05)
