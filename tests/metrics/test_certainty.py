import numpy as np
import pytest

from bubbleloc.metrics.certainty import (
    calibrate,
    calibrated,
    certainty_scores,
    pair_table,
    reliability,
    risk_coverage,
)
from bubbleloc.metrics.detections import EmitterDetections


def lines(n=200, honest=True, seed=0):
    """Bubbles 50 samples apart, of which those stated with probability p are true in p of cases."""
    rng = np.random.default_rng(seed)
    found, arrivals = [], []
    for _ in range(n):
        place = np.arange(25, 2000, 50.0)
        probability, sigma = rng.uniform(0.1, 1, place.size), rng.uniform(0.2, 0.6, place.size)
        true = rng.random(place.size) < probability
        arrivals.append(place[true])
        error = sigma * rng.standard_normal(place.size)
        stated = probability if honest else probability**3
        near = np.ones(place.size)
        found.append(
            EmitterDetections(place + error, stated, sigma if honest else sigma / 2, sigma, near)
        )
    return found, arrivals


def test_honest_probabilities_and_errors_score_well():
    scores = certainty_scores(pair_table(*lines(), threshold=0.1))
    assert scores["calibration_error"] < 0.02
    assert scores["within_1_sigma"] == pytest.approx(0.683, abs=0.02)
    assert scores["within_2_sigma"] == pytest.approx(0.954, abs=0.01)
    assert scores["rmse"] == pytest.approx(np.sqrt(0.52 / 3), abs=0.02)  # mean of σ² over 0.2–0.6


def test_calibration_of_what_is_honest_changes_little():
    found, arrivals = lines()
    before = pair_table(found, arrivals)
    calibration = calibrate(found, arrivals)
    after = pair_table([calibrated(each, calibration) for each in found], arrivals)
    assert np.abs(after["probability"] - before["probability"]).mean() < 0.02
    assert np.abs(after["sigma"] / before["sigma"] - 1).mean() < 0.05


def test_calibration_mends_what_is_stated_wrongly():
    found, arrivals = lines(honest=False)
    before = certainty_scores(pair_table(found, arrivals))
    calibration = calibrate(found, arrivals)
    mended = [calibrated(each, calibration) for each in found]
    after = certainty_scores(pair_table(mended, arrivals))
    assert before["calibration_error"] > 0.1 > 0.05 > after["calibration_error"]
    assert before["within_1_sigma"] < 0.45
    assert after["within_1_sigma"] == pytest.approx(0.683, abs=0.02)


def test_calibration_learns_that_wide_bubbles_are_true_less_often():
    rng = np.random.default_rng(0)
    found, arrivals = [], []
    for _ in range(200):
        place = np.arange(25, 2000, 50.0)
        sigma = rng.choice([0.2, 2.0], place.size)
        true = rng.random(place.size) < np.where(sigma < 1, 0.9, 0.5)
        found.append(EmitterDetections(place, np.full(place.size, 0.7), sigma, sigma, sigma**0))
        arrivals.append(place[true] + 0.1 * rng.standard_normal(true.sum()))
    calibration = calibrate(found, arrivals)
    mended = np.concatenate([calibrated(each, calibration).confidence for each in found])
    narrow = np.concatenate([each.sigma for each in found]) < 1
    assert mended[narrow].mean() == pytest.approx(0.9, abs=0.02)
    assert mended[~narrow].mean() == pytest.approx(0.5, abs=0.02)


def test_calibration_learns_that_small_bubbles_lie_farther_off():
    rng = np.random.default_rng(0)
    found, arrivals = [], []
    for _ in range(200):
        place, sigma = np.arange(25, 2000, 50.0), np.full(40, 0.5)
        radius_um = rng.choice([1.2, 4.8], place.size)
        arrivals.append(place + rng.standard_normal(place.size) * 0.5 * np.sqrt(2.4 / radius_um))
        found.append(EmitterDetections(place, np.full(place.size, 0.7), sigma, radius_um, sigma**0))
    calibration = calibrate(found, arrivals)
    assert calibration is not None
    assert calibration[-1] == pytest.approx(-0.5, abs=0.05)
    after = pair_table([calibrated(each, calibration) for each in found], arrivals)
    for _, bubbles in after.groupby("radius_um"):
        assert certainty_scores(bubbles)["within_1_sigma"] == pytest.approx(0.683, abs=0.02)


def test_calibration_learns_that_bubbles_with_more_expected_near_are_true_more_often():
    rng = np.random.default_rng(0)
    found, arrivals = [], []
    for _ in range(200):
        place, ones = np.arange(25, 2000, 50.0), np.ones(40)
        near = rng.choice([0.5, 2.0], place.size)
        true = rng.random(place.size) < np.where(near > 1, 0.9, 0.5)
        found.append(EmitterDetections(place, 0.7 * ones, ones, 2.4 * ones, near))
        arrivals.append(place[true] + 0.1 * rng.standard_normal(true.sum()))
    calibration = calibrate(found, arrivals)
    mended = np.concatenate([calibrated(each, calibration).confidence for each in found])
    more = np.concatenate([each.near for each in found]) > 1
    assert mended[more].mean() == pytest.approx(0.9, abs=0.02)
    assert mended[~more].mean() == pytest.approx(0.5, abs=0.02)


def test_pairs_name_the_bubble_and_the_error():
    found = [
        EmitterDetections(*np.array([[10.5, 30.0], [0.9, 0.3], [0.4, 0.4], [2.0, 2.0], [1, 1]]))
    ]
    pairs = pair_table(found, [np.array([60.0, 11.0])], threshold=0.2)
    assert pairs["bubble"].tolist() == [1, -1]
    assert pairs["error"][0] == pytest.approx(-0.5)
    assert np.isnan(pairs["error"][1])
    assert len(pair_table(found, [np.zeros(0)], threshold=0.5)) == 1


def test_reliability_counts_every_bubble_once():
    pairs = pair_table(*lines(20), threshold=0.1)
    bins = reliability(pairs)
    assert bins["bubbles"].sum() == len(pairs)
    share = np.average(bins["true"], weights=bins["bubbles"])
    assert share == pytest.approx(np.mean(pairs["bubble"] >= 0))


def test_leaving_out_the_least_sure_raises_precision_and_lowers_recall():
    found, arrivals = lines()
    shares = risk_coverage(pair_table(found, arrivals, 0.1), sum(map(len, arrivals)))
    assert shares["precision"].is_monotonic_increasing
    assert shares["recall"].is_monotonic_decreasing
    assert shares["recall"][0] == pytest.approx(1)
    assert shares["precision"][0] == pytest.approx(0.55, abs=0.02)
