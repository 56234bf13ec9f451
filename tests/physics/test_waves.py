"""Pulse, propagation and echoes against closed forms."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbleloc.physics import WATER, Medium, Setup, drive_signal, propagate, unit_pulse
from bubbleloc.physics.echo import _add_delayed
from bubbleloc.physics.propagation import attenuation_np_m
from tests.physics.reference import relative_l2

SETUP = Setup()
# Marmottant: the Segers shell warns outside water.
LOSSLESS = Setup(shell="marmottant", medium=Medium(attenuation_db_cm_mhz=0))


def test_drive_has_three_levels() -> None:
    """+1 for samples 0…49, −1 for samples 74…123."""
    drive = drive_signal(SETUP)
    assert drive.shape == (124,)
    assert (drive[:50] == 1).all()
    assert (drive[50:74] == 0).all()
    assert (drive[74:] == -1).all()


@pytest.mark.parametrize("cycles", [0.5, 2, 3.5])
def test_cycles_count_half_periods(cycles: float) -> None:
    drive = drive_signal(Setup(cycles=cycles))
    steps = np.diff(np.concatenate([[0], np.abs(drive), [0]]))
    assert (steps > 0).sum() == 2 * cycles


def test_more_cycles_narrow_the_pulse() -> None:
    def bandwidth(setup: Setup) -> int:
        spectrum = np.abs(np.fft.rfft(unit_pulse(setup)[0], 20_000))
        return int((spectrum > spectrum.max() / 2).sum())

    assert bandwidth(Setup(cycles=4)) < 0.5 * bandwidth(SETUP)


def test_own_drive_replaces_the_pulse() -> None:
    """The built-in excitation handed in as one's own gives the same pulse; twice it, too."""
    drive = drive_signal(SETUP)
    own = dataclasses.replace(SETUP, drive=tuple(2 * drive))
    assert own.window_samples <= SETUP.window_samples
    samples = own.window_samples
    np.testing.assert_allclose(unit_pulse(own)[1], unit_pulse(SETUP)[1][:samples], atol=1e-6)


def test_pulse_has_unit_amplitude() -> None:
    pressure, derivative = unit_pulse(SETUP)
    assert np.abs(pressure).max() == pytest.approx(1, abs=1e-3)
    assert pressure[0] == pytest.approx(0, abs=1e-15)
    assert pressure[-1] == pytest.approx(0, abs=1e-15)
    numeric = np.gradient(pressure) * SETUP.simulation_rate_hz
    assert relative_l2(numeric, derivative) < 5e-3


def test_attenuation_closed_form() -> None:
    """0.002 dB/cm/MHz² over 10 cm at 5 MHz is 0.5 dB; the exponent b is honoured."""
    loss_db = 20 * np.log10(np.exp(attenuation_np_m(WATER, 5e6) * 0.1))
    assert loss_db == pytest.approx(0.5)
    linear = Medium(attenuation_db_cm_mhz=0.5, attenuation_power=1)
    assert 20 * np.log10(np.exp(attenuation_np_m(linear, 2e6) * 0.01)) == pytest.approx(1.0)


def test_fundamental_loses_energy_as_its_spectrum_says() -> None:
    """A 20-cycle tone is near monochromatic: its amplitude falls by e^(−α₁z)."""
    setup = Setup(cycles=20)
    near, _ = propagate(0.0, 1.0, setup)
    far, _ = propagate(0.09, 1.0, setup)
    middle = slice(1500, 2500)
    ratio = np.linalg.norm(far[0, middle]) / np.linalg.norm(near[0, middle])
    assert ratio == pytest.approx(np.exp(-attenuation_np_m(WATER, 1.7e6) * 0.09), rel=1e-3)


def test_second_harmonic_without_loss() -> None:
    """Then P₂ grows as z·β/(ρc³)·p·dp/dt, the first step of a Burgers shock."""
    depth, amplitude = 0.05, 80e3
    _, harmonic = propagate(depth, amplitude, LOSSLESS)
    pressure, derivative = unit_pulse(LOSSLESS)
    strength = 3.6 / (998 * 1480**3)
    expected = depth * strength * amplitude**2 * pressure * derivative
    assert relative_l2(harmonic[0], expected) < 1e-6


def test_second_harmonic_grows_with_amplitude_squared() -> None:
    fundamental, harmonic = propagate([0.05, 0.05], [1e4, 3e4], SETUP)
    np.testing.assert_allclose(fundamental[1], 3 * fundamental[0], atol=1e-9)
    np.testing.assert_allclose(harmonic[1], 9 * harmonic[0], atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    samples=st.integers(2, 30),
    start=st.one_of(st.integers(0, 60), st.floats(0, 60)),
    seed=st.integers(0, 2**32 - 1),
)
def test_delays_interpolate_linearly(samples: int, start: float, seed: int) -> None:
    echo = np.random.default_rng(seed).standard_normal(samples)
    line = np.zeros(50)
    _add_delayed(echo[None], np.array([float(start)]), line)
    expected = np.interp(np.arange(50.0), start + np.arange(samples), echo, left=0, right=0)
    np.testing.assert_allclose(line, expected, atol=1e-9)
