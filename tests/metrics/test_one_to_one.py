import numpy as np
import pytest

from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.one_to_one import (
    PEAK_THRESHOLDS,
    choose_peak_thresholds,
    one_to_one_scores,
    one_to_one_summary,
)
from bubbleloc.physics import Setup

SCALE = Setup().scale

HAND = [  # positions, confidences, truth
    ([100.5, 200, 700], [0.9, 0.8, 0.3], [100, 198, 500]),
    ([50], [0.9], [50, 60]),
]


def peaks_and_truth(lines):
    peaks = [Detections(np.array(s, float), np.array(c, float)) for s, c, _ in lines]
    return peaks, [np.array(truth, float) for *_, truth in lines]


def test_peak_thresholds_are_the_upper_published_ones():
    assert PEAK_THRESHOLDS[:3] == pytest.approx((1e-3, 10**-2.5, 0.01))
    assert PEAK_THRESHOLDS[-1] == 0.9


def test_threshold_is_where_mean_f1_is_highest():
    # at tolerance 0 every threshold does equally well on HAND, and the lowest is taken
    chosen = choose_peak_thresholds(*peaks_and_truth(HAND), [0, 4])
    assert chosen == {0: pytest.approx(0.001), 4: pytest.approx(0.3)}


def test_scores_by_hand():
    scores = one_to_one_scores(*peaks_and_truth(HAND), {0: 0.3, 4: 0.3}, SCALE)
    table = scores.set_index(["signal", "tolerance"])
    assert list(table.index) == [(0, 0), (0, 4), (1, 0), (1, 4)]
    assert table.loc[(0, 0), "f1"] == 0
    assert table.loc[(0, 4), "precision"] == 1
    assert table.loc[(0, 4), "recall"] == pytest.approx(2 / 3)
    assert table.loc[(0, 4), "matched"] == 2
    assert table.loc[(0, 4), "bias_samples"] == pytest.approx(1.25)
    summary = one_to_one_summary(scores, SCALE).set_index("tolerance")
    assert summary.loc[4, "threshold"] == 0.3
    assert summary.loc[4, "recall"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert summary.loc[4, "bias_samples"] == pytest.approx(2.5 / 3)
    assert summary.loc[4, "rmse_samples"] == pytest.approx(np.sqrt((0.25 + 4) / 3))
    assert summary.loc[4, "rmse_um"] == pytest.approx(11.84 * np.sqrt(4.25 / 3))


def test_errors_of_the_summary_are_those_of_all_pairs():
    rng = np.random.default_rng(0)
    lines = [(*rng.uniform(0, 300, (2, 20)), rng.random(20)) for _ in range(30)]
    lines = [(np.sort(found), confidence, true) for found, true, confidence in lines]
    peaks, truth = peaks_and_truth(lines)
    scores = one_to_one_scores(peaks, truth, {3: 0.2}, SCALE)
    summary = one_to_one_summary(scores, SCALE).iloc[0]
    pairs = [match_detections(p.above(0.2), t, 3) for p, t in zip(peaks, truth, strict=True)]
    errors = np.concatenate([matching.error_samples for matching in pairs])
    for ratio in ("precision", "recall", "f1", "jaccard"):
        mean = np.mean([getattr(matching, ratio) for matching in pairs])
        assert summary[ratio] == pytest.approx(mean, rel=1e-12)
    assert summary["bias_samples"] == pytest.approx(errors.mean(), rel=1e-9)
    assert summary["rmse_samples"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
    assert summary["bias_um"] == pytest.approx(11.84 * errors.mean(), rel=1e-9)
    assert summary["rmse_wavelengths"] == pytest.approx(0.0136 * summary["rmse_samples"])


def test_summary_without_a_single_match():
    scores = one_to_one_scores(*peaks_and_truth([([10], [0.9], [400])]), {4: 0.5}, SCALE)
    row = one_to_one_summary(scores, SCALE).iloc[0]
    assert row["f1"] == 0
    assert np.isnan(row["rmse_um"])
