"""The words and figures of a run's report."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bubbleloc.metrics.thresholds import best_thresholds
from bubbleloc.report.content import Evaluation, scores_within, shown_summary
from bubbleloc.report.document import Document, Section
from bubbleloc.report.figures import f1_against, f1_heatmap, f1_violins, precision_recall
from bubbleloc.report.figures.line import busiest_part, example_line

_EXAMPLE_SAMPLES = 500
"""Length of line that a text-wide figure shows with every peak distinct."""


def report_document(
    evaluation: Evaluation,
    summary: pd.DataFrame,
    more: Sequence[Section],
    tolerance: int,
) -> Document:
    """Lay out the report of one run; single numbers are given at `tolerance` samples."""
    row = summary.set_index("tolerance").loc[tolerance]
    split = evaluation.selection_split
    sections = [
        _distributions(evaluation, summary),
        _thresholds(evaluation),
        _difficulty(evaluation, tolerance),
        *more,
    ]
    if evaluation.examples:
        sections.append(_examples(evaluation, tolerance))
    return Document(
        title="F1 report: " + evaluation.facts.get("run", evaluation.facts.get("model", "one run")),
        summary=f"Mean F1 {row['mean']:.3f} and median {row['median']:.3f} within ±{tolerance} "
        f"samples ({row['um']:.0f} µm, {row['wavelengths']:.3f} λ) on {row['signals']:.0f} test "
        f"signals, where random output reaches a mean of {row['random_mean']:.3f}. Thresholds "
        f"were chosen on the {split} split.",
        sections=sections,
        facts={"thresholds chosen on": f"{split} split", **evaluation.facts},
    )


def _distributions(evaluation: Evaluation, summary: pd.DataFrame) -> Section:
    tolerances = evaluation.test.tolerances.tolist()
    scores = ((tolerance, scores_within(evaluation, tolerance)) for tolerance in tolerances)
    figure = f1_violins(scores, evaluation.scale)
    return Section(
        "F1 over the test signals",
        "Each violin is the distribution of F1 over the test signals, at the threshold chosen "
        f"for that tolerance on the {evaluation.selection_split} split. Random output is uniform "
        "noise; it and any classical method stand at their own best thresholds, with their means. "
        "Brackets are 95 % bootstrap intervals over signals.",
        {"f1_violins": ("F1 per signal and tolerance", figure)},
        shown_summary(summary),
    )


def _thresholds(evaluation: Evaluation) -> Section:
    selection, scale = evaluation.selection, evaluation.scale
    chosen = best_thresholds(selection)
    heatmap = f1_heatmap(selection, chosen, scale)
    curves = precision_recall(selection, chosen, scale)
    return Section(
        "Choice of the threshold",
        f"Mean F1, precision and recall of the {evaluation.selection_split} split "
        f"({len(selection)} signals). Circles mark the threshold of highest mean F1 per tolerance; "
        "the test split had no part in it.",
        {
            "f1_heatmap": ("Mean F1 over thresholds and tolerances", heatmap),
            "precision_recall": ("Precision and recall along the thresholds", curves),
        },
    )


def _difficulty(evaluation: Evaluation, tolerance: int) -> Section:
    scores, scale = scores_within(evaluation, tolerance), evaluation.scale
    figures = {
        "f1_bubbles": (
            "F1 against the number of bubbles",
            f1_against(scores, "bubbles", tolerance, scale),
        )
    }
    if scores["pressure_pa"].notna().any():  # measured lines may come without
        pressure = f1_against(scores, "pressure_pa", tolerance, scale)
        figures["f1_pressure"] = ("F1 against the transmitted pressure", pressure)
    return Section(
        "What makes a signal hard",
        f"F1 within ±{tolerance} samples of every test signal; lines are medians of equally "
        "filled bins, bands the quartiles.",
        figures,
    )


def _examples(evaluation: Evaluation, tolerance: int) -> Section:
    figures = {}
    for i, example in enumerate(evaluation.examples):
        start = busiest_part(example.arrival_sample, len(example.rf), _EXAMPLE_SAMPLES)
        figure = example_line(example, start, _EXAMPLE_SAMPLES, tolerance, evaluation.scale)
        figures[f"line_{i + 1}"] = (example.title, figure)
    return Section(
        "From RF line to bubbles",
        "The most crowded piece of a test line, the network's output below it, and what it finds: "
        f"peaks above the threshold, paired one to one with bubbles within ±{tolerance} samples. "
        "The truth is the time of flight; an echo peaks some 90 samples after it.",
        figures,
    )
