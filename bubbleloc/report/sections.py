"""The words and figures of a run's report."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bubbleloc.metrics import QUOTED_TOLERANCE, best_thresholds
from bubbleloc.report.content import Evaluation, shown_summary
from bubbleloc.report.document import Document, Section
from bubbleloc.report.figures import f1_against, f1_heatmap, f1_violins, precision_recall
from bubbleloc.report.figures.line import busiest_part, example_line

_EXAMPLE_SAMPLES = 500
"""Length of line that a text-wide figure shows with every peak distinct."""


def report_document(
    evaluation: Evaluation, summary: pd.DataFrame, more: Sequence[Section]
) -> Document:
    """Lay out the report of one run; single numbers are given at the quoted tolerance."""
    row = summary.set_index("tolerance").loc[QUOTED_TOLERANCE]
    split = evaluation.selection_split
    in_wavelengths = f", {row['wavelengths']:.3f} λ" if "wavelengths" in row else ""
    sections = [
        _distributions(evaluation, summary),
        _thresholds(evaluation),
        _difficulty(evaluation),
    ]
    sections += more
    if evaluation.examples:
        sections.append(_examples(evaluation))
    return Document(
        title="F1 report: " + evaluation.facts.get("run", "one run"),
        summary=f"Mean F1 {row['mean']:.3f} and median {row['median']:.3f} within "
        f"±{QUOTED_TOLERANCE} samples ({row['um']:.0f} µm{in_wavelengths}) on "
        f"{row['signals']:.0f} test signals. Random output reaches a mean of "
        f"{row['random_mean']:.3f}. Thresholds were chosen on the {split} split.",
        sections=sections,
        facts={"thresholds chosen on": f"{split} split", **evaluation.facts},
    )


def _distributions(evaluation: Evaluation, summary: pd.DataFrame) -> Section:
    return Section(
        "F1 over the test signals",
        "Each violin is the distribution of F1 over the test signals, at the threshold chosen "
        f"for that tolerance on the {evaluation.selection_split} split. Baselines are shown by "
        "their mean F1, at their own best thresholds on that split; random output is uniform "
        "noise. Brackets are 95 % bootstrap intervals over signals.",
        {
            "f1_violins": (
                "F1 per signal and tolerance",
                f1_violins(evaluation.scores, evaluation.scale),
            )
        },
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
        f"({len(selection)} signals). Circles mark the threshold of highest mean F1 per tolerance. "
        "The test split was not used here.",
        {
            "f1_heatmap": ("Mean F1 over thresholds and tolerances", heatmap),
            "precision_recall": ("Precision and recall along the thresholds", curves),
        },
    )


def _difficulty(evaluation: Evaluation) -> Section:
    scores, scale = evaluation.scores, evaluation.scale
    shown = {"bubbles": "the number of bubbles"}
    if scores["pressure_pa"].notna().any():  # measured lines may come without
        shown["pressure_pa"] = "the transmitted pressure"
    figures = {
        f"f1_{column.removesuffix('_pa')}": (
            f"F1 against {words}",
            f1_against(scores, column, QUOTED_TOLERANCE, scale),
        )
        for column, words in shown.items()
    }
    return Section(
        "F1 against bubbles and pressure",
        f"F1 within ±{QUOTED_TOLERANCE} samples of every test signal; lines are medians of equally "
        "filled bins, bands the quartiles.",
        figures,
    )


def _examples(evaluation: Evaluation) -> Section:
    figures = {}
    for i, example in enumerate(evaluation.examples):
        start = busiest_part(example.arrival_sample, len(example.rf), _EXAMPLE_SAMPLES)
        figure = example_line(example, start, _EXAMPLE_SAMPLES, QUOTED_TOLERANCE, evaluation.scale)
        figures[f"line_{i + 1}"] = (example.title, figure)
    return Section(
        "Example lines",
        "The densest part of a test line, and the network's output below it. Detections are peaks "
        "above the threshold, paired one to one with bubbles within "
        f"±{QUOTED_TOLERANCE} samples. Bubbles are marked at their arrival, the time of flight of "
        "the pulse's start; an echo peaks later.",
        figures,
    )
