import numpy as np
import pytest

from bubbleloc.metrics.breakdown import KINDS, Breakdown, count_kinds, outcomes, rates
from bubbleloc.metrics.detections import Detections
from bubbleloc.physics import Setup
from tests.metrics.test_one_to_one import HAND, feed

SCALE = Setup().scale


def test_outcomes_by_hand():
    (sample, confidence, truth), _ = HAND
    peaks = Detections(np.array(sample, float), np.array(confidence))
    line = outcomes(peaks, np.array(truth, float), 4, SCALE)
    assert [KINDS[kind] for kind in line.kind] == ["found", "found", "missed", "false"]
    assert list(line.sample) == [100, 198, 500, 700]
    np.testing.assert_allclose(line.error_samples, [0.5, 2])
    assert list(line.density) == [0, 0, 0, 0]


def test_density_counts_the_others_within_half_a_wavelength():
    peaks = Detections(np.array([70.0]), np.array([0.9]))
    line = outcomes(peaks, np.array([50.0, 60.0, 97.5]), 4, SCALE)  # half of it is 37 samples
    assert [KINDS[kind] for kind in line.kind] == ["missed"] * 3 + ["false"]
    assert list(line.density) == [1, 1, 0, 3]


def test_rates_by_hand():
    kind, place = [0, 0, 1, 2, 0, 1], [100, 198, 500, 700, 50, 60]
    edges = np.array([0.0, 150, 650, 800, 900])
    table = rates(count_kinds(kind, place, edges), edges)
    assert list(table["found"]) == [2, 1, 0, 0]
    np.testing.assert_allclose(table["precision"], [1, 1, 0, np.nan])
    np.testing.assert_allclose(table["recall"], [2 / 3, 1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(table["f1"], [4 / 5, 2 / 3, 0, np.nan])


def test_lines_are_counted_together():
    breakdown = feed(Breakdown(0.2, 4, SCALE), HAND)
    assert len(breakdown) == 6
    density = breakdown.along_density()
    assert list(density["found"][:2]) == [2, 1]
    assert list(density["missed"][:2]) == [1, 1]
    assert list(density["false"][:2]) == [1, 0]
    depth = breakdown.along_depth(bins=5)
    np.testing.assert_allclose(depth["high"], 0.01184 * np.array([140, 280, 420, 560, 700]))
    assert list(depth["found"]) == [2, 1, 0, 0, 0]
    assert list(depth["missed"]) == [1, 0, 0, 1, 0]
    assert list(depth["false"]) == [0, 0, 0, 0, 1]


def test_only_confident_peaks_count():
    breakdown = feed(Breakdown(0.85, 4, SCALE), HAND)
    assert breakdown.along_density()[list(KINDS)].to_numpy().sum(axis=0) == pytest.approx([2, 3, 0])


def test_errors_are_counted_about_zero():
    table = feed(Breakdown(0.2, 4, SCALE), HAND).errors()
    assert table["bubbles"].sum() == 3
    middle = (table["low"] + table["high"]) / 2
    np.testing.assert_allclose(middle[table["bubbles"] > 0], [0, 0.5, 2], atol=1e-9)
    assert middle.iloc[0] == -4
    assert middle.iloc[-1] == 4
