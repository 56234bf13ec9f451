import numpy as np
import pandas as pd
import pytest

from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.one_to_one import PEAK_THRESHOLDS, MatchedScores, PeakChoice, pick_all_peaks
from bubbleloc.physics import Setup

SCALE = Setup().scale

HAND = [  # positions, confidences, truth
    ([100.5, 200, 700], [0.9, 0.8, 0.3], [100, 198, 500]),
    ([50], [0.9], [50, 60]),
]


def feed(tally, lines):
    for sample, confidence, truth in lines:
        peaks = Detections(np.array(sample, float), np.array(confidence, float))
        tally.add(peaks, np.array(truth, float))
    return tally


def test_peak_thresholds_are_the_upper_published_ones():
    assert PEAK_THRESHOLDS[:3] == pytest.approx((1e-3, 10**-2.5, 0.01))
    assert PEAK_THRESHOLDS[-1] == 0.9


def test_all_lines_of_a_batch_are_picked():
    z = np.zeros((2, 50))
    z[0, 10], z[1, [20, 40]] = 0.5, (0.7, 0.0009)
    first, second = pick_all_peaks(z)
    np.testing.assert_allclose(first.sample, [10])
    np.testing.assert_allclose(second.sample, [20])


def test_threshold_is_where_mean_f1_is_highest():
    # at tolerance 0 every threshold does equally well on HAND, and the lowest is taken
    chosen = feed(PeakChoice([0, 4]), HAND).thresholds()
    assert chosen == {0: pytest.approx(0.001), 4: pytest.approx(0.3)}


def test_scores_by_hand():
    scores = feed(MatchedScores({0: 0.3, 4: 0.3}, SCALE), HAND)
    table = pd.concat(scores.tables()).set_index(["signal", "tolerance"])
    assert list(table.index) == [(0, 0), (0, 4), (1, 0), (1, 4)]
    assert table.loc[(0, 0), "f1"] == 0
    assert table.loc[(0, 4), "precision"] == 1
    assert table.loc[(0, 4), "recall"] == pytest.approx(2 / 3)
    assert table.loc[(0, 4), "matched"] == 2
    assert table.loc[(0, 4), "bias_samples"] == pytest.approx(1.25)
    summary = scores.summary().set_index("tolerance")
    assert summary.loc[4, "threshold"] == 0.3
    assert summary.loc[4, "recall"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert summary.loc[4, "bias_samples"] == pytest.approx(2.5 / 3)
    assert summary.loc[4, "rmse_samples"] == pytest.approx(np.sqrt((0.25 + 4) / 3))
    assert summary.loc[4, "rmse_um"] == pytest.approx(11.84 * np.sqrt(4.25 / 3))


def test_the_summary_is_that_of_the_table():
    rng = np.random.default_rng(0)
    lines = [(np.sort(rng.uniform(0, 300, (2, 20))), rng.random(20)) for _ in range(30)]
    scores = feed(MatchedScores({3: 0.2}, SCALE), [(s[0], c, s[1]) for s, c in lines])
    table, summary = pd.concat(scores.tables()), scores.summary().iloc[0]
    for ratio in ("precision", "recall", "f1", "jaccard", "efficiency"):
        assert summary[ratio] == pytest.approx(table[ratio].mean(), rel=1e-12)
    pairs = table["matched"] / table["matched"].sum()
    for unit in ("samples", "um", "wavelengths"):
        bias, rmse = table[f"bias_{unit}"], table[f"rmse_{unit}"]
        assert summary[f"bias_{unit}"] == pytest.approx((pairs * bias).sum(), rel=1e-9)
        assert summary[f"rmse_{unit}"] == pytest.approx(np.sqrt((pairs * rmse**2).sum()), rel=1e-12)


def test_summary_without_a_single_match():
    row = feed(MatchedScores({4: 0.5}, SCALE), [([10], [0.9], [400])]).summary().iloc[0]
    assert row["f1"] == 0
    assert np.isnan(row["rmse_um"])
