"""The recipe of CONTRIBUTING.md for a metric: a function, a row of `METRICS`, and this test."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bubbleloc.metrics import one_to_one, scores
from bubbleloc.metrics.detections import Detections
from bubbleloc.report import write_report
from tests.report.test_reading_back import markdown_tables
from tests.report.test_run import N, evaluation_of, one_to_one_of

pytestmark = pytest.mark.usefixtures("no_pictures")


def missed(pairs, scale):
    """Bubbles without a detection."""
    return pairs.n_true - len(pairs.true)


def largest_error(pairs, scale):
    """Largest distance of a detection and its bubble, in samples."""
    return float(np.abs(pairs.error_samples).max())


def jaccard(scored):
    """Jaccard index, from F1."""
    return scored.f1 / (2 - scored.f1)


def test_a_metric_of_pairs_is_in_all_tables(tmp_path, monkeypatch):
    rows = {
        "missed": one_to_one.Metric("missed bubbles", missed),
        "largest": one_to_one.Metric("largest error", largest_error, is_distance=True),
    }
    for name, row in rows.items():
        monkeypatch.setitem(one_to_one.METRICS, name, row)
    peaks = Detections(np.array([10.4, 50]), np.array([0.9, 0.4]))
    pairs = one_to_one_of(peaks, [10, 52, 300], N, methods=("network", "random"))
    page = write_report(tmp_path, dataclasses.replace(evaluation_of(), **pairs))
    for name in ("matched", "matched_test", "matched_floor"):
        row = pd.read_csv(tmp_path / f"{name}.csv").query("tolerance == 4").iloc[0]
        assert row["missed"] == 1
        assert row["largest_samples"] == pytest.approx(2)
        assert row["largest_um"] == pytest.approx(2 * 11.84)
    shown, beside = (
        table for table in markdown_tables(page) if "missed bubbles" in table and "Jaccard" in table
    )
    assert set(beside["missed bubbles"]) == {"1.000"}
    at_4 = shown[shown["± samples"] == "4"].iloc[0]
    assert at_4["missed bubbles"] == "1.000"
    assert (at_4["largest error (samples)"], at_4["largest error (µm)"]) == ("2.000", "23.7")


def test_a_metric_of_outputs_is_in_all_tables(tmp_path, monkeypatch):
    monkeypatch.setitem(scores.METRICS, "jaccard", scores.Metric("Jaccard", jaccard))
    page = write_report(tmp_path, evaluation_of())
    test = pd.read_csv(tmp_path / "f1_test.csv")
    for prefix in ("", "random_"):
        f1 = test[f"{prefix}f1"]
        np.testing.assert_allclose(test[f"{prefix}jaccard"], f1 / (2 - f1), rtol=1e-6)
    assert pd.read_csv(tmp_path / "f1_sweep.csv")["jaccard"].between(0, 1).all()
    means = test.groupby("tolerance")["jaccard"].mean()
    np.testing.assert_allclose(pd.read_csv(tmp_path / "summary.csv")["jaccard"], means, rtol=1e-6)
    shown = markdown_tables(page)[0]
    assert list(shown["Jaccard"]) == [f"{value:.3f}" for value in means]
