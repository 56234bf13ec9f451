import numpy as np
import pandas as pd

from bubbleloc.metrics.breakdown import (
    error_histogram,
    outcomes,
    rates,
    rates_along_density,
    rates_along_depth,
)
from bubbleloc.physics import Setup
from tests.metrics.test_one_to_one import HAND, peaks_and_truth

SCALE = Setup().scale


def test_outcomes_by_hand():
    table = outcomes(*peaks_and_truth(HAND[:1]), 0.2, 4, SCALE)
    assert list(table["kind"]) == ["found", "found", "missed", "false"]
    assert list(table["sample"]) == [100, 198, 500, 700]
    np.testing.assert_allclose(table["error_samples"], [0.5, 2, np.nan, np.nan])
    assert list(table["density"]) == [0, 0, 0, 0]


def test_density_counts_the_others_within_half_a_wavelength():
    line = ([70.0], [0.9], [50.0, 60.0, 97.5])  # half a wavelength is 37 samples
    table = outcomes(*peaks_and_truth([line]), 0.2, 4, SCALE)
    assert list(table["kind"]) == ["missed"] * 3 + ["false"]
    assert list(table["density"]) == [1, 1, 0, 3]


def test_rates_by_hand():
    kind = pd.Series(["found", "found", "missed", "false", "found", "missed"])
    place = np.array([100.0, 198, 500, 700, 50, 60])
    table = rates(kind, place, np.array([0.0, 150, 650, 800, 900]))
    assert list(table["found"]) == [2, 1, 0, 0]
    np.testing.assert_allclose(table["precision"], [1, 1, 0, np.nan])
    np.testing.assert_allclose(table["recall"], [2 / 3, 1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(table["f1"], [4 / 5, 2 / 3, 0, np.nan])


def test_lines_are_counted_together():
    table = outcomes(*peaks_and_truth(HAND), 0.2, 4, SCALE)
    assert len(table) == 6
    density = rates_along_density(table)
    assert list(density["found"][:2]) == [2, 1]
    assert list(density["missed"][:2]) == [1, 1]
    assert list(density["false"][:2]) == [1, 0]
    depth = rates_along_depth(table, SCALE, bins=5)
    np.testing.assert_allclose(depth["high"], 0.01184 * np.array([140, 280, 420, 560, 700]))
    assert list(depth["found"]) == [2, 1, 0, 0, 0]
    assert list(depth["missed"]) == [1, 0, 0, 1, 0]
    assert list(depth["false"]) == [0, 0, 0, 0, 1]


def test_no_bubble_is_too_crowded_to_be_counted():
    at = [100.0 + 0.5 * i for i in range(40)]
    table = outcomes(*peaks_and_truth([(at, [0.9] * 40, at)]), None, 4, SCALE)
    density = rates_along_density(table)
    assert table["density"].max() > 20
    for kind in ("found", "missed", "false"):
        assert density[kind].sum() == (table["kind"] == kind).sum()
    assert density["low"].iloc[-1] == 14.5
    assert density["high"].iloc[-1] == np.inf


def test_only_confident_peaks_count():
    table = outcomes(*peaks_and_truth(HAND), 0.85, 4, SCALE)
    assert table["kind"].value_counts().to_dict() == {"found": 2, "missed": 3, "false": 0}


def test_errors_are_counted_about_zero():
    table = error_histogram(outcomes(*peaks_and_truth(HAND), 0.2, 4, SCALE), 4)
    assert table["bubbles"].sum() == 3
    middle = (table["low"] + table["high"]) / 2
    np.testing.assert_allclose(middle[table["bubbles"] > 0], [0, 0.5, 2], atol=1e-9)
    assert middle.iloc[0] == -4
    assert middle.iloc[-1] == 4
