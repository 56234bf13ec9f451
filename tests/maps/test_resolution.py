"""Fourier ring correlation against its closed form for noise."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from bubbleloc.maps.resolution import FIXED, ring_correlation

PIXEL_M = 20e-6
SHAPE = (512, 384)


def halves(sigma_pixels, noise, seed=0):
    """White noise blurred by a Gaussian, the same in both, and white noise of each."""
    rng = np.random.default_rng(seed)
    shared = gaussian_filter(rng.normal(size=SHAPE), sigma_pixels, mode="wrap", truncate=6)
    return [shared + noise * rng.normal(size=SHAPE) for _ in range(2)]


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
def test_blurred_noise_has_the_resolution_of_its_closed_form(noise):
    """Spectra exp(−(2πσf)²) and noise²: the correlation is 1/7 where they are as 1 to 6."""
    sigma = 2.0
    rings = ring_correlation(*halves(sigma, noise), PIXEL_M)
    frequency = 1e-3 * rings.per_mm * 1e6 * PIXEL_M  # per pixel
    shared = np.exp(-((2 * np.pi * sigma * frequency) ** 2))
    enough = slice(10, None)  # pixels in a ring for the mean of their products
    expected = (shared / (shared + noise**2))[enough]
    np.testing.assert_allclose(rings.correlation[enough], expected, atol=0.12)
    per_pixel = np.sqrt(-np.log(noise**2 / 6)) / (2 * np.pi * sigma)
    assert rings.resolution_um() == pytest.approx(1e6 * PIXEL_M / per_pixel, rel=0.06)


def test_rings_are_those_of_a_sum_over_pixels():
    """A ring by hand: pixels of the spectrum at 9.5 to 10.5 steps."""
    one, other = halves(1.0, 0.2)
    rings = ring_correlation(one, other, PIXEL_M)
    steps = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, 1 / 384) for n in SHAPE), indexing="ij"))
    inside = np.rint(steps) == 10
    edges = [
        np.sin(
            np.pi / 2 * np.clip(np.minimum(i := np.arange(n), n - 1 - i) / (0.25 * (n - 1)), 0, 1)
        )
        ** 2
        for n in SHAPE
    ]
    window = edges[0][:, None] * edges[1]
    a, b = (np.fft.fft2((half - half.mean()) * window)[inside] for half in (one, other))
    expected = np.sum(a * b.conj()).real / np.sqrt(np.sum(abs(a) ** 2) * np.sum(abs(b) ** 2))
    assert rings.correlation[9] == pytest.approx(expected)
    assert rings.per_mm[9] == pytest.approx(10 / (384 * 1e3 * PIXEL_M))
    n = inside.sum() / 2
    half_bit = (0.2071 + 1.9102 / np.sqrt(n)) / (1.2071 + 0.9102 / np.sqrt(n))
    assert rings.half_bit[9] == pytest.approx(half_bit)


def test_equal_halves_are_resolved_to_two_pixels_and_others_not_at_all():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 64, 64))
    assert ring_correlation(one, one, PIXEL_M).resolution_um() == pytest.approx(40)
    assert np.isnan(ring_correlation(one, -one, PIXEL_M).resolution_um())
    assert np.abs(ring_correlation(one, other, PIXEL_M).correlation[10:]).max() < 0.5


def test_empty_maps_have_no_resolution():
    assert np.isnan(ring_correlation(*np.zeros((2, 32, 48)), PIXEL_M).resolution_um())


def test_the_table_has_a_row_per_ring():
    table = ring_correlation(*halves(2.0, 0.1), PIXEL_M).to_table()
    assert list(table) == ["per_mm", "correlation", "threshold", "half_bit"]
    assert (table["threshold"] == FIXED).all()
    assert len(table) == 192
