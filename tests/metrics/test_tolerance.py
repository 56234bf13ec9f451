import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bubbleloc.errors import InputError
from bubbleloc.metrics import (
    THRESHOLDS,
    TOLERANCES,
    Sweep,
    best_thresholds,
    scores_at,
    tolerance_sweep,
)


def literal_scores(z, count, threshold, tolerance):
    """The published definition for one signal, sample by sample, with no shortcut."""
    positive = [s for s in range(len(z)) if float(z[s]) > float(threshold)]
    true = [s for s in range(len(count)) if count[s] > 0.5]
    tp = sum(any(abs(s - p) <= tolerance for p in positive) for s in true)
    fn = len(true) - tp
    fp = sum(not any(abs(s - p) <= tolerance for s in true) for p in positive)
    if tp + fp == 0:
        fp = 1
    if tp + fn == 0:
        fn = 1
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    precision = 1e-3 if precision == 0 else precision
    recall = 1e-3 if recall == 0 else recall
    return 2 * precision * recall / (precision + recall), precision, recall


def assert_literal(z, count, thresholds=THRESHOLDS, tolerances=TOLERANCES):
    sweep = tolerance_sweep(z, count, thresholds, tolerances)
    for i in range(len(z)):
        for j, tolerance in enumerate(tolerances):
            for k, threshold in enumerate(thresholds):
                expected = literal_scores(z[i], count[i], threshold, tolerance)
                got = sweep.f1[i, j, k], sweep.precision[i, j, k], sweep.recall[i, j, k]
                assert got == expected, (i, tolerance, threshold)


def bump_line(rng, length=300, bubbles=12, jitter=1.5):
    """A network-like output: bumps near the bubbles over weak noise."""
    count = np.bincount(rng.integers(0, length, bubbles), minlength=length)
    centre = np.flatnonzero(count) + rng.normal(0, jitter, np.count_nonzero(count))
    bumps = np.exp(-0.5 * (np.arange(length) - centre[:, None]) ** 2).sum(axis=0)
    return bumps + 0.02 * rng.standard_normal(length), count


def test_published_grid():
    assert len(THRESHOLDS) == 25
    assert THRESHOLDS[:3] == pytest.approx((1e-5, 10**-4.5, 1e-4))
    assert THRESHOLDS[7:9] == pytest.approx((10**-1.5, 0.1))
    assert THRESHOLDS[-1] == 0.9
    assert list(THRESHOLDS) == sorted(THRESHOLDS)
    assert list(TOLERANCES) == list(range(10))


def test_agrees_with_the_literal_definition_on_bumps():
    rng = np.random.default_rng(1)
    z, count = zip(*(bump_line(rng) for _ in range(3)), strict=True)
    assert_literal(np.array(z, dtype=np.float32), np.array(count))


def both_ends(length):
    ends = np.zeros(length)
    ends[[0, -1]] = 1
    return ends


ADVERSARIAL = {
    "empty prediction": (np.zeros(40), both_ends(40)),
    "empty truth": (np.linspace(0, 1, 40), np.zeros(40)),
    "both empty": (np.zeros(40), np.zeros(40)),
    "all positive": (np.ones(40), np.eye(40)[20]),
    "all positive, all true": (np.ones(40), np.ones(40)),
    "coincident bubbles": (np.eye(40)[17], 3 * np.eye(40)[15]),
    "bubbles at both ends": (np.roll(both_ends(40), 2), both_ends(40)),
    "positives at both ends": (both_ends(40), np.roll(both_ends(40), -3)),
    "exactly at a threshold": (np.resize(THRESHOLDS, 40), both_ends(40)),
    "single precision at a threshold": (np.resize(np.float32(THRESHOLDS), 40), both_ends(40)),
    "infinite": (np.where(np.arange(40) == 5, np.inf, -np.inf), np.eye(40)[7]),
    "shorter than the tolerance": (np.eye(4)[3], np.eye(4)[0]),
    "one sample": (np.ones(1), np.ones(1)),
}


@pytest.mark.parametrize("case", ADVERSARIAL)
def test_agrees_with_the_literal_definition_on_adversarial_lines(case):
    z, count = ADVERSARIAL[case]
    assert_literal(z[None], count[None])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_agrees_with_the_literal_definition_on_anything(data):
    shape = data.draw(st.tuples(st.integers(1, 2), st.integers(1, 30)))
    few_values = st.sampled_from([-1.0, 0.0, 1e-4, 0.1, 0.3, 0.5, 2.0])
    z = data.draw(hnp.arrays(np.float32, shape, elements=few_values))
    count = data.draw(hnp.arrays(np.int16, shape, elements=st.integers(0, 2)))
    thresholds = data.draw(st.lists(few_values, min_size=1, max_size=4))
    tolerances = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=3))
    assert_literal(z, count, thresholds, tolerances)


