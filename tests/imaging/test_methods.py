"""Methods that find the bubbles of a frame, on lines of bubbles that all have the mean echo."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.formats.transmits import Sent
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.echoes import lines_of, simulated_echo
from bubbleloc.imaging.learned import LearnedEcho
from bubbleloc.imaging.methods import METHODS, build
from bubbleloc.metrics.positions import match_points
from bubbleloc.nn import load_released
from bubbleloc.physics import Scene, Setup
from bubbleloc.physics.frames import simulate_frame
from bubbleloc.physics.scene import draw_radii
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
WAVELENGTH_M = 1480 / 1.7e6
FLAT_M = np.linspace(-9e-3, 9e-3, 24)
ARC = np.linspace(-0.3, 0.3, 24)
CONVEX_M = 30e-3 * np.stack([np.sin(ARC), np.cos(ARC) - 1])
ARRAYS = {
    "flat": Array(FLAT_M, SCALE, -500.0),
    "steered": Array(FLAT_M, SCALE, -500.0, sent=Sent(np.radians(9))),
    "convex": Array(CONVEX_M[0], SCALE, -500.0, CONVEX_M[1], Sent(None)),
}
REGION = Region((-3e-3, 3e-3), (18e-3, 22e-3))
X_M, Z_M = np.array([-2.31e-3, 0.1e-3, 2.2e-3, -0.9e-3]), 1e-3 * np.array([18.9, 20.13, 19.2, 21.5])
SAMPLES = 2000


@pytest.fixture(scope="module")
def echo():
    return simulated_echo(Setup(), (2.4e-6, 0.0), 1e5, distance_m=20e-3)


def noise(deviation, seed):
    return np.random.default_rng(seed).normal(0, deviation, (24, SAMPLES)).astype(np.float32)


def paired(found, x_m, z_m, reach_m):
    """Pairs of what was found and the bubbles; all must be paired."""
    true_m = np.column_stack([x_m, z_m])
    pairs = match_points(np.column_stack([found.x_m, found.z_m]), true_m, (reach_m, reach_m))
    assert len(pairs.detected) == len(found) == len(x_m)
    return pairs


@pytest.mark.parametrize(
    ("name", "most_m"),
    [
        ("conventional", (WAVELENGTH_M / 8, WAVELENGTH_M / 8)),
        ("wiener", (WAVELENGTH_M / 20, WAVELENGTH_M / 50)),
        ("clean", (WAVELENGTH_M / 100, WAVELENGTH_M / 400)),
    ],
)
@pytest.mark.parametrize("array", ARRAYS)
def test_bubbles_far_apart_are_found_where_they_are(array, name, most_m, echo):
    method = build(name, ARRAYS[array], REGION, echo=echo)
    found = method(lines_of(echo, ARRAYS[array], X_M, Z_M, SAMPLES)).above(0.5)
    pairs = paired(found, X_M, Z_M, WAVELENGTH_M / 4)
    assert (np.abs(pairs.error_m).max(axis=0) < most_m).all()
    np.testing.assert_allclose(found.height, 1, atol=0.03 if name == "clean" else 0.35)


@pytest.mark.parametrize("array", ARRAYS)
def test_what_clean_finds_explains_the_lines(array, echo):
    """Bubbles of 0.6 to 2 times the mean echo, two of them a quarter of a wavelength apart."""
    array = ARRAYS[array]
    x_m, z_m = np.append(X_M, X_M[0]), np.append(Z_M, Z_M[0] + WAVELENGTH_M / 4)
    heights = np.array([1.0, 2.0, 0.6, 0.8, 0.9])
    single = [lines_of(echo, array, [x], [z], SAMPLES) for x, z in zip(x_m, z_m, strict=True)]
    rf = np.tensordot(heights, single, 1).astype(np.float32)
    found = build("clean", array, REGION, echo=echo)(rf)
    pairs = paired(found, x_m, z_m, WAVELENGTH_M / 20)
    np.testing.assert_allclose(found.height[pairs.detected], heights[pairs.true], rtol=0.05)
    places = zip(found.x_m, found.z_m, found.height, strict=True)
    left = rf - sum(height * lines_of(echo, array, [x], [z], SAMPLES) for x, z, height in places)
    assert np.sum(left**2) < 2e-3 * np.sum(rf**2)


def test_deviations_of_clean_are_those_of_errors_by_noise(echo):
    array = ARRAYS["steered"]
    clean = build("clean", array, REGION, echo=echo)
    rf = lines_of(echo, array, X_M, Z_M, SAMPLES)
    ratios = []
    for seed in range(40):
        found = clean(rf + noise(0.2 * np.abs(echo.volts).max(), seed))
        pairs = paired(found, X_M, Z_M, WAVELENGTH_M / 4)
        sigma_m = np.column_stack([found.x_sigma_m, found.z_sigma_m])[pairs.detected]
        ratios.append(pairs.error_m / sigma_m)
    spread = np.sqrt(np.mean(np.concatenate(ratios) ** 2, axis=0))
    assert (np.abs(spread - 1) < 0.2).all()


@pytest.mark.parametrize("degrees", [0.0, 9.0])
def test_clean_finds_simulated_bubbles_and_tells_how_far_off_they_are(degrees):
    """Echoes of unequal bubbles, by the simulator's own geometry."""
    angle = np.radians(degrees)
    setup = Setup(elements=24, depth_m=0.04)
    bubbles = (2.4e-6, 0.12e-6)
    array = Array(setup.probe.element_positions_m(24), setup.scale, sent=Sent(angle))
    echo = simulated_echo(setup, bubbles, 1e5, distance_m=20e-3)
    clean = build("clean", array, REGION, echo=echo)
    ratios = []
    for radii_m in draw_radii(np.random.default_rng(0), bubbles, 40).reshape(10, 4):
        rf = simulate_frame(Scene(Z_M, X_M, radii_m, 1e5), setup, angle_rad=angle)
        found = clean(rf).above(0.5)
        pairs = paired(found, X_M, Z_M, WAVELENGTH_M / 20)
        ratios.append(pairs.error_m[:, 1] / found.z_sigma_m[pairs.detected])
    assert 0.5 < np.sqrt(np.mean(np.square(ratios))) < 1.5


@pytest.fixture(params=METHODS)
def any_method(request, echo):
    learned = LearnedEcho(echo.volts, echo.distance_m, spread=0.1, bubbles=100)
    network = load_released("robust-small")
    return build(request.param, ARRAYS["flat"], REGION, echo=learned, network=network)


def test_nothing_is_found_in_silence_or_faint_noise(any_method, echo):
    assert len(any_method(np.zeros((24, SAMPLES), np.float32))) == 0
    assert len(any_method(noise(0.1 * np.abs(echo.volts).max(), 0))) == 0


def test_lines_may_end_before_the_region(any_method):
    assert len(any_method(np.ones((24, 900), np.float32)).above(0.5)) == 0


def test_unknown_methods_and_missing_echoes_are_refused(echo):
    with pytest.raises(InputError, match="unknown method 'music'; choose one of conventional"):
        build("music", ARRAYS["flat"], REGION, echo=echo)
    with pytest.raises(InputError, match="method=clean looks for the mean echo of a bubble"):
        build("clean", ARRAYS["flat"], REGION)
