"""Random scenes: how many bubbles, of which kind, and how hard the pulse is; true bubbles."""

import warnings

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.physics import Bubbles, Setup, draw_scene, simulate_rf, true_bubbles
from bubbleloc.physics.scene import BUBBLE_FIELDS, draw_radii

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


def test_true_bubbles_are_those_of_the_scene_at_their_time_of_flight():
    scene, setup = draw_scene(np.random.default_rng(0)), Setup()
    bubbles = true_bubbles(scene, setup)
    flight_m = scene.depth_m + np.hypot(scene.depth_m, scene.lateral_m)
    np.testing.assert_allclose(bubbles.arrival_sample, flight_m / 1480 * 62.5e6, rtol=1e-12)
    again = bubbles.scene(scene.pressure_pa)
    for name in ("depth_m", "lateral_m", "radius_m"):
        np.testing.assert_array_equal(getattr(again, name), getattr(scene, name))


def test_what_is_not_known_of_bubbles_is_nan():
    bubbles = Bubbles(np.array([3.0, 5.0]), lateral_m=np.asarray(0.0))
    assert len(bubbles) == 2
    assert np.isnan([bubbles.radius_m, bubbles.depth_m]).all()
    np.testing.assert_array_equal(bubbles.lateral_m, [0, 0])
    with pytest.raises(InputError, match="give a row of finite values"):
        bubbles.scene(1e5)
    with pytest.raises(InputError, match=r"radius_m of shape \(3,\), arrivals of 2"):
        Bubbles(np.zeros(2), np.zeros(3))


def test_bubbles_are_chosen_and_put_together_with_all_that_is_known_of_them():
    bubbles = Bubbles(*np.random.default_rng(0).random((4, 9)))
    late = bubbles.arrival_sample > 0.5
    parts = bubbles[late], bubbles[~late][:2], bubbles[np.flatnonzero(~late)[2:]]
    order = np.concatenate([np.flatnonzero(late), np.flatnonzero(~late)])
    for name in BUBBLE_FIELDS:
        row = getattr(Bubbles.concatenate(parts), name)
        np.testing.assert_array_equal(row, getattr(bubbles, name)[order])
    assert len(Bubbles.concatenate([bubbles[:0], bubbles[:0]])) == 0


def test_bubbles_are_counted_at_their_rounded_arrival_inside_the_line_alone():
    bubbles = Bubbles(np.array([-0.4, 1.2, 0.8, 9.4]))
    np.testing.assert_array_equal(bubbles.count(10), [1, 2, 0, 0, 0, 0, 0, 0, 0, 1])
    assert bubbles.count(10).dtype == np.float32
    np.testing.assert_array_equal(bubbles.within(1, 8), [False, True, True, False])
    for outside in (9.6, -0.6, np.nan):
        with pytest.raises(InputError, match="an arrival outside the 10 samples"):
            Bubbles(np.array([1.0, outside])).count(10)


@pytest.mark.parametrize("bubbles", ["none", {"none": 1.0}, {"none": 1.0, "monodisperse": 0.0}])
def test_no_bubbles_have_no_radii(bubbles: str | dict[str, float]) -> None:
    with pytest.raises(InputError, match="bubbles=none: lines without bubbles have no radii"):
        draw_radii(np.random.default_rng(0), bubbles, 5)
    assert len(draw_scene(np.random.default_rng(0), bubbles)) == 0


def test_radii_of_a_mean_and_a_standard_deviation():
    """Clipped as published; the published ones are those of 2.4 ± 0.12 µm."""
    rng = np.random.default_rng(0)
    radii = 1e6 * draw_radii(rng, (1.5e-6, 0.15e-6), 20_000)
    assert radii.mean() == pytest.approx(1.5, abs=0.005)
    assert radii.std() == pytest.approx(0.15, abs=0.005)
    wide = draw_radii(rng, (1.5e-6, 0.7e-6), 1000)
    np.testing.assert_allclose([wide.min(), wide.max()], [0.75e-6, 2.25e-6])
    assert (draw_radii(rng, (1.5e-6, 0.0), 5) == 1.5e-6).all()
    published = [
        draw_radii(np.random.default_rng(1), kind, 100)
        for kind in ("monodisperse", (2.4e-6, 0.12e-6))
    ]
    np.testing.assert_allclose(*published, rtol=1e-12)
    mixed = draw_scene(np.random.default_rng(2), {(1.5e-6, 0.0): 1.0, "none": 0.0}, count=(9, 9))
    assert (mixed.radius_m == 1.5e-6).all()


@pytest.mark.parametrize("radius_m", [(1.5, 0.15), (1.5e-6, 1e-6), (0.15e-6, 1.5e-6)])
def test_radii_of_another_unit_or_order_are_refused(radius_m):
    with pytest.raises(InputError, match=r"scene: .*radi"):
        draw_scene(np.random.default_rng(0), radius_m)


def test_arguments_that_are_no_generator_or_range_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"rng=0; give a generator, such as np.random.default_rng"):
        draw_scene(0)
    with pytest.raises(InputError, match=r"count=40; give \(lowest, highest\), such as \(40, 40\)"):
        draw_scene(rng, count=40)
    with pytest.raises(InputError, match=r"pressure_pa=50000.0; give \(lowest, highest\)"):
        draw_scene(rng, pressure_pa=50e3)


def test_echoes_beyond_the_record_are_told():
    scene = draw_scene(np.random.default_rng(0), count=(40, 40))
    with pytest.warns(UserWarning, match=r"of 40 echoes arrive after .* ends at 30 mm: .*=0\.03\)"):
        line = simulate_rf(scene, Setup(depth_m=0.03))
    assert (line.arrival_sample > len(line.volts)).sum() > 10
    inside = draw_scene(np.random.default_rng(0), count=(4, 4), depth_m=0.03)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate_rf(inside, Setup(depth_m=0.03))
