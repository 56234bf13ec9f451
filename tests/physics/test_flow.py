"""Vessels and the bubbles in them, against closed forms of flow between two walls."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid

from bubbleloc.physics.flow import TRUTH_COLUMNS, Carried, Flow, uniform_scene
from bubbleloc.physics.vessels import VESSELS, crossing, pair, streamline, tree

LATERAL, DEPTH = (-5e-3, 5e-3), (30e-3, 50e-3)
REGION = (LATERAL, DEPTH)


def flow(name: str, density_mm2: float = 20.0, seed: int = 1) -> Flow:
    return Flow(VESSELS[name](REGION), density_mm2, 20e-3, seed)


@pytest.mark.parametrize("name", VESSELS)
def test_vessels_lie_in_their_rectangle(name: str) -> None:
    for vessel in VESSELS[name](REGION):
        for side in (-1, 1):
            x = vessel.x_m + side * vessel.radius_m * vessel.normal[0]
            z = vessel.z_m + side * vessel.radius_m * vessel.normal[1]
            assert np.abs(x).max() < 5e-3
            assert z.min() > 30e-3 - 5e-5
            assert z.max() < 50e-3 + 5e-5


def test_a_pair_comes_closer_evenly_until_its_walls_touch() -> None:
    left, right = pair(REGION)
    distance = right.x_m - left.x_m
    assert distance[0] == pytest.approx(1.5e-3)
    np.testing.assert_allclose(np.diff(distance, 2), 0, atol=1e-15)
    assert distance[-1] == pytest.approx(left.radius_m[-1] + right.radius_m[-1])


def test_crossing_vessels_meet_in_the_middle() -> None:
    one, other = crossing(REGION)
    at = np.interp(0.0, one.x_m, one.z_m)
    assert at == pytest.approx(40e-3)
    assert np.interp(0.0, other.x_m[::-1], other.z_m[::-1]) == pytest.approx(at)


def test_a_tree_has_three_generations_that_share_the_flow() -> None:
    vessels = tree(REGION)
    assert sorted(vessel.part for vessel in vessels) == [0.25] * 4 + [0.5] * 2 + [1.0]
    ends = [vessel.radius_m[-1] for vessel in vessels]
    np.testing.assert_allclose(ends, 2e-4 / np.sqrt([1, 2, 2, 4, 4, 4, 4]))


def test_streamlines_hold_their_part_of_the_flow() -> None:
    """The flow left of each, by numerical integration of 1 − g² between ±0.95."""
    place = np.linspace(0, 1, 7)
    whole = quad(lambda g: 1 - g**2, -0.95, 0.95)[0]
    parts = [quad(lambda g: 1 - g**2, -0.95, g)[0] / whole for g in streamline(place)]
    np.testing.assert_allclose(parts, place, atol=1e-12)


def test_speeds_are_those_of_poiseuille() -> None:
    """v·(1 − (r/R)²) by the distance from the straight centre line; the mean within 5 %."""
    vessels = crossing(REGION)
    bubbles = flow("crossing", 400)
    carried = bubbles.at(0.0, bubbles.entered(0.0))
    speed = np.hypot(carried.vx_m_s, carried.vz_m_s)
    for index, vessel in enumerate(vessels):
        here = carried.vessel == index
        start = np.array([vessel.x_m[0], vessel.z_m[0]])
        along = np.array([vessel.x_m[-1], vessel.z_m[-1]]) - start
        along /= np.hypot(*along)
        aside = (carried.x_m[here] - start[0]) * along[1] - (carried.z_m[here] - start[1]) * along[
            0
        ]
        np.testing.assert_allclose(speed[here], 20e-3 * (1 - (aside / 100e-6) ** 2), rtol=1e-6)
        assert speed[here].mean() == pytest.approx(20e-3 * (1 - 0.95**2 / 3), rel=0.05)


@pytest.mark.parametrize("name", VESSELS)
def test_bubbles_move_as_fast_as_they_are_said_to(name: str) -> None:
    """Central differences of positions, for those that stay in their vessel."""
    bubbles, step_s = flow(name), 1e-5
    entered = bubbles.entered(1.0)
    before, now, after = (bubbles.at(1.0 + k * step_s, entered) for k in (-1, 0, 1))
    common = np.isin(now.bubble, before.bubble) & np.isin(now.bubble, after.bubble)
    before, after = (
        Carried(*(row[np.isin(part.bubble, now.bubble[common])] for row in part))
        for part in (before, after)
    )
    stays = (before.vessel == after.vessel) & (now.vessel[common] == after.vessel)
    assert stays.sum() > 50
    for position, velocity in (("x_m", "vx_m_s"), ("z_m", "vz_m_s")):
        moved = (getattr(after, position) - getattr(before, position)) / (2 * step_s)
        gap = (moved - getattr(now, velocity)[common])[stays]
        assert np.abs(gap).max() < 2e-5  # of 20 mm/s, at the points of a polyline


def test_bubbles_go_on_smoothly_where_a_vessel_branches() -> None:
    bubbles = flow("tree")
    entered, step_s = bubbles.entered(0.5), 2e-3
    frames = [bubbles.at(t, entered).to_table(0) for t in np.arange(0, 0.5, step_s)]
    changed = 0
    for one, other in pairwise(frames):
        both = one.merge(other, on="bubble")
        moved = np.hypot(both.x_mm_y - both.x_mm_x, both.z_mm_y - both.z_mm_x)
        expected = step_s * np.hypot(both.vx_mm_s_x, both.vz_mm_s_x)
        assert (moved - expected).max() < 0.2 * 0.2  # mm: a fifth of the first radius
        changed += (both.vessel_x != both.vessel_y).sum()
    assert changed > 20


def test_branches_carry_what_their_parent_carries() -> None:
    """∫v dr where the first vessel ends, and where its branches have their full width."""
    bubbles = flow("tree")
    offset = np.linspace(-1, 1, 2001)
    flows = []
    for vessel in bubbles.vessels:
        point = int(0.6 * len(vessel.x_m))
        _, change = vessel.at(np.full(2001, vessel.swept_m2[point]), offset)
        rate = 1.5 * vessel.part * bubbles.flow_m2_s * (1 - offset**2)
        speed = rate * np.hypot(*change)
        flows.append(trapezoid(speed, offset * vessel.radius_m[point]))
    assert flows[0] == pytest.approx(4 / 3 * 200e-6 * 20e-3, rel=1e-3)
    assert flows[1] + flows[2] == pytest.approx(flows[0], rel=0.02)  # of slanted walls
    assert sum(flows[3:]) == pytest.approx(flows[0], rel=0.02)


@pytest.mark.parametrize("time_s", [0.0, 20.0])
def test_vessels_are_filled_evenly_at_any_time(time_s: float) -> None:
    """Numbers of bubbles in each vessel are Poisson: density × area, within four deviations."""
    counts = np.zeros(7)
    seeds = 20
    for seed in range(seeds):
        bubbles = flow("tree", seed=seed)
        carried = bubbles.at(time_s, bubbles.entered(time_s))
        counts += np.bincount(carried.vessel, minlength=7)
    expected = seeds * 20.0 * np.array([vessel.area_mm2 for vessel in bubbles.vessels])
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()


def test_a_frame_does_not_depend_on_those_after_it() -> None:
    bubbles = flow("tree")
    few, many = bubbles.entered(0.3), bubbles.entered(9.0)
    assert len(many.time_s) > len(few.time_s)
    for one, other in zip(bubbles.at(0.3, few), bubbles.at(0.3, many), strict=True):
        np.testing.assert_array_equal(one, other)
    other = flow("tree", seed=2)
    assert not np.isin(other.at(0.3, other.entered(0.3)).x_m, bubbles.at(0.3, few).x_m).any()


def test_a_table_of_the_bubbles_of_a_frame() -> None:
    bubbles = flow("pair")
    carried = bubbles.at(0.0, bubbles.entered(0.0))
    table = carried.to_table(3)
    assert list(table) == TRUTH_COLUMNS
    assert (table.frame == 3).all()
    scene = carried.scene(50e3)
    np.testing.assert_allclose(1e-3 * table.z_mm, scene.depth_m)
    np.testing.assert_allclose(1e-6 * table.radius_um, scene.radius_m)


def test_uniform_scenes_fill_their_rectangle_and_depend_on_seed_and_index_alone() -> None:
    lateral, depth = (-5e-3, 3e-3), (20e-3, 30e-3)
    scene = uniform_scene(1, 7, 2.5, lateral, depth)
    assert len(scene) == 200
    assert (scene.lateral_m >= -5e-3).all()
    assert (scene.lateral_m <= 3e-3).all()
    counts, *_ = np.histogram2d(scene.lateral_m, scene.depth_m, 2, [lateral, depth])
    assert counts.min() > 30  # 50 each, ± 6
    again, other = (uniform_scene(1, i, 2.5, lateral, depth) for i in (7, 8))
    np.testing.assert_array_equal(scene.depth_m, again.depth_m)
    assert not np.isin(scene.depth_m, other.depth_m).any()
    standing = Carried.standing(scene, 400)
    assert standing.bubble[[0, -1]].tolist() == [400, 599]
    assert np.isnan(standing.vx_m_s).all()
