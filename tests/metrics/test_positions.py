from itertools import permutations

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.metrics.positions import (
    TOLERANCES,
    Bounds,
    FrameAnswer,
    best_threshold,
    by_chance,
    match_frames,
    match_points,
    pooled,
    score_positions,
)

LAMBDA_M = 0.8e-3
BOUNDS = Bounds((-5e-3, 5e-3), (30e-3, 50e-3))


def all_pairings(found, true):
    """Every way to pair as many points as there are of the fewer ones, as lists of index pairs."""
    if len(found) > len(true):
        return [[(i, j) for j, i in pairs] for pairs in all_pairings(true, found)]
    return [list(enumerate(p)) for p in permutations(range(len(true)), len(found))]


def brute_force(found, true, axes):
    """Most pairs within the ellipse and, of those, the least total distance, over all pairings."""
    distance = np.linalg.norm((found[:, None] - true[None]) / axes, axis=2)
    totals = []
    for pairs in all_pairings(found, true):
        near = [distance[pair] for pair in pairs if distance[pair] <= 1]
        totals.append((-len(near), sum(near)))
    return min(totals)


@pytest.mark.parametrize("seed", range(60))
def test_pairs_are_the_best_of_all_pairings(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 6, 2)
    axes = np.array([1.0, rng.choice([0.4, 1.0])])
    found, true = rng.uniform(0, 2.5, (n, 2)), rng.uniform(0, 2.5, (m, 2))
    matching = match_points(found, true, axes)
    distance = np.linalg.norm(matching.error_m / axes, axis=1)
    assert (distance <= 1).all()
    assert len(set(matching.detected)) == len(set(matching.true)) == len(distance)
    pairs, total = brute_force(found, true, axes)
    assert (-len(distance), distance.sum()) == (pairs, pytest.approx(total))
    np.testing.assert_array_equal(matching.error_m, found[matching.detected] - true[matching.true])


def test_more_pairs_come_before_nearer_ones():
    found, true = np.array([[0.0, 0], [0.9, 0]]), np.array([[0.1, 0], [-0.9, 0]])
    matching = match_points(found, true, (1, 1))  # 0 – 0.1 alone would be nearest
    assert sorted(zip(matching.detected, matching.true, strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("dx", "dz", "paired"), [(1.0, 0, 1), (0, 0.4, 1), (0.8, 0.3, 0)])
def test_a_pair_lies_within_the_ellipse(dx, dz, paired):
    matching = match_points(np.array([[dx, dz]]), np.zeros((1, 2)), (1, 0.4))
    assert len(matching.detected) == paired


def test_a_point_on_the_true_one_is_a_pair():
    point = np.array([[1e-3, 40e-3]])
    assert match_points(point, point, (1e-5, 1e-5)).f1 == 1


@pytest.mark.parametrize(("n", "m", "f1"), [(0, 0, 1), (0, 3, 0), (2, 0, 0)])
def test_frames_without_points(n, m, f1):
    matching = match_points(np.zeros((n, 2)), np.ones((m, 2)), (0.1, 0.1))
    assert matching.f1 == f1
    assert np.isnan(matching.rmse_m).all()


@pytest.mark.parametrize(
    ("found", "axes"),
    [(np.zeros(2), (1, 1)), (np.full((1, 2), np.nan), (1, 1)), (np.zeros((1, 2)), (1, 0))],
)
def test_bad_points_are_refused(found, axes):
    with pytest.raises(InputError, match=r"give two lengths|finite points"):
        match_points(found, np.zeros((1, 2)), axes)


def scattered(seed, count=40, sigma=5e-5, extra=10):
    """A frame whose confident points lie beside true ones; others are anywhere."""
    rng = np.random.default_rng(seed)
    true = BOUNDS.random(count, rng)
    near = true + rng.normal(0, [sigma, sigma / 2], true.shape)
    confidence = np.r_[rng.uniform(0.5, 1, count), rng.uniform(0, 0.5, extra)]
    return FrameAnswer(np.r_[near, BOUNDS.random(extra, rng)], confidence, true)


def test_scores_of_several_frames_are_those_of_their_sums():
    frames = [scattered(s) for s in range(3)]
    parts = match_frames(frames, 0.3, (2e-4, 2e-4))
    whole = pooled(parts)
    hits, found = sum(len(p.detected) for p in parts), sum(p.n_detected for p in parts)
    assert whole.precision == hits / found
    assert whole.recall == hits / 120
    assert whole.f1 == pytest.approx(2 * hits / (found + 120))
    assert whole.jaccard == pytest.approx(hits / (found + 120 - hits))
    errors = np.concatenate([p.error_m for p in parts])
    np.testing.assert_allclose(whole.rmse_m**2, whole.bias_m**2 + errors.var(axis=0))
    true = np.concatenate([f.true_m for f in frames])
    kept = np.concatenate([f.above(0.3).found_m for f in frames])
    np.testing.assert_array_equal(kept[whole.detected] - true[whole.true], errors)


def test_the_threshold_parts_what_is_there_from_what_is_not():
    frames = [scattered(s) for s in range(4)]
    threshold = best_threshold(frames, (2e-4, 2e-4))
    levels = np.unique(np.concatenate([f.confidence for f in frames]))
    best = max(pooled(match_frames(frames, level, (2e-4, 2e-4))).f1 for level in levels)
    assert pooled(match_frames(frames, threshold, (2e-4, 2e-4))).f1 > best - 0.02
    assert 0.4 < threshold < 0.55


def test_a_table_of_scores():
    table = score_positions(
        [scattered(s) for s in range(3)],
        [scattered(s) for s in range(10, 16)],
        LAMBDA_M,
        BOUNDS,
        np.random.default_rng(0),
    ).set_index("tolerance")
    assert list(table.index) == list(TOLERANCES)
    first = table.iloc[0]
    assert first.f1 > 0.97
    assert first.rmse_x_um == pytest.approx(50, rel=0.15)
    assert first.rmse_z_um == pytest.approx(25, rel=0.15)
    assert (table.f1.diff().dropna() <= 0).all()  # tolerances become tighter
    assert table.iloc[-1].rmse_x_um < 40


def test_chance_is_the_share_of_the_plane_that_ellipses_cover():
    """A point among few has a true one in its ellipse with their area over that of the plane."""
    rng = np.random.default_rng(5)
    frames = [FrameAnswer(BOUNDS.random(20, rng), np.ones(20), BOUNDS.random(20, rng))] * 400
    matching = pooled(match_frames(by_chance(frames, BOUNDS, rng), 0.5, (2e-4, 1e-4)))
    assert matching.n_detected == 20 * 400
    assert matching.f1 == pytest.approx(20 * np.pi * 2e-4 * 1e-4 / 200e-6, rel=0.25)


def test_points_outside_the_bounds_are_left_out():
    points = np.array([[0, 40e-3], [5.1e-3, 40e-3], [0, 29e-3]])
    assert len(BOUNDS.inside(points)) == 1
    assert len(BOUNDS.inside(points, 0.2e-3)) == 2
