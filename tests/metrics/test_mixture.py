import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbleloc.metrics.mixture import FAINTEST, WINDOW, bubbles_in, candidates, worth_reporting


def bubbles(*gaussians):
    """Bubbles of a line with Gaussians (expected, sample, sigma, radius in µm)."""
    expected, sample, sigma, radius_um = np.array(gaussians, float).T
    offset = sample - np.arange(len(sample))
    return bubbles_in(np.stack([expected, offset, sigma, np.log(radius_um)])[None])[0]


def exhaustive(expected, sample, sigma, radius_um, least):
    """Bubbles by trying every Gaussian each time, without any bookkeeping."""
    expected, found = expected.copy(), []
    while True:
        sums = np.array([expected[np.abs(sample - at) <= WINDOW].sum() for at in sample])
        if not sums.size or sums.max() < least:
            rows = np.array(found).reshape(-1, 4)
            return rows[np.lexsort(rows.round(9).T[::-1])]
        best = sums.argmax()
        near = np.flatnonzero(np.abs(sample - sample[best]) <= WINDOW)
        near = near[np.argsort(sample[near], kind="stable")]
        taken = min(1.0, sums[best])
        part = expected[near] * taken / sums[best]
        if sums[best] >= 1 + FAINTEST:
            part = np.diff(np.minimum(np.cumsum(expected[near]), 1), prepend=0)
        weight = part / taken
        mean = weight @ sample[near]
        spread = weight @ (sigma[near] ** 2 + (sample[near] - mean) ** 2)
        found.append((mean, taken, np.sqrt(spread), weight @ radius_um[near]))
        expected[near] -= part


@settings(deadline=None, max_examples=60)
@given(size=st.integers(0, 120), seed=st.integers(0, 2**16), least=st.sampled_from([0.1, 0.4]))
def test_bubbles_are_those_of_an_exhaustive_search(size, seed, least):
    rng = np.random.default_rng(seed)
    sample = np.arange(size) + rng.uniform(-2, 2, size)
    expected, sigma = rng.gamma(0.3, 0.4, size) + 0.0011, rng.uniform(0.05, 3, size)
    gaussians = expected, sample, sigma, rng.uniform(1, 4, size)
    rows = candidates(*gaussians, least)
    reference = exhaustive(*gaussians, least)
    assert rows.shape == reference.shape
    order = np.lexsort(rows.round(9).T[::-1])  # bubbles of one place have no order
    np.testing.assert_allclose(rows[order], reference, atol=1e-9)


def test_a_bubble_is_the_mean_of_neighbouring_gaussians():
    found = bubbles((0.5, 10.0, 0.1, 2.0), (0.4, 11.0, 0.1, 4.0))
    np.testing.assert_allclose(found.sample, [(0.5 * 10 + 0.4 * 11) / 0.9])
    np.testing.assert_allclose(found.confidence, [0.9])
    np.testing.assert_allclose(found.radius_um, [(0.5 * 2 + 0.4 * 4) / 0.9])
    assert found.sigma[0] == pytest.approx(np.sqrt(0.01 + 0.5 * 0.4 / 0.81))


def test_two_bubbles_in_one_sample_are_two():
    found = bubbles((1.9, 10.0, 0.3, 2.4))
    np.testing.assert_allclose(found.sample, [10, 10])
    np.testing.assert_allclose(np.sort(found.confidence), [0.9, 1])


def test_two_bubbles_a_sample_apart_stay_apart():
    found = bubbles((1, 10.0, 0.1, 2.4), (1, 11.2, 0.1, 2.4))
    np.testing.assert_allclose(found.sample, [10, 11.2])


def test_bubbles_near_are_counted_within_4_samples_for_each_that_is_reported():
    alone = bubbles((0.8, 10.0, 0.1, 2.4), (0.2, 13.0, 0.1, 2.4), (0.2, 16.0, 0.1, 2.4))
    np.testing.assert_allclose(alone.near, [1.0])
    close = bubbles((0.8, 10.0, 0.1, 2.4), (0.6, 13.0, 0.1, 2.4))
    np.testing.assert_allclose(close.near, [0.7, 0.7])


def number_of_true(probability):
    """Probabilities of 0, 1, … true ones among independent bubbles."""
    share = np.ones(1)
    for each in probability:
        share = np.convolve(share, [1 - each, each])
    return share


def expected_f1(probability, chosen):
    """The mean F1 of a report, over all that may be true."""
    hit, missed = number_of_true(probability[chosen]), number_of_true(probability[~chosen])
    true = np.arange(len(hit))[:, None]
    either = chosen.sum() + true + np.arange(len(missed))
    return hit @ np.where(either == 0, 1.0, 2 * true / np.maximum(either, 1)) @ missed


@given(size=st.integers(1, 30), seed=st.integers(0, 2**16))
def test_what_is_worth_reporting_has_the_highest_f1_on_average(size, seed):
    probability = np.random.default_rng(seed).uniform(0.05, 1, size)
    chosen = worth_reporting(probability, probability.sum())
    levels = (2.0, *probability)  # from which bubbles are reported
    best = max(expected_f1(probability, probability >= least) for least in levels)
    lost = best - expected_f1(probability, chosen)
    assert lost < (0.1 if size < 10 else 0.03)  # the expected F1 is a ratio of two means


def test_guesses_in_a_line_that_tells_nothing_are_not_reported():
    assert not worth_reporting(np.array([0.3, 0.26]), expected=20.0).any()
    assert worth_reporting(np.array([0.3, 0.26]), expected=1.2).all()


def test_what_is_improbable_is_not_reported():
    assert len(bubbles((0.05, 10.0, 0.3, 2.4))) == 0
    assert len(bubbles_in(np.zeros((2, 4, 0)))[0]) == 0


def test_bubbles_of_many_lines_are_those_of_each_one():
    rng = np.random.default_rng(3)
    expected = rng.gamma(0.05, 1.0, (6, 500))
    expected[2] = 0  # a line without bubbles
    offset, sigma = rng.uniform(-2, 2, (6, 500)), rng.uniform(0.05, 3, (6, 500))
    fields = np.stack([expected, offset, sigma, rng.uniform(0, 1, (6, 500))], axis=1)
    found, line = bubbles_in(fields.astype(np.float32))
    for number, (of_line, field) in enumerate(
        zip(found.of_lines(line, 6), fields.astype(np.float32), strict=True)
    ):
        alone, first = bubbles_in(field[None])
        assert not first.any()
        assert (len(alone) > 0) == (number != 2)
        for name, column in vars(alone).items():
            np.testing.assert_array_equal(getattr(of_line, name), column)
