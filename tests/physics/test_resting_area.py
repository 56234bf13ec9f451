"""The resting area of the Segers shell: exact by default, and how much the published root changes.

Every figure here is one that docs/physics.md states.
"""

import dataclasses

import numpy as np
import pytest

from bubbleloc.physics import (
    WATER,
    Scene,
    Setup,
    bubble_response,
    draw_scene,
    shell_named,
    simulate_rf,
)
from tests.physics.reference import relative_l2

EXACT = shell_named("segers", WATER)
PUBLISHED = dataclasses.replace(EXACT, resting_area=0.94648544)
RADII_M = np.array([0.6, 1.0, 2.2, 2.4, 2.6, 4.0]) * 1e-6
AT_REST = np.zeros(1)


def strain(pressure_pa: float, setup: Setup) -> np.ndarray:
    """R/R₀ − 1 (bubbles, samples) at 2 cm."""
    count = len(RADII_M)
    depth, pressure = np.full(count, 0.02), np.full(count, pressure_pa)
    return bubble_response(RADII_M, depth, pressure, setup).radius_m / RADII_M[:, None] - 1


def test_the_default_is_the_exact_area() -> None:
    assert Setup().shell_model == EXACT
    assert f"{EXACT.resting_area:.7f}" == "0.9463948"


def test_tension_at_rest_is_exact() -> None:
    assert EXACT.tension_n_m(AT_REST)[0] == pytest.approx(0.010, abs=1e-15)


def test_the_default_stays_at_rest_without_sound() -> None:
    assert np.abs(strain(0.0, Setup())).max() < 1e-9


def test_the_published_root_starts_too_tense() -> None:
    assert PUBLISHED.resting_area - EXACT.resting_area == pytest.approx(9e-5, rel=0.05)
    assert PUBLISHED.tension_n_m(AT_REST)[0] - 0.010 == pytest.approx(5.3e-5, rel=0.02)


def test_the_published_root_creeps_before_any_sound() -> None:
    creep = strain(0.0, Setup(shell=PUBLISHED))
    assert ((creep[:, -1] < -2.5e-5) & (creep[:, -1] > -4.5e-5)).all()
    swing = np.abs(creep).max(axis=1)
    assert ((swing > 4.5e-5) & (swing < 6.5e-5)).all()


def test_the_quietest_pulse_moves_the_wall_far_more() -> None:
    moved = np.abs(strain(5e3, Setup())).max(axis=1)
    assert ((moved > 1e-3) & (moved < 1.05e-2)).all()


@pytest.mark.parametrize(("pressure_pa", "size"), [(5e3, 2e-3), (60e3, 6e-4), (250e3, 2e-4)])
def test_the_published_root_hardly_reaches_the_receiver(pressure_pa: float, size: float) -> None:
    drawn = draw_scene(np.random.default_rng(0), count=(60, 60))
    scene = Scene(drawn.depth_m, drawn.lateral_m, drawn.radius_m, pressure_pa)
    exact, published = (
        simulate_rf(scene, Setup(shell=shell)).volts.astype(np.float64)
        for shell in (EXACT, PUBLISHED)
    )
    assert relative_l2(published, exact) == pytest.approx(size, rel=0.25)
