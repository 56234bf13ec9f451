"""The joint fit, against literal sums and least squares of SciPy."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.echoes import Echo, lines_of
from bubbleloc.imaging.jointfit import NO_BUBBLES, Bubbles, JointFit
from bubbleloc.units import Scale

ARRAY = Array(np.linspace(-9e-3, 9e-3, 12), Scale(62.5e6, 1480, 1.7e6), -1500.0)
TIME = np.arange(300) / 62.5
ECHO = TIME**2 * np.exp(-4 * TIME) * np.sin(2 * np.pi * 1.7 * TIME) * 50
SAMPLES = 700
X_M, Z_M = np.array([-1e-3, -0.7e-3, 1.5e-3]), np.array([20e-3, 20.1e-3, 19e-3])
STRENGTH = np.array([1.1, 0.8, 1.0])
FREE = 10.0  # a spread that holds no strength


def model(x_m, z_m, strength):
    """Lines in which all echoes are as strong, by the literal sum over bubbles."""
    parts = []
    for x, z, strong in zip(x_m, z_m, strength, strict=True):
        arrival = ARRAY.arrival_sample(x, z)[:, 0]
        time = (np.arange(SAMPLES) - arrival[:, None]) / 62.5
        shape = np.where(time > 0, time, 0) ** 2 * np.exp(-4 * time)
        parts.append(strong * 50 * shape * np.sin(2 * np.pi * 1.7 * time))
    return np.sum(parts, axis=0)


def test_lines_are_the_sum_of_echoes():
    fit = JointFit(ARRAY, ECHO, FREE)
    lines = fit.lines(Bubbles(X_M, Z_M, STRENGTH), SAMPLES)
    np.testing.assert_allclose(lines, model(X_M, Z_M, STRENGTH), atol=0.01 * np.abs(ECHO).max())
    assert (fit.lines(NO_BUBBLES, SAMPLES) == 0).all()


def test_bubbles_closer_than_the_wavelength_go_where_they_are():
    fit = JointFit(ARRAY, ECHO, FREE)
    start = Bubbles(X_M + 30e-6, Z_M - 5e-6, np.ones(3))
    found = fit(model(X_M, Z_M, STRENGTH).astype(np.float32), start, 30)
    np.testing.assert_allclose(found.x_m, X_M, atol=3e-6)
    np.testing.assert_allclose(found.z_m, Z_M, atol=1e-6)
    np.testing.assert_allclose(found.strength, STRENGTH, atol=0.01)


def test_with_noise_the_fit_is_near_that_of_scipy():
    rng = np.random.default_rng(3)
    lines = model(X_M, Z_M, STRENGTH) + rng.normal(0, 0.02, (12, SAMPLES))
    found = JointFit(ARRAY, ECHO, FREE)(lines.astype(np.float32), Bubbles(X_M, Z_M, STRENGTH), 30)
    scale = np.repeat([1.0, 1e-3, 1e-4], 3)

    def left(unknown):
        strength, x_m, z_m = (unknown * scale).reshape(3, 3)
        return (model(x_m, z_m, strength) - lines).ravel()

    start = np.concatenate([STRENGTH, X_M, Z_M]) / scale
    strength, x_m, z_m = (least_squares(left, start).x * scale).reshape(3, 3)
    np.testing.assert_allclose(found.x_m, x_m, atol=40e-6)  # the filter weighs frequencies anew
    np.testing.assert_allclose(found.z_m, z_m, atol=8e-6)
    np.testing.assert_allclose(found.strength, strength, atol=0.1)


def test_deviations_are_those_of_errors_by_noise():
    rng = np.random.default_rng(4)
    fit, true = JointFit(ARRAY, ECHO, FREE), Bubbles(X_M, Z_M, STRENGTH)
    ratios = []
    for _ in range(30):
        lines = model(X_M, Z_M, STRENGTH) + rng.normal(0, 0.02, (12, SAMPLES))
        found = fit(lines, true, 10)
        x_sigma_m, z_sigma_m = fit.deviations(lines, found)
        ratios.append([(found.x_m - X_M) / x_sigma_m, (found.z_m - Z_M) / z_sigma_m])
    np.testing.assert_allclose(np.std(ratios, axis=0), 1, atol=0.35)


def test_a_small_spread_holds_strengths():
    lines = model(X_M, Z_M, STRENGTH).astype(np.float32)
    found = JointFit(ARRAY, ECHO, 0.01)(lines, Bubbles(X_M, Z_M, STRENGTH), 10)
    np.testing.assert_allclose(found.strength, 1, atol=0.02)


def test_bubbles_at_one_place_are_one():
    pair = Bubbles(np.array([1e-3, 1.01e-3, 2e-3]), np.full(3, 20e-3), np.array([0.6, 0.5, 1.0]))
    merged = pair.merged(40e-6, 10e-6)
    order = np.argsort(merged.x_m)
    assert merged.x_m[order] == pytest.approx([1e-3, 2e-3])
    assert merged.strength[order] == pytest.approx([1.1, 1.0])


def test_lines_of_a_learned_echo_are_those_of_other_methods():
    """Echoes that fade with the way, made as strong again, are the sum of equal ones."""
    echo = Echo(ECHO, 20e-3)
    lines = lines_of(echo, ARRAY, X_M[:1], Z_M[:1], SAMPLES)
    back_m = np.hypot(X_M[0] - ARRAY.element_m, Z_M[0])
    strong = lines * (Z_M[0] + back_m)[:, None] / 2 / 20e-3
    fitted = JointFit(ARRAY, ECHO, FREE).lines(Bubbles(X_M[:1], Z_M[:1], np.ones(1)), SAMPLES)
    np.testing.assert_allclose(strong, fitted, atol=0.02 * np.abs(ECHO).max())


def test_the_region_of_an_array_tells_the_size_of_a_sample():
    across_m, down_m = ARRAY.sample_size_m(Region((-3e-3, 3e-3), (18e-3, 22e-3)))
    assert down_m == pytest.approx(1480 / 62.5e6 / 2, rel=0.01)
    assert across_m == pytest.approx(1480 / 62.5e6 / (12 / np.hypot(12, 18)), rel=1e-3)