def test_takes_torch_tensors():
    z, count = bump_line(np.random.default_rng(2))
    sweep = tolerance_sweep(torch.tensor(z)[None], torch.tensor(count)[None])
    np.testing.assert_array_equal(sweep.f1, tolerance_sweep(z[None], count[None]).f1)
    assert sweep.f1.shape == (1, 10, 25)


def test_batches_concatenate():
    rng = np.random.default_rng(3)
    z, count = rng.random((5, 200)), rng.integers(0, 2, (5, 200))
    whole = tolerance_sweep(z, count)
    batches = slice(None, 2), slice(2, None)
    joined = Sweep.concatenate([tolerance_sweep(z[part], count[part]) for part in batches])
    np.testing.assert_array_equal(joined.f1, whole.f1)
    np.testing.assert_array_equal(joined.recall, whole.recall)


def test_thresholds_are_chosen_on_the_selection_and_applied_to_the_test():
    count = np.eye(50)[[10, 30]]
    selection = tolerance_sweep(0.3 * count + 0.12, count)  # best between 0.12 and 0.42
    chosen = best_thresholds(selection)
    np.testing.assert_allclose(chosen, 0.15)  # the lowest of equally good ones
    test = tolerance_sweep(0.3 * count + 0.2, count)
    scores = scores_at(test, chosen)
    assert scores.f1.shape == (2, 10)
    assert scores.f1[0, 0] == pytest.approx(2 * 0.02 / 1.02)  # every sample exceeds 0.15
    assert scores_at(test, best_thresholds(test)).f1[0, 0] == 1.0


def test_scores_at_refuses_thresholds_off_the_grid():
    sweep = tolerance_sweep(np.zeros((1, 20)), np.zeros((1, 20)))
    with pytest.raises(InputError, match=r"0\.42 is not in the sweep"):
        scores_at(sweep, [0.42] * 10)
    with pytest.raises(InputError, match="one for each"):
        scores_at(sweep, [0.1])
    with pytest.raises(InputError, match="selection split is empty"):
        best_thresholds(tolerance_sweep(np.zeros((0, 20)), np.zeros((0, 20))))


@pytest.mark.parametrize(
    ("z", "count", "message"),
    [
        (np.full((2, 5), np.nan), np.zeros((2, 5)), "prediction of signal 0 is NaN at sample 0"),
        (np.zeros((1, 2)), np.array([[0, np.nan]]), "count of signal 0 is NaN at sample 1"),
        (np.zeros((2, 5)), np.zeros((2, 4)), "one shape"),
        (np.zeros((2, 1, 5)), np.zeros((2, 1, 5)), "drop the channel axis"),
    ],
)
def test_refuses_bad_arrays(z, count, message):
    with pytest.raises(InputError, match=message) as error:
        tolerance_sweep(z, count)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("tolerances", [[-1], [0.5], [], 3])
def test_refuses_bad_tolerances(tolerances):
    with pytest.raises(InputError, match="whole numbers of samples"):
        tolerance_sweep(np.zeros((1, 5)), np.zeros((1, 5)), tolerances=tolerances)


@pytest.mark.parametrize("thresholds", [[np.nan], [], 0.5])
def test_refuses_bad_thresholds(thresholds):
    with pytest.raises(InputError, match="thresholds must be"):
        tolerance_sweep(np.zeros((1, 5)), np.zeros((1, 5)), thresholds=thresholds)


def test_random_output_scores_as_published():
    """Published row "random" of Table II, on scenes of 10–1000 uniform bubbles."""
    rng = np.random.default_rng(4)
    counts = [
        np.bincount(rng.integers(326, 8147, rng.integers(10, 1001)), minlength=8446)
        for _ in range(300)
    ]
    published = [0.111, 0.218, 0.307, 0.381, 0.441, 0.489, 0.535, 0.574, 0.606, 0.635]
    sweep = tolerance_sweep(np.random.default_rng(0).random((300, 8446)), counts)
    f1 = scores_at(sweep, best_thresholds(sweep)).f1
    np.testing.assert_allclose(f1.mean(axis=0), published, atol=0.03)
