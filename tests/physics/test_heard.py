"""The echo that is heard in lines is the one they were simulated with."""

import numpy as np
import pytest
from scipy import fft

from bubbleloc.arrays import Float32s
from bubbleloc.physics import Scene, Setup, gaussian, simulate_rf
from bubbleloc.physics.heard import heard
from bubbleloc.physics.told import Told, told_by

FREQUENCY_HZ = 4e6


def lines_of(setup: Setup, most: int, count: int = 24) -> Float32s:
    """Lines (count, L) of up to so many bubbles, with 4 % of noise."""
    rng, lines = np.random.default_rng(0), []
    for _ in range(count):
        depth_m = rng.uniform(0.1, 0.95, rng.integers(1, most + 1)) * setup.depth_m
        radius_m = rng.normal(1.5e-6, 0.07e-6, len(depth_m))
        volts = simulate_rf(Scene(depth_m, 0 * depth_m, radius_m, 60e3), setup).volts
        lines.append(volts + 0.04 * volts.std() * rng.standard_normal(len(volts)))
    return np.array(lines, np.float32)


def likeness(one: Told, other: Told) -> tuple[float, float]:
    """The correlation of two echoes, and by how many periods the first one is later."""
    rate_hz, size = 64 * other.centre_hz, 2**14
    a, b = (echo.spectrum(rate_hz / size, size // 2 + 1) for echo in (one, other))
    lags = fft.irfft(a * np.conj(b), size)
    norm = np.linalg.norm(fft.irfft(a, size)) * np.linalg.norm(fft.irfft(b, size))
    at = int(lags.argmax())
    return float(lags.max() / norm), (at if at < size // 2 else at - size) / 64


@pytest.mark.parametrize("per_wavelength", [4, 15])
def test_an_echo_is_heard_in_sparse_lines_at_any_rate(per_wavelength):
    setup = Setup(
        transducer=gaussian(FREQUENCY_HZ, 0.7),
        sampling_rate_hz=per_wavelength * FREQUENCY_HZ,
        depth_m=60 * 1480 / FREQUENCY_HZ,
        cycles=1.5,
    )
    found = heard(lines_of(setup, most=8), setup.sampling_rate_hz)
    assert found is not None
    assert found.echoes >= 20
    alike, late = likeness(found.told, told_by(setup, 1.5e-6, 60e3))
    assert alike > 0.98
    assert abs(late) < 0.6


def test_nothing_is_heard_in_crowds():
    setup = Setup(depth_m=0.03)
    assert heard(lines_of(setup, most=300, count=8)[:, 500:], 62.5e6) is None


def test_a_line_upside_down_is_heard_upside_down():
    setup = Setup(transducer=gaussian(FREQUENCY_HZ, 0.7), sampling_rate_hz=4e7, depth_m=0.02)
    lines = lines_of(setup, most=6)
    one, other = (heard(volts, 4e7) for volts in (lines, -3 * lines))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.told.echo, -one.told.echo, atol=1e-5)
