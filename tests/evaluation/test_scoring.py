import numpy as np
import pytest

from bubbleloc.data.noise import Noise
from bubbleloc.data.splits import open_split
from bubbleloc.evaluation.scoring import choose, score
from bubbleloc.metrics import best_thresholds, scores_at, tolerance_sweep


class Recorder:
    """A tally that keeps what it is fed with."""

    def __init__(self):
        self.lines = []

    def add(self, peaks, arrival_sample):
        self.lines.append((peaks, arrival_sample))


@pytest.fixture
def val(tiny):
    return open_split(tiny, "val", Noise())


@pytest.fixture
def lines(val):
    """Outputs that leave something to choose, and counts: (4, L) each."""
    counts = np.stack([val.count(i) for i in range(4)])
    return 0.6 * counts + 0.3 * np.random.default_rng(0).random(counts.shape), counts


def in_batches(lines):
    return [tuple(part[rows] for part in lines) for rows in (slice(0, 3), slice(3, 4))]


def test_thresholds_are_those_of_all_lines_together(val, lines):
    chosen, whole = choose(in_batches(lines), val, [1, 4]), tolerance_sweep(*lines)
    np.testing.assert_array_equal(chosen.thresholds, best_thresholds(whole))
    assert len(chosen.sweep) == 4
    for name in ("f1", "precision", "recall"):
        mean = getattr(whole, name).mean(axis=0)
        np.testing.assert_allclose(getattr(chosen.sweep, name), mean, rtol=1e-12)
    np.testing.assert_array_equal(chosen.sweep.f1_median, np.median(whole.f1, axis=0))
    assert list(chosen.peak_thresholds) == [1, 4]
    assert 0.3 <= chosen.peak_thresholds[4] < 0.6


def test_scores_are_those_of_all_lines_together(val, lines):
    whole, fed = tolerance_sweep(*lines), Recorder()
    thresholds = best_thresholds(whole)
    scores = score(in_batches(lines), val, thresholds, fed)
    expected = scores_at(whole, thresholds)
    for name in ("f1", "precision", "recall", "thresholds", "tolerances"):
        np.testing.assert_array_equal(getattr(scores, name), getattr(expected, name))
    assert len(fed.lines) == len(scores) == 4
    for i, (peaks, arrival_sample) in enumerate(fed.lines):
        np.testing.assert_array_equal(arrival_sample, val.arrival_sample(i))
        assert len(peaks) > 0
