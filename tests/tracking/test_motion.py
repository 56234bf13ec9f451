"""The filter and the smoother against the least squares that they solve step by step."""

import numpy as np
import pytest

from bubbleloc.tracking.motion import Moving, smooth

CHANGE, SPEED = 0.03, 0.1


def least_squares(frame, found, variance):
    """Mean and covariance of positions and velocities in all frames (m,), (2m, 2m), one axis.

    Unknown are the first position and velocity and every change w of velocity, of which a half
    reaches the position of the next frame.
    """
    count = frame[-1] - frame[0] + 1
    state = np.zeros((count, 2, count + 1))  # position and velocity by the unknowns
    state[0, 0, 0] = state[0, 1, 1] = 1
    for i in range(1, count):
        state[i] = [state[i - 1, 0] + state[i - 1, 1], state[i - 1, 1]]
        state[i, 0, i + 1] += 0.5
        state[i, 1, i + 1] += 1
    looks = state[frame - frame[0], 0] / np.sqrt(variance)[:, None]
    prior = np.diag([0, 1 / SPEED, *np.full(count - 1, 1 / CHANGE)])
    equations = np.concatenate([looks, prior])
    right = np.concatenate([found / np.sqrt(variance), np.zeros(count + 1)])
    unknown = np.linalg.lstsq(equations, right)[0]
    covariance = np.linalg.inv(equations.T @ equations)
    sigma = np.sqrt(np.einsum("iu,uv,iv->i", state[:, 0], covariance, state[:, 0]))
    return state[:, 0] @ unknown, state[:, 1] @ unknown, sigma


@pytest.fixture
def track():
    rng = np.random.default_rng(0)
    frame = np.array([3, 4, 5, 8, 9, 11])
    variance = rng.uniform(1e-4, 4e-4, (6, 2))
    return frame, rng.normal(0, 0.1, (6, 2)).cumsum(axis=0), variance


def test_smoothing_is_least_squares(track):
    frame, found, variance = track
    position, velocity, spread = smooth(frame, found, variance, np.array([CHANGE]), SPEED)
    assert len(position) == 9
    for axis in range(2):
        x, v, sigma = least_squares(frame, found[:, axis], variance[:, axis])
        np.testing.assert_allclose(position[:, axis], x, atol=1e-9)
        np.testing.assert_allclose(velocity[:, axis], v, atol=1e-9)
        np.testing.assert_allclose(np.sqrt(spread[:, axis]), sigma, rtol=1e-6)


def test_the_filter_ends_where_the_smoother_does(track):
    frame, found, variance = track
    moving = Moving.born(found[:1], variance[:1], 2 * SPEED)
    for i in range(1, 9):
        moving = moving.predicted(turn=0.0, rest=CHANGE)
        if 3 + i in frame:
            nth = int(np.flatnonzero(frame == 3 + i)[0])
            moving = moving.updated(found[nth : nth + 1], variance[nth : nth + 1])
    position, velocity, spread = smooth(frame, found, variance, np.array([CHANGE]), SPEED)
    np.testing.assert_allclose(moving.position[0], position[-1], rtol=1e-9)
    np.testing.assert_allclose(moving.velocity[0], velocity[-1], rtol=1e-9)
    np.testing.assert_allclose(moving.pp[0], spread[-1], rtol=1e-9)


def test_one_position_is_its_own_track():
    place = np.array([[1.0, 2.0]])
    position, velocity, spread = smooth(
        np.array([5]), place, np.full((1, 2), 0.01), np.array([CHANGE]), SPEED
    )
    assert (position == place).all()
    assert (velocity == 0).all()
    assert (spread == 0.01).all()


def test_surprise_is_minus_the_logarithm_of_a_normal_density():
    stats = pytest.importorskip("scipy.stats")
    moving = Moving.born(np.zeros((1, 2)), np.array([[0.04, 0.09]]), 1.0)
    found, variance = np.array([[0.3, -0.2]]), np.array([[0.01, 0.02]])
    density = stats.multivariate_normal([0, 0], np.diag([0.05, 0.11])).logpdf(found[0])
    assert moving.surprise(found, variance)[0] == pytest.approx(-density)


@pytest.mark.parametrize("true", [0.001, 0.03])
def test_the_likeliest_change_of_velocity_is_taken(true):
    rng = np.random.default_rng(3)
    velocity = 0.1 + np.cumsum(rng.normal(0, true, (200, 2)), axis=0)
    place = np.cumsum(velocity, axis=0) + rng.normal(0, 0.02, (200, 2))
    frame, variance = np.arange(200), np.full((200, 2), 0.02**2)
    several = smooth(frame, place, variance, np.array([0.1, 0.03, 0.01, 0.001]), SPEED)
    alone = smooth(frame, place, variance, np.array([true]), SPEED)
    for found, expected in zip(several, alone, strict=True):
        np.testing.assert_array_equal(found, expected)
