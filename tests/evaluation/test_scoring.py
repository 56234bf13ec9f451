import numpy as np
import pandas as pd
import pytest

from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.evaluation.scoring import read_outputs, score_method
from bubbleloc.metrics import best_thresholds, scores_at, tolerance_sweep
from bubbleloc.metrics.one_to_one import one_to_one_scores
from bubbleloc.models.answers import Answer


@pytest.fixture
def val(tiny):
    return open_split(tiny, "val", Noise())


@pytest.fixture
def lines(val):
    """Outputs that leave something to choose, and counts: (4, L) each."""
    counts = np.stack([val.count(i) for i in range(4)])
    return 0.6 * counts + 0.3 * np.random.default_rng(0).random(counts.shape), counts


def in_batches(split, output):
    """Batches of three signals with their outputs."""
    for place, batch in enumerate(split.batches(3)):
        yield batch, Answer(output[3 * place :][:3])


def test_a_pass_keeps_scores_peaks_and_arrivals_of_all_lines(val, lines):
    read, whole = read_outputs(in_batches(val, lines[0])), tolerance_sweep(*lines)
    for name in ("f1", "precision", "recall", "thresholds", "tolerances"):
        np.testing.assert_array_equal(getattr(read.sweep, name), getattr(whole, name))
    assert len(read.detections) == len(read.arrival_sample) == 4
    for i, (peaks, arrival_sample) in enumerate(
        zip(read.detections, read.arrival_sample, strict=True)
    ):
        np.testing.assert_array_equal(arrival_sample, val.bubbles(i).arrival_sample)
        assert len(peaks) > 0
    assert read_outputs(in_batches(val, lines[0]), pick=False).detections == []
    with pytest.raises(InputError, match="split is empty"):
        read_outputs([])


def test_scores_are_those_of_the_best_thresholds_of_the_selection(val, lines):
    scored = score_method(lambda split: in_batches(split, lines[0]), val, val, [1, 4])
    whole = tolerance_sweep(*lines)
    expected = scores_at(whole, best_thresholds(whole))
    np.testing.assert_array_equal(scored.scores.f1, expected.f1)
    np.testing.assert_array_equal(scored.scores.thresholds, expected.thresholds)
    thresholds = scored.one_to_one.groupby("tolerance")["threshold"].first().to_dict()
    assert list(thresholds) == [1, 4]
    assert 0.3 <= thresholds[4] < 0.6
    arrivals = [val.bubbles(i).arrival_sample for i in range(4)]
    paired = one_to_one_scores(Answer(lines[0]).detections(), arrivals, thresholds, val.scale)
    pd.testing.assert_frame_equal(scored.one_to_one, paired)
