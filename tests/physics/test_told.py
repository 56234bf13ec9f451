"""Lines on the standard scale: where echoes become peaks, whatever probe and rate."""

from dataclasses import replace

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import P4_1, Scene, Setup, simulate_rf
from bubbleloc.physics.probe import gaussian
from bubbleloc.physics.told import (
    STANDARD_HZ,
    Told,
    guessed,
    standard_samples,
    standardised,
    told_by,
)

DEPTHS_M = np.array([0.0131, 0.0222])


def peak(line, near):
    """Place of the highest sample near a sample, between samples by a parabola."""
    first = round(near) - 20
    k = first + int(np.argmax(line[first : first + 41]))
    a, b, c = line[k - 1 : k + 2].astype(float)
    return k + (a - c) / (2 * (a - 2 * b + c))


@pytest.mark.parametrize("probe", [P4_1, gaussian(5e6, 0.6)], ids=["p4-1", "5 MHz"])
@pytest.mark.parametrize("per_wavelength", [4.0, 12.3, 40.0])
def test_an_echo_becomes_a_peak_where_it_arrives(probe, per_wavelength):
    setup = Setup(transducer=probe, depth_m=0.03)
    told = told_by(setup)
    setup = replace(setup, sampling_rate_hz=per_wavelength * told.centre_hz)
    line = simulate_rf(Scene(DEPTHS_M, np.zeros(2), np.full(2, 2.4e-6), 1e5), setup)
    ratio = standard_samples(setup.sampling_rate_hz, told)
    assert ratio == pytest.approx(36 / per_wavelength, rel=1e-4)
    standard = standardised(line.volts[None], setup.sampling_rate_hz, told)[0]
    assert len(standard) == pytest.approx(len(line.volts) * ratio, abs=1)
    for arrival, depth_m in zip(line.arrival_sample * float(ratio), DEPTHS_M, strict=True):
        place = peak(standard, arrival)
        assert place == pytest.approx(arrival, abs=0.3)
        sound = setup.medium.speed_of_sound_m_s
        scaled_back = place / ratio / setup.sampling_rate_hz * sound / 2
        assert scaled_back == pytest.approx(depth_m, abs=0.3 / 36 * sound / told.centre_hz / 2)
    first, last = (line.arrival_sample * float(ratio)).round().astype(int)
    away = np.r_[: first - 60, first + 60 : last - 60, last + 60 : len(standard)]
    assert np.abs(standard[away]).max() < 0.2 * np.abs(standard).max()


def test_the_centre_is_that_of_the_echo():
    time_s = np.arange(-4e-6, 4e-6, 1e-8)
    echo = np.exp(-np.square(2e6 * time_s)) * np.cos(2 * np.pi * STANDARD_HZ * time_s)
    assert Told(echo, 1e8).centre_hz == pytest.approx(STANDARD_HZ, rel=1e-3)


def test_a_guess_has_the_centre_of_the_lines():
    setup = Setup(depth_m=0.05)
    rng = np.random.default_rng(0)
    scene = Scene(rng.uniform(0.005, 0.045, 60), np.zeros(60), np.full(60, 2.4e-6), 1e5)
    volts = simulate_rf(scene, setup).volts
    volts = volts + 0.05 * volts.std() * rng.standard_normal(volts.size)
    guess = guessed(volts[None].astype(np.float32), setup.sampling_rate_hz)
    assert guess.centre_hz == pytest.approx(told_by(setup).centre_hz, rel=0.1)


def test_what_cannot_be_told_is_refused():
    with pytest.raises(InputError, match="not all zero"):
        Told(np.zeros(5), 1e6)
    with pytest.raises(InputError, match="is not in lines"):
        standardised(np.ones((1, 99), np.float32), 2e6, told_by(Setup()))
