import numpy as np
import pytest

from bubbleloc.detections import Detections, Scale
from bubbleloc.errors import InputError
from bubbleloc.matched import (
    PEAK_THRESHOLDS,
    Found,
    best_peak_thresholds,
    error_counts,
    matched_scores,
    matched_summary,
    outcomes,
    pick_all_peaks,
    rates_along,
)

SCALE = Scale()


def found_of(*lines):
    """Lines given as (positions, confidences, truth)."""
    peaks = [Detections(np.array(s, float), np.array(c, float)) for s, c, _ in lines]
    return Found(peaks, [np.array(truth, float) for _, _, truth in lines])


HAND = found_of(
    ([100.5, 200, 700], [0.9, 0.8, 0.3], [100, 198, 500]),
    ([50], [0.9], [50, 60]),
)


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
    np.testing.assert_allclose(best_peak_thresholds(HAND, [0, 4]), [0.001, 0.3])


def test_scores_by_hand():
    table = matched_scores(HAND, [0.3, 0.3], [0, 4], SCALE).set_index(["signal", "tolerance"])
    assert table.loc[(0, 0), "f1"] == 0
    assert table.loc[(0, 4), "precision"] == 1
    assert table.loc[(0, 4), "recall"] == pytest.approx(2 / 3)
    assert table.loc[(0, 4), "matched"] == 2
    assert table.loc[(0, 4), "bias_samples"] == pytest.approx(1.25)
    summary = matched_summary(table.reset_index()).set_index("tolerance")
    assert summary.loc[4, "recall"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert summary.loc[4, "bias_samples"] == pytest.approx(2.5 / 3)
    assert summary.loc[4, "rmse_samples"] == pytest.approx(np.sqrt((0.25 + 4) / 3))
    assert summary.loc[4, "rmse_um"] == pytest.approx(11.84 * np.sqrt(4.25 / 3))


def test_summary_without_a_single_match():
    nothing = found_of(([10], [0.9], [400]))
    row = matched_summary(matched_scores(nothing, [0.5], [4], SCALE)).iloc[0]
    assert row["f1"] == 0
    assert np.isnan(row["rmse_um"])


def test_outcomes_by_hand():
    table = outcomes(HAND, 0.2, 4, SCALE)
    assert list(table["outcome"]) == ["found", "found", "missed", "false", "found", "missed"]
    np.testing.assert_allclose(table["error_samples"], [0.5, 2, np.nan, np.nan, 0, np.nan])
    assert list(table["sample"]) == [100, 198, 500, 700, 50, 60]
    assert list(table["density"]) == [0, 0, 0, 0, 1, 1]  # half a wavelength is 37 samples
    np.testing.assert_allclose(table["depth_mm"], table["sample"] * 0.01184)


def test_rates_by_hand():
    table = rates_along(outcomes(HAND, 0.2, 4, SCALE), "sample", [0, 150, 650, 800, 900])
    assert list(table["found"]) == [2, 1, 0, 0]
    np.testing.assert_allclose(table["precision"], [1, 1, 0, np.nan])
    np.testing.assert_allclose(table["recall"], [2 / 3, 1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(table["f1"], [4 / 5, 2 / 3, 0, np.nan])


def test_errors_are_counted_about_zero():
    table = error_counts(outcomes(HAND, 0.2, 4, SCALE), 4)
    assert table["bubbles"].sum() == 3
    middle = (table["low"] + table["high"]) / 2
    np.testing.assert_allclose(middle[table["bubbles"] > 0], [0, 0.5, 2], atol=1e-9)
    assert middle.iloc[0] == -4
    assert middle.iloc[-1] == 4


def test_lines_without_truth_are_refused():
    with pytest.raises(InputError, match="one of each"):
        Found([], [])
