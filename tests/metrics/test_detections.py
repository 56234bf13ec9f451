import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from bubbleloc.errors import InputError
from bubbleloc.metrics.detections import (
    COLUMNS,
    Detections,
    EmitterDetections,
    peaks_of_lines,
    pick_peaks,
)
from bubbleloc.metrics.matching import Matching, match_detections
from bubbleloc.metrics.one_to_one import scores_of
from bubbleloc.physics import Setup
from bubbleloc.units import Scale

positions = st.lists(st.one_of(st.integers(0, 30), st.floats(0, 30)), max_size=12)


def optimum(detected, true, tolerance):
    """Most pairs, then least total distance, by the Hungarian method."""
    distance = np.abs(np.subtract.outer(np.array(detected, float), np.array(true, float)))
    cost = np.where(distance <= tolerance, distance, 1e6)
    i, j = linear_sum_assignment(cost)
    kept = distance[i, j] <= tolerance
    return kept.sum(), distance[i, j][kept].sum()


@settings(max_examples=300, deadline=None)
@given(detected=positions, true=positions, tolerance=st.sampled_from([0, 0.5, 1, 3, 40]))
def test_matching_is_the_hungarian_optimum(detected, true, tolerance):
    matching = match_detections(detected, true, tolerance)
    pairs, distance = optimum(detected, true, tolerance)
    assert len(matching.detected) == len(matching.true) == pairs
    assert np.abs(matching.error_samples).sum() == pytest.approx(distance, abs=1e-6)
    assert len(set(matching.detected)) == len(set(matching.true)) == pairs
    assert (np.abs(matching.error_samples) <= tolerance).all()


def test_matching_a_crowded_line_is_the_hungarian_optimum():
    rng = np.random.default_rng(0)
    detected, true = rng.uniform(0, 2000, 400), rng.uniform(0, 2000, 500)
    matching = match_detections(detected, true, 4)
    pairs, distance = optimum(detected, true, 4)
    assert len(matching.detected) == pairs
    assert np.abs(matching.error_samples).sum() == pytest.approx(distance)


def test_scores_by_hand():
    matching = match_detections([10.5, 20, 40], [10, 10, 21, 70, 80], tolerance=2)
    assert matching.precision == pytest.approx(2 / 3)
    assert matching.recall == pytest.approx(2 / 5)
    assert matching.f1 == pytest.approx(2 * 2 / 8)
    assert matching.jaccard == pytest.approx(2 / 6)
    assert matching.bias_samples == pytest.approx((0.5 - 1) / 2)
    assert matching.rmse_samples == pytest.approx(np.sqrt((0.25 + 1) / 2))
    scores = scores_of(matching, Setup().scale)
    assert scores["rmse_um"] == pytest.approx(matching.rmse_samples * 11.84)
    assert scores["bias_wavelengths"] == pytest.approx(-0.25 * 0.0136)
    rmse_um = scores["rmse_um"]
    assert scores["efficiency"] == pytest.approx(1 - np.hypot(4 / 6, 0.01 * rmse_um))


def test_scores_of_nothing():
    assert match_detections([], [], 1).f1 == 1
    assert match_detections([], [3], 1).precision == 0
    missed = match_detections([9], [3], 1)
    assert (missed.precision, missed.recall, missed.f1, missed.jaccard) == (0, 0, 0, 0)
    assert np.isnan(missed.rmse_samples)
    assert np.isnan(missed.bias_samples)
    assert missed.efficiency(Setup().scale) == 0


def test_peaks_sit_at_the_centroid():
    z = np.zeros(30)
    z[[9, 10, 11]] = 0.2, 0.8, 0.4
    z[[20, 21]] = 0.5, 0.5  # a flat top
    z[25] = 0.05
    peaks = pick_peaks(z, 0.1)
    np.testing.assert_allclose(peaks.sample, [10 + 0.2 / 1.4, 20.5])
    np.testing.assert_allclose(peaks.confidence, [0.8, 0.5])
    assert len(peaks) == 2
    assert len(pick_peaks(z, 0.8)) == 0  # above the threshold, not at it


