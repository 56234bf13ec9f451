"""The linear bubble against the nonlinear equation at faint pressures, and what it lacks."""

import dataclasses

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, bubble_response, propagate, simulate_rf
from bubbleloc.physics.propagation import pressure_at
from tests.physics.reference import relative_l2
from tests.physics.test_bubble_equation import adaptive_radius

FAINT_PA = 100.0
LINEAR = Setup(bubble="linear")


@pytest.mark.parametrize("radius_m", [1e-6, 2e-6, 3e-6, 4e-6])
@pytest.mark.parametrize("waveform", ["tristate", "s2.5"])
def test_matches_the_nonlinear_equation_at_100_pa(radius_m: float, waveform: str) -> None:
    """R(t) of the equation as in the papers, by an adaptive solver."""
    setup = dataclasses.replace(LINEAR, waveform=waveform)
    drive = pressure_at(0.02, FAINT_PA, setup)
    truth = adaptive_radius(radius_m, drive[0, :700], setup, "RK45", 1e-9) - radius_m
    found = bubble_response(radius_m, 0.02, FAINT_PA, setup).radius_m[0, :700] - radius_m
    assert relative_l2(found, truth) <= 0.01


@pytest.mark.parametrize("shell", ["segers", "marmottant", "none"])
def test_matches_our_integrator_at_faint_pressure(shell: str) -> None:
    """Velocity and sound, too, and through a chirp; at 1 Pa the equation is linear."""
    linear = dataclasses.replace(LINEAR, shell=shell, waveform="suc")
    full = dataclasses.replace(linear, bubble="nonlinear")
    radius = np.array([1.0, 1.5, 2.4, 4.0]) * 1e-6
    for field in ("radius_m", "velocity_m_s", "scattered_pa"):
        ours, truth = (
            getattr(bubble_response(radius, 0.02, 1.0, s), field) for s in (linear, full)
        )
        if field == "radius_m":
            ours, truth = ours - radius[:, None], truth - radius[:, None]
        for b in range(len(radius)):
            assert relative_l2(ours[b], truth[b]) <= 2e-3, f"{field} of {radius[b]} m"


def test_everything_scales_with_pressure() -> None:
    scene = Scene(np.array([0.02, 0.05]), np.zeros(2), np.array([2e-6, 3e-6]), 1e3)
    louder = dataclasses.replace(scene, pressure_pa=250e3)
    one, other = (simulate_rf(each, LINEAR).volts for each in (scene, louder))
    np.testing.assert_allclose(other, 250 * one, atol=1e-5 * np.abs(other).max())


def test_the_wave_grows_no_second_harmonic() -> None:
    assert np.abs(propagate(0.05, 100e3, LINEAR)[1]).max() == 0
    assert np.abs(propagate(0.05, 100e3, Setup())[1]).max() > 0


def test_another_bubble_is_refused() -> None:
    with pytest.raises(InputError, match="choose one of nonlinear, linear"):
        Setup(bubble="quadratic")
