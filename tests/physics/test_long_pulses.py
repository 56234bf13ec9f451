"""The integrator under long pulses, chirps and a train: an adaptive solver, and a halved step."""

import numpy as np
import pytest

from bubbleloc.physics import Setup
from bubbleloc.physics.bubble import oscillate
from bubbleloc.physics.propagation import pressure_at
from tests.physics.reference import assert_halving_the_step_changes_little, relative_l2
from tests.physics.test_bubble_equation import adaptive_radius

CASES = [
    ("s3.4", 2.4e-6, 250e3),
    ("l1.7", 2.4e-6, 250e3),
    ("l2.5", 1.5e-6, 125e3),
    ("sdc", 2.4e-6, 250e3),
    ("luc", 2.4e-6, 125e3),
    ("dpt", 3.0e-6, 250e3),
]


@pytest.mark.parametrize(("waveform", "radius_m", "pressure_pa"), CASES)
def test_matches_dop853(waveform: str, radius_m: float, pressure_pa: float) -> None:
    setup = Setup(waveform=waveform)
    drive = pressure_at(0.02, pressure_pa, setup)
    strain, _ = oscillate(np.array([radius_m]), drive, setup)
    truth = adaptive_radius(radius_m, drive[0], setup, "DOP853", 1e-10) / radius_m - 1
    assert relative_l2(strain[0], truth) <= 1e-3


@pytest.mark.parametrize("waveform", ["l1.7", "l3.4", "luc", "ldc", "dpt"])
@pytest.mark.parametrize("pressure_pa", [5e3, 60e3, 250e3])
def test_halving_the_step_changes_little(pressure_pa: float, waveform: str) -> None:
    """For the radii of a monodisperse scene, and some beside."""
    radius = np.array([1.0, 1.5, 2.0, 2.2, 2.4, 2.6, 3.0, 4.0]) * 1e-6
    setup = Setup(waveform=waveform)
    assert_halving_the_step_changes_little(radius, 0.02, pressure_pa, setup)
