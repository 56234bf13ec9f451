"""Places where arrivals meet, on lines whose arrivals are known."""

import numpy as np
import pytest

from bubbleloc.formats.transmits import Sent
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.arrivals import Arrivals
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, 1.7e6)
FLAT_M = np.linspace(-9e-3, 9e-3, 24)
ARC = np.linspace(-0.3, 0.3, 24)
CONVEX_M = 30e-3 * np.stack([np.sin(ARC), np.cos(ARC) - 1])
ARRAYS = {
    "flat": Array(FLAT_M, SCALE, -1400.0),
    "steered": Array(FLAT_M, SCALE, -1400.0, sent=Sent(np.radians(9))),
    "convex": Array(CONVEX_M[0], SCALE, -1400.0, CONVEX_M[1], Sent(None)),
}
REGION = Region((-3e-3, 3e-3), (18e-3, 22e-3))
SAMPLES = 800


def fields(arrival, sigma, expected=0.95):
    """What a network would say of lines with arrivals (E, B): one Gaussian for each."""
    rows = np.zeros((len(arrival), 4, SAMPLES))
    rows[:, 2] = 1.0
    for e, late in enumerate(arrival):
        sample = np.rint(late).astype(int)
        rows[e, 0, sample], rows[e, 1, sample], rows[e, 2, sample] = expected, late - sample, sigma
    return rows


@pytest.mark.parametrize("name", ARRAYS)
def test_bubbles_lie_where_their_arrivals_meet(name):
    array = ARRAYS[name]
    x_m, z_m = np.array([-2.31e-3, 0.1e-3, 2.2e-3]), np.array([18.9e-3, 20.13e-3, 21.2e-3])
    arrivals = Arrivals.of_emitters(array, fields(array.arrival_sample(x_m, z_m), 0.3))
    places = arrivals.places(REGION)
    places = places[places[:, 4] > 0.5]
    places = places[np.argsort(places[:, 0])]
    np.testing.assert_allclose(places[:, 0], x_m, atol=5e-6)
    np.testing.assert_allclose(places[:, 1], z_m, atol=1e-6)


def test_a_line_without_the_bubble_lowers_its_support_alone():
    array = ARRAYS["flat"]
    said = fields(array.arrival_sample(1e-3, 20e-3), 0.3, expected=1.0)
    whole = Arrivals.of_emitters(array, said).places(REGION)[0]
    said[:6, 0] = 0
    less = Arrivals.of_emitters(array, said).places(REGION)[0]
    np.testing.assert_allclose(less[:2], [1e-3, 20e-3], atol=2e-6)
    assert less[4] == pytest.approx(0.75 * whole[4], rel=0.01)


def test_errors_are_those_of_least_squares_on_arrivals_with_independent_errors():
    array, sigma = ARRAYS["flat"], 0.4
    rng = np.random.default_rng(0)
    exact = array.arrival_sample(0.7e-3, 20e-3)
    places = [
        Arrivals.of_emitters(
            array, fields(exact + rng.normal(0, sigma, exact.shape), sigma)
        ).places(REGION)[0]
        for _ in range(40)
    ]
    error = np.array(places)[:, :2] - [0.7e-3, 20e-3]
    slopes = array.slopes(np.array([0.7e-3]), np.array([20e-3]))[0]
    expected = sigma * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))  # closed form
    np.testing.assert_allclose(np.mean(places, axis=0)[2:4], expected, rtol=0.1)
    np.testing.assert_allclose(error.std(axis=0), expected, rtol=0.3)


def test_each_of_two_crossing_bubbles_takes_its_own_arrivals():
    array = ARRAYS["flat"]
    x_m, z_m = np.array([-0.5e-3, 0.5e-3]), np.array([20e-3, 20e-3])  # arrivals cross in the middle
    said = fields(array.arrival_sample(x_m, z_m), 0.3)
    places = Arrivals.of_emitters(array, said).places(REGION)
    places = places[places[:, 4] > 0.5]
    np.testing.assert_allclose(np.sort(places[:, 0]), x_m, atol=20e-6)
