"""Mean echoes, and what is undone of their fading."""

import numpy as np
import pytest

from bubbleloc.imaging.array import Array
from bubbleloc.imaging.echoes import compensated, simulated_echo
from bubbleloc.physics import Scene, Setup, simulate_rf

SETUP = Setup(elements=5)
RADIUS_M = 2.4e-6


def lines_of(x_m, z_m):
    array = Array(SETUP.probe.element_positions_m(5), SETUP.scale)
    return simulate_rf(Scene([z_m], [x_m], [RADIUS_M], 1e5), SETUP).volts, array


def test_the_echo_of_equal_bubbles_is_that_of_one():
    echo = simulated_echo(SETUP, (RADIUS_M, 0.0), 1e5, distance_m=30e-3)
    line, _ = lines_of(0.0, echo.distance_m)
    arrival = 2 * echo.distance_m * 62.5e6 / 1480
    assert arrival == pytest.approx(round(arrival))
    assert abs(echo.distance_m - 30e-3) < 6e-6
    start = round(arrival)
    np.testing.assert_allclose(
        echo.volts, line[2, start : start + len(echo.volts)], atol=1e-5 * np.abs(line).max()
    )


def test_only_unequal_bubbles_appear_sooner_or_later():
    equal, unequal = (simulated_echo(SETUP, (RADIUS_M, spread), 1e5) for spread in (0.0, 1e-7))
    assert equal.arrival_sigma == 0
    assert 0.1 < unequal.arrival_sigma < 1.5


def test_the_mean_echo_of_unequal_bubbles_is_weaker():
    one, several = (simulated_echo(SETUP, (RADIUS_M, spread), 1e5) for spread in (0.0, 4e-7))
    assert np.abs(several.volts).max() < np.abs(one.volts).max()


@pytest.mark.parametrize(("x_m", "z_m"), [(0.0, 30e-3), (3e-3, 50e-3)])
def test_compensated_echoes_are_as_strong_as_at_the_distance(x_m, z_m):
    echo = simulated_echo(SETUP, (RADIUS_M, 0.0), 1e5)
    rf, array = lines_of(x_m, z_m)
    strength = np.abs(compensated(rf, array, echo.distance_m)).max(axis=1)
    np.testing.assert_allclose(strength / np.abs(echo.volts).max(), 1, atol=0.1)


def test_a_piece_of_lines_is_compensated_as_the_whole():
    rf, array = lines_of(0.0, 40e-3)
    whole = compensated(rf, array, 40e-3)
    np.testing.assert_allclose(compensated(rf[:, 3000:], array, 40e-3, 3000), whole[:, 3000:])