def test_a_peak_is_not_pulled_by_its_neighbour():
    z = np.array([0, 0, 1.0, 0.1, 0.9, 0, 0, -3.0])
    np.testing.assert_allclose(pick_peaks(z, 0.5).sample, [2 + 0.1 / 1.1, 4 - 0.1 / 1.0])


def test_peaks_at_both_ends_and_on_flat_lines():
    np.testing.assert_allclose(pick_peaks([1.0, 0, 0, 0, 0, 2.0], 0.5).sample, [0, 5])
    assert len(pick_peaks(np.zeros(10), 0.1)) == 0
    np.testing.assert_allclose(pick_peaks(np.ones(11), 0.1).sample, [5])
    np.testing.assert_allclose(pick_peaks([-1.0, -0.5, -1.0], -0.7).sample, [1])


def test_centroid_recovers_sub_sample_positions():
    true = np.array([50.3, 120.0, 180.77, 240.5])
    samples = np.arange(300)
    z = np.exp(-0.5 * ((samples - true[:, None]) / 0.8) ** 2).sum(axis=0)
    matching = match_detections(pick_peaks(z, 0.3), true, tolerance=1)
    assert isinstance(matching, Matching)
    assert matching.recall == matching.precision == 1
    assert matching.rmse_samples < 0.05


def test_peaks_of_many_lines_are_those_of_each_one():
    rng = np.random.default_rng(0)
    lines = rng.integers(-2, 6, (5, 40)).astype(float)  # with flat tops, and peaks at the ends
    lines[3] = -1
    peaks, line = peaks_of_lines(lines, 0.5)
    for of_line, alone in zip(
        peaks.of_lines(line, 5), map(pick_peaks, lines, 5 * [0.5]), strict=True
    ):
        np.testing.assert_array_equal(of_line.sample, alone.sample)
        np.testing.assert_array_equal(of_line.confidence, alone.confidence)
    assert set(line) == {0, 1, 2, 4}


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="without NaN"):
        pick_peaks([0, np.nan], 0.1)
    with pytest.raises(InputError, match="one line"):
        pick_peaks(np.zeros((2, 3)), 0.1)
    with pytest.raises(InputError, match="true positions"):
        match_detections([1.0], [np.nan], 1)
    with pytest.raises(InputError, match="0 samples or more"):
        match_detections(Detections(np.ones(1), np.ones(1)), [1.0], -1)


def test_a_table_says_what_is_known_in_columns_of_their_own():
    scale, at = Scale(62.5e6, 1480.0, None), np.array([10.0, 20.5])
    peaks = Detections(at, np.array([0.7, 3.0])).to_table(scale, start_sample=100.0, per_sample=2.0)
    assert list(peaks) == COLUMNS
    np.testing.assert_allclose(peaks["sample"], [105, 110.25])
    np.testing.assert_allclose(peaks["depth_mm"], peaks["time_us"] * 0.74)
    assert peaks["height"].tolist() == [0.7, 3.0]
    unknown = ["sample_sigma", "depth_sigma_mm", "probability", "radius_um"]
    assert peaks[unknown].isna().all(axis=None)
    emitters = EmitterDetections(at, np.array([0.7, 0.9]), 0.4 + 0 * at, 2.0 + 0 * at, 1 + 0 * at)
    table = emitters.to_table(scale, start_sample=100.0, per_sample=2.0)
    pd.testing.assert_series_equal(table["depth_mm"], peaks["depth_mm"])
    np.testing.assert_allclose(table["sample_sigma"], 0.2)
    np.testing.assert_allclose(table["depth_sigma_mm"], 0.2 * 0.01184)
    assert table["probability"].tolist() == [0.7, 0.9]
    assert table["radius_um"].tolist() == [2.0, 2.0]
    assert table["height"].isna().all()


def test_lines_are_joined_and_thinned_with_all_that_is_known():
    rows = np.array([[10.5, 30.0], [0.9, 0.3], [0.4, 0.5], [2.0, 3.0], [1, 1]])
    both = EmitterDetections.concatenate([EmitterDetections(*rows), EmitterDetections(*rows)])
    sure = both.above(0.5)
    assert isinstance(sure, EmitterDetections)
    assert sure.radius_um.tolist() == [2.0, 2.0]
    assert len(both.above(None)) == len(both) == 4
