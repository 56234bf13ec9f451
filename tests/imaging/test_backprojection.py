"""A network finds bubbles in simulated frames."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import resample_poly

from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.backprojection import Backprojection
from bubbleloc.metrics.positions import match_points
from bubbleloc.nn import build_model, load_released
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.physics.scene import draw_radii

ELEMENTS = 32
SETUP = Setup(elements=ELEMENTS)
ARRAY = Array(SETUP.probe.element_positions_m(ELEMENTS), SETUP.scale)
REGION = Region((-4e-3, 4e-3), (30e-3, 38e-3))
QUARTER_M = 1480 / 1.7e6 / 4


def frame(seed, count):
    """RF lines of bubbles, and their positions (count, 2)."""
    rng = np.random.default_rng(seed)
    x_m, z_m = (rng.uniform(*ends, count) for ends in (REGION.lateral_m, REGION.depth_m))
    radius_m = rng.normal(2.4e-6, 0.12e-6, count)
    rf = simulate_rf(Scene(z_m, x_m, radius_m, 100e3), SETUP).volts
    return rf, np.column_stack([x_m, z_m])


def points(positions):
    return np.column_stack([positions.x_m, positions.z_m])


@pytest.fixture(scope="module")
def network():
    return load_released("robust-small")


def test_bubbles_of_a_frame_are_found(network):
    rf, true_m = frame(0, 8)
    found = Backprojection(ARRAY, REGION, network)(rf)
    likely = found[found.probability > 0.5]
    matching = match_points(points(likely), true_m, (QUARTER_M, QUARTER_M))
    assert matching.f1 == 1
    error = np.abs(matching.error_m)
    assert (
        error < 4 * np.column_stack([likely.x_sigma_m, likely.z_sigma_m])[matching.detected]
    ).all()


def test_a_recording_of_another_rate_is_resampled(network):
    rf, true_m = frame(0, 8)
    scale = replace(SETUP.scale, sampling_rate_hz=25e6)
    array = Array(ARRAY.element_m, scale, delay_samples=-400.0)
    slower = resample_poly(rf, 2, 5, axis=1).astype(np.float32)[:, 400:]
    found = Backprojection(array, REGION, network)(slower)
    likely = found[found.probability > 0.5]
    matching = match_points(points(likely), true_m, (QUARTER_M, QUARTER_M))
    assert matching.f1 == 1


def test_every_third_element_of_a_large_array_is_used(network):
    large = Array(np.linspace(-14e-3, 14e-3, 96), SETUP.scale)
    used = Backprojection(large, REGION, network).used
    np.testing.assert_allclose(used.element_m, large.element_m[1::3])
    assert len(Backprojection(ARRAY, REGION, network).used) == ELEMENTS


def test_a_network_that_counts_is_refused():
    with pytest.raises(InputError, match=r"model\.head=emitters"):
        Backprojection(ARRAY, REGION, build_model("ckcnn"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_probabilities_are_the_share_of_true_bubbles(network, seed):
    """Over the conditions together that `PROBABILITY` was fitted to, on other frames."""
    setup, region = Setup(elements=96), Region((-5e-3, 5e-3), (30e-3, 50e-3))
    method = Backprojection(
        Array(setup.probe.element_positions_m(96), setup.scale), region, network
    )
    rng = np.random.default_rng(seed)
    stated, true = [], []
    for count in (10, 10, 10, 10, 40, 40, 100, 200):
        for kind, kpa in (("monodisperse", 25), ("monodisperse", 250), ("polydisperse", 100)):
            x_m, z_m = (rng.uniform(*ends, count) for ends in (region.lateral_m, region.depth_m))
            scene = Scene(z_m, x_m, draw_radii(rng, kind, count), 1e3 * kpa)
            noise = Noise(float(rng.choice([0, 0.04, 0.16])))
            rf = np.stack([noise(line, rng, 62.5e6) for line in simulate_rf(scene, setup).volts])
            found = method(rf)
            true_m = np.column_stack([x_m, z_m])
            matching = match_points(points(found), true_m, (QUARTER_M, QUARTER_M))
            stated.append(found.probability)
            true.append(np.isin(np.arange(len(found)), matching.detected))
    probability, is_true = np.concatenate(stated), np.concatenate(true)
    for low in (0.0, 0.25, 0.5, 0.75):
        near = (probability >= low) & (probability < low + 0.25)
        assert abs(probability[near].mean() - is_true[near].mean()) < 0.15
