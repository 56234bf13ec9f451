"""What a report writes, read back: its files and the tables of its pages hold the evaluation."""

import base64
import dataclasses
import html
import re

import numpy as np
import pandas as pd
import pytest

from bubbleloc.metrics.certainty import pair_table
from bubbleloc.metrics.detections import Detections, EmitterDetections
from bubbleloc.report import write_report
from bubbleloc.report.certainty import Certainty
from tests.report.test_run import N, evaluation_of, one_to_one_of

UM = 11.84  # a sample of the published lines
TRUE = [10, 52, 300]


def emitters(samples, probability):
    ones = np.ones(len(samples))
    return EmitterDetections(np.array(samples), np.array(probability), ones, 2.4 * ones, ones)


def certainty():
    """Three lines of three bubbles; two of four are right, and 0.4 and −2 samples off."""
    found = [emitters([10.4, 50.0, 200.0, 400.0], [0.9, 0.8, 0.6, 0.55])] * N
    pairs = pair_table(found, [np.array(TRUE, float)] * N)
    counts = pd.DataFrame({"expected": np.full(N, 11.0), "bubbles": 10})
    errors = pd.DataFrame({"low": [0, 100], "high": [100, np.inf], "pairs": [0, 2 * N]})
    return Certainty(pairs, counts, errors.assign(rmse=[np.nan, 1.5], bound=[np.nan, 0.5]))


@pytest.fixture(scope="module")
def evaluation():
    """An evaluation with all sections; the network's threshold is 0.1, the baseline's too."""
    peaks = Detections(np.array([10.4, 50.0, 200.0]), np.array([0.9, 0.4, 0.05]))
    base = evaluation_of()
    noisy = base.scores.assign(f1=base.scores["f1"] / 2)
    levels = [scores.assign(noise=level) for level, scores in ((0.0, base.scores), (0.5, noisy))]
    return dataclasses.replace(
        base,
        noise=pd.concat(levels, ignore_index=True),
        certainty=certainty(),
        **one_to_one_of(peaks, TRUE, N, methods=("network", "random")),
    )


@pytest.fixture(scope="module")
def page(evaluation, tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("run") / "report", evaluation)


def markdown_tables(page):
    """Tables of the Markdown beside a page, as text."""
    text = page.with_suffix(".md").read_text()
    tables = []
    for block in re.findall(r"(?:^\|.*\n?)+", text, re.M):
        rows = [
            [html.unescape(cell.strip()) for cell in line.strip("|").split("|")]
            for line in block.splitlines()
        ]
        tables.append(pd.DataFrame(rows[2:], columns=rows[0]))
    return tables


def html_tables(page):
    """Tables of a page, as text; the last one has no heading."""
    tables = []
    for block in re.findall(r"<table.*?</table>", page.read_text(), re.S):
        head = re.findall(r"<th>(.*?)</th>", block)
        rows = [
            re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr><td>.*?</tr>", block)
        ]
        rows = [[html.unescape(cell) for cell in row] for row in rows]
        tables.append(pd.DataFrame(rows, columns=head or None))
    return tables


def text_of(values):
    return [f"{value:.3f}" for value in values]


def test_both_pages_show_the_same_tables_and_figures(page):
    assert "ckcnn &lt;131>" in page.with_suffix(".md").read_text()  # a name is no HTML
    of_markdown, of_html = markdown_tables(page), html_tables(page)
    assert len(of_markdown) == 6  # F1, one to one, baselines, certainty, noise, facts
    for one, other in zip(of_markdown, of_html, strict=True):
        assert one.to_numpy().tolist() == other.to_numpy().tolist()
    pictures = re.findall(r"\((figures/\w+\.png)\)", page.with_suffix(".md").read_text())
    inside = re.findall(r'src="data:image/png;base64,(.*?)"', page.read_text())
    files = [base64.b64encode((page.parent / name).read_bytes()).decode() for name in pictures]
    assert inside == files
    assert len(files) == 13


