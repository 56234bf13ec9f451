"""Filling of vessels whose times are known."""

import numpy as np
import pytest

from bubbleloc.maps.saturation import saturation, saturation_fit


def test_the_share_of_known_vessels_is_counted():
    first_s = np.array([[1.0, 2.0, 3.0, np.inf], [0.5, 0.5, 0.5, 0.5]])
    vessels = np.array([[True] * 4, [False] * 4])
    found = saturation(first_s, vessels, until_s=9.9)
    assert found.share[0] == 0
    assert found.share[-1] == 0.75
    np.testing.assert_array_equal(found.share, [(first_s[0] <= t).sum() / 4 for t in found.time_s])
    assert np.isnan(found.filled_s)
    assert list(found.to_table()) == ["time_s", "share"]


def test_nine_of_ten_pixels_fill_a_map():
    first_s = np.append(np.arange(1.0, 10.0), np.inf)[None]
    assert saturation(first_s, np.ones((1, 10), bool), until_s=20.0).filled_s == 9.0


@pytest.mark.parametrize("until_tau", [1.0, 3.0])
def test_the_fit_finds_the_end_of_an_exponential_rise(until_tau):
    """Waiting times of mean τ: nine of ten are over after τ·log 10."""
    tau_s = 7.0
    rng = np.random.default_rng(0)
    first_s = rng.exponential(tau_s, (100, 100))
    first_s[first_s > until_tau * tau_s] = np.inf
    found = saturation_fit(first_s, until_tau * tau_s)
    assert found.filled_s == pytest.approx(tau_s * np.log(10), rel=0.05)
    assert found.share[-1] == pytest.approx(1 - np.exp(-until_tau), rel=0.05)


def test_the_fit_finds_the_end_of_pixels_that_wait_unequally_long():
    """Waiting times of a Weibull distribution: nine of ten are over after τ·(log 10)^(1/k)."""
    tau_s, power = 3.0, 0.7
    first_s = tau_s * np.random.default_rng(0).weibull(power, (200, 200))
    first_s[first_s > 15] = np.inf
    found = saturation_fit(first_s, 15.0)
    assert found.filled_s == pytest.approx(tau_s * np.log(10) ** (1 / power), rel=0.05)


def test_an_empty_map_is_never_filled():
    found = saturation_fit(np.full((3, 3), np.inf), 5.0)
    assert np.isnan(found.filled_s)
    assert (found.share == 0).all()
