"""Random scenes: how many bubbles, of which kind, and how hard the pulse is."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import draw_scene
from bubbleloc.physics.scene import draw_radii

SHARES = {"monodisperse": 0.5, "polydisperse": 0.3, "none": 0.2}


def scenes(number, **settings):
    return [draw_scene(np.random.default_rng(seed), **settings) for seed in range(number)]


def test_every_scene_is_of_one_kind_with_its_share():
    drawn = scenes(1000, bubbles=SHARES, count=(40, 60))
    empty = np.array([len(scene) == 0 for scene in drawn])
    spread = [np.std(s.radius_m) / np.mean(s.radius_m) for s in drawn if len(s)]
    assert abs(empty.mean() - 0.2) < 0.04
    assert not any(0.09 < value < 0.25 for value in spread)  # 5 % or that of SonoVue, no mixture
    assert abs(np.mean(np.array(spread) > 0.2) - 0.3 / 0.8) < 0.05


def test_counts_and_pressures_fill_their_ranges():
    drawn = scenes(1000, count=(0, 4), pressure_pa=(1e3, 2e3))
    assert {len(scene) for scene in drawn} == {0, 1, 2, 3, 4}
    pressures = [scene.pressure_pa for scene in drawn]
    assert 1e3 <= min(pressures) < 1.02e3
    assert 1.98e3 < max(pressures) <= 2e3


def test_a_power_draws_more_scenes_with_few_bubbles():
    sizes = np.array([len(scene) for scene in scenes(1000, count=(10, 1010), count_power=2)])
    assert abs((sizes < 260).mean() - 0.5) < 0.05  # u² < 1/4
    assert abs((sizes < 20).mean() - 0.1) < 0.03
    assert sizes.max() > 950


def test_radii_of_several_kinds_are_a_mixture_without_the_empty_one():
    radii = draw_radii(np.random.default_rng(0), SHARES, 20_000)
    assert radii.size == 20_000
    near = np.abs(radii / 2.4e-6 - 1) < 0.15
    assert 0.6 < near.mean() < 0.8  # all monodisperse, 5/8, and some of the others


@pytest.mark.parametrize("shares", [{}, {"monodisperse": 0.5}, {"monodisperse": 2, "none": -1}])
def test_shares_that_are_no_shares_are_refused(shares):
    with pytest.raises(InputError, match="their sum is 1"):
        draw_scene(np.random.default_rng(0), shares)