def test_f1_is_that_of_the_evaluation(page, evaluation):
    written = pd.read_csv(page.with_name("f1_test.csv"))
    pd.testing.assert_frame_equal(written, evaluation.scores, rtol=1e-7, check_dtype=False)
    shown, groups = markdown_tables(page)[0], evaluation.scores.groupby("tolerance")
    assert list(shown["± samples"]) == [str(tolerance) for tolerance in range(10)]
    assert list(shown["threshold"]) == text_of(groups["threshold"].first())
    for column in ("precision", "recall"):
        assert list(shown[column]) == text_of(groups[column].mean())
    assert list(shown["random output"]) == text_of(groups["random_f1"].mean())
    for name in ("mean", "median"):
        starts = shown[f"{name} [95 %]"].str.partition(" ")[0]
        assert list(starts) == text_of(getattr(groups["f1"], name)())
    assert shown["µm"].astype(float).to_numpy() == pytest.approx(UM * np.arange(10), rel=0.01)
    summary = pd.read_csv(page.with_name("summary.csv"))
    np.testing.assert_allclose(summary["mean"], groups["f1"].mean(), rtol=1e-7)
    assert (summary["mean_low"] <= summary["mean"]).all()


def test_one_to_one_scores_are_those_of_the_pairs(page):
    at = pd.read_csv(page.with_name("matched.csv")).set_index("tolerance").loc[4]
    expected = {"threshold": 0.1, "precision": 1, "recall": 2 / 3, "f1": 0.8, "jaccard": 2 / 3}
    rmse, bias = np.sqrt((0.4**2 + 2**2) / 2), (0.4 - 2) / 2
    expected |= {"rmse_um": UM * rmse, "bias_samples": bias, "bias_um": UM * bias}
    assert at[list(expected)].to_dict() == pytest.approx(expected)
    shown = markdown_tables(page)[1].set_index("± samples").loc["4"]
    names = ["precision", "recall", "F1", "Jaccard", "RMSE (samples)", "bias (samples)"]
    assert list(shown[names]) == text_of([1, 2 / 3, 0.8, 2 / 3, rmse, bias])
    beside = markdown_tables(page)[2]
    assert list(beside["method"]) == ["network", "random output"]
    assert list(beside["F1"]) == ["0.800", "0.800"]
    depth = pd.read_csv(page.parent / "figures/rates_depth.csv")
    assert depth[["found", "missed", "false"]].sum().to_list() == [2 * N, N, 0]


def test_certainty_is_that_of_the_pairs(page):
    scores = pd.read_csv(page.with_name("certainty.csv")).iloc[0]
    assert scores["precision"] == pytest.approx(0.5)
    assert scores["within_1_sigma"] == pytest.approx(0.5)
    assert scores["count_error"] == pytest.approx(0.1)
    assert (scores["isolated_rmse"], scores["isolated_bound"]) == (1.5, 0.5)
    shown = markdown_tables(page)[3].iloc[0]
    assert (shown["count error"], shown["RMSE, isolated"]) == ("0.100", "1.500")
    bins = pd.read_csv(page.with_name("reliability.csv"))
    assert bins["bubbles"].sum() == 4 * N


def test_noise_is_that_of_the_levels(page, evaluation):
    written = pd.read_csv(page.with_name("f1_noise.csv"))
    pd.testing.assert_frame_equal(written, evaluation.noise, rtol=1e-7, check_dtype=False)
    means = evaluation.noise.query("tolerance == 4").groupby("noise")["f1"].mean()
    shown = markdown_tables(page)[4]
    assert list(shown["noise level"]) == ["0", "0.5"]
    assert list(shown["noise (V)"]) == ["0.000", "4.825"]  # of 9.65 V
    assert list(shown["mean [95 %]"].str.partition(" ")[0]) == text_of(means)


def test_a_network_that_needs_no_threshold_shows_none(evaluation, tmp_path, no_pictures):
    at_none = {
        name: table.assign(threshold=np.nan) if name == "network" else table
        for name, table in evaluation.one_to_one.items()
    }
    (example,) = evaluation.examples
    of_emitters = dataclasses.replace(
        evaluation, one_to_one=at_none, examples=[dataclasses.replace(example, threshold=None)]
    )
    page = write_report(tmp_path, of_emitters)
    text = page.with_suffix(".md").read_text()
    assert "threshold" not in markdown_tables(page)[1]
    assert list(markdown_tables(page)[2]["threshold"]) == ["–", "0.100"]
    assert pd.read_csv(tmp_path / "matched.csv")["threshold"].isna().all()
    assert "No threshold is needed" in text
    assert "Detections are the bubbles that the network reports" in text
    for words in (
        "for this score",
        "peaks of",
        "peaks above",
        "samples, threshold",
        "network's are",
    ):
        assert words not in text
