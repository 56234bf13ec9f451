"""Tissue, against a literal sum of delayed pulses in the frequency domain."""

import numpy as np
import pytest
from scipy import fft

from bubbleloc.console.settings.physics import Medium
from bubbleloc.physics import Setup, unit_pulse
from bubbleloc.physics.clutter import Tissue, simulate_clutter, tissue_region
from bubbleloc.physics.frames import arrival_samples
from tests.physics.reference import relative_l2

REGION = ((-14e-3, 14e-3), (30e-3, 45e-3))


@pytest.mark.parametrize("degrees", [0.0, 8.0])
def test_lines_are_the_sum_of_delayed_pulses(degrees: float) -> None:
    medium = Medium(attenuation_db_cm_mhz=0.3, attenuation_power=1.1)
    setup, angle = Setup(elements=3, medium=medium, shell="marmottant"), np.radians(degrees)
    drawn = Tissue.draw(1, REGION)
    tissue = Tissue(drawn.x_m[:20], drawn.z_m[:20], drawn.strength[:20])
    lines = simulate_clutter(tissue, setup, angle_rad=angle, window=(2000, 5000))
    length = 32768
    frequency = fft.rfftfreq(length, 1 / 250e6)
    pulse = fft.rfft(unit_pulse(setup)[0], length) * setup.probe.receive(frequency)
    alpha = 100 * 0.3 * (frequency / 1e6) ** 1.1 * np.log(10) / 20
    for line, x_e in zip(lines, setup.probe.element_positions_m(3), strict=True):
        total = np.zeros_like(pulse)
        for x, z, strength in zip(tissue.x_m, tissue.z_m, tissue.strength, strict=True):
            r = np.hypot(x - x_e, z)
            time_s = (x * np.sin(angle) + z * np.cos(angle) + r) / 1480
            loss = np.exp(-alpha * (z / np.cos(angle) + r)) * 1e-3 / r
            total += strength * loss * pulse * np.exp(-2j * np.pi * frequency * time_s)
        expected = fft.irfft(total, length)[8000:20000:4]
        assert relative_l2(line, expected) < 5e-3


def test_tissue_swings_slowly() -> None:
    """At most 1 mm/s down, half of it aside, back after a second; little in a frame."""
    tissue = Tissue.draw(2, REGION)
    times = np.linspace(0, 1, 201)
    z = np.array([tissue.at(time).z_m for time in times])
    x = np.array([tissue.at(time).x_m for time in times])
    assert np.abs(np.diff(z, axis=0)).max() / times[1] == pytest.approx(1e-3, rel=1e-3)
    assert np.abs(np.diff(x, axis=0)).max() / times[1] == pytest.approx(0.5e-3, rel=1e-3)
    np.testing.assert_allclose(z[-1], z[0], atol=1e-12)


def test_every_seed_has_its_own_tissue() -> None:
    setup, window = Setup(elements=5), (2400, 3600)
    region = tissue_region(setup, window)
    one, other, again = (
        simulate_clutter(Tissue.draw(seed, region), setup, window=window) for seed in (1, 2, 1)
    )
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.15
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("degrees", [-15.0, 0.0])
def test_the_region_of_tissue_fills_the_window(degrees: float) -> None:
    """Points above and below it are heard before and after the window by all elements."""
    setup, window, angle = Setup(elements=9), (2300, 4900), np.radians(degrees)
    (left, right), (top, bottom) = tissue_region(setup, window, angle)
    across = np.linspace(left, right, 50)
    above = arrival_samples(across, np.full(50, top), setup, angle)
    below = arrival_samples(across, np.full(50, bottom), setup, angle)
    assert above.max() < 2300 + 300
    assert above.min() > 1000
    assert below.min() >= 4900
