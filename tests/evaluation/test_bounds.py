import numpy as np
import pytest

from bubbleloc.evaluation.certainty import arrival_bound, single_echo
from bubbleloc.physics import Scene, Setup


def gaussian_pulse(at=500.0, width=20.0, samples=1000):
    return np.exp(-(((np.arange(samples) - at) / width) ** 2) / 2)


def test_bound_of_a_gaussian_pulse_is_its_closed_form():
    # Σ s'² of exp(−t²/2w²) is √π / (2w)
    width, noise_v = 20.0, 0.05
    bound = noise_v / np.sqrt(np.sqrt(np.pi) / (2 * width))
    assert arrival_bound(gaussian_pulse(width=width), noise_v) == pytest.approx(bound, rel=1e-6)


def test_least_squares_reaches_the_bound():
    pulse, noise_v = gaussian_pulse(), 0.02
    slope = np.gradient(pulse)
    rng = np.random.default_rng(0)
    noise = noise_v * rng.standard_normal((4000, 1000))
    errors = noise @ slope / (slope @ slope)
    assert np.std(errors) == pytest.approx(arrival_bound(pulse, noise_v), rel=0.05)


def test_a_second_echo_raises_the_bound_where_they_overlap():
    pulse = gaussian_pulse()
    alone = arrival_bound(pulse, 0.1)
    assert arrival_bound(pulse, 0.1, 400.0) == pytest.approx(alone, rel=1e-6)
    near, nearer = (arrival_bound(pulse, 0.1, d) for d in (10.0, 5.0))
    assert alone < near < nearer
    shifted = gaussian_pulse(510.0)
    slopes = np.stack([np.gradient(pulse), np.gradient(shifted)])
    fisher = slopes @ slopes.T / 0.1**2
    assert near == pytest.approx(np.sqrt(np.linalg.inv(fisher)[0, 0]), rel=1e-3)


def test_bounds_scale_with_noise_and_pressure():
    setup = Setup()
    weak, strong = (
        single_echo(Scene([0.03, 0.05], [0, 0], [2.4e-6, 2.4e-6], p), 1, setup) for p in (5e2, 1e3)
    )
    assert np.abs(strong).max() == pytest.approx(2 * np.abs(weak).max(), rel=0.02)
    assert arrival_bound(weak, 0.2) == pytest.approx(2 * arrival_bound(weak, 0.1))
    assert arrival_bound(weak, 0.1) == pytest.approx(2 * arrival_bound(strong, 0.1), rel=0.02)
