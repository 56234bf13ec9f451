"""The words and figures of a run's report."""

import pandas as pd

from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.report.content import Evaluation, shown_summary
from bubbleloc.report.document import Section
from bubbleloc.report.figures.line import example_line
from bubbleloc.report.figures.scores import f1_against, f1_violins
from bubbleloc.report.figures.thresholds import f1_heatmap, precision_recall


def summary_sentence(evaluation: Evaluation, summary: pd.DataFrame) -> str:
    """Say what the run reached at the quoted tolerance, beside random output."""
    row = summary.set_index("tolerance").loc[QUOTED_TOLERANCE]
    in_wavelengths = f", {row['wavelengths']:.3f} λ" if "wavelengths" in row else ""
    return (
        f"Mean F1 {row['mean']:.3f} and median {row['median']:.3f} within "
        f"±{QUOTED_TOLERANCE} samples ({row['um']:.0f} µm{in_wavelengths}) on "
        f"{row['signals']:.0f} test signals. Random output reaches a mean of "
        f"{row['random_mean']:.3f}. Thresholds were chosen on the {evaluation.selection_split} "
        "split."
    )


def distributions(evaluation: Evaluation, summary: pd.DataFrame) -> Section:
    """F1 over the test signals, as violins and as a table."""
    violins = f1_violins(evaluation.scores, evaluation.scale)
    return Section(
        "F1 over the test signals",
        "Each violin is the distribution of F1 over the test signals, at the threshold chosen "
        f"for that tolerance on the {evaluation.selection_split} split. Baselines are shown by "
        "their mean F1, at their own best thresholds on that split; random output is uniform "
        "noise. Brackets are 95 % bootstrap intervals over signals.",
        {"f1_violins": ("F1 per signal and tolerance", violins)},
        shown_summary(summary),
    )


def thresholds(evaluation: Evaluation) -> Section:
    """Scores of the selection split, from which thresholds were chosen."""
    selection, scale = evaluation.selection, evaluation.scale
    heatmap, curves = f1_heatmap(selection, scale), precision_recall(selection, scale)
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


def difficulty(evaluation: Evaluation) -> Section:
    """F1 against what makes a line hard."""
    scores, scale = evaluation.scores, evaluation.scale
    shown = {"bubbles": "the number of bubbles"}
    if scores["pressure_pa"].notna().any():  # measured lines may come without
        shown["pressure_pa"] = "the transmitted pressure"
    figures = {}
    for column, words in shown.items():
        figure = f1_against(scores, column, QUOTED_TOLERANCE, scale)
        figures[f"f1_{column.removesuffix('_pa')}"] = (f"F1 against {words}", figure)
    return Section(
        "F1 against bubbles and pressure",
        f"F1 within ±{QUOTED_TOLERANCE} samples of every test signal; lines are medians of equally "
        "filled bins, bands the quartiles.",
        figures,
    )


def example_lines(evaluation: Evaluation) -> list[Section]:
    """Test lines and what the network found in them; no section without examples."""
    figures = {
        f"line_{i}": (example.title, example_line(example, QUOTED_TOLERANCE, evaluation.scale))
        for i, example in enumerate(evaluation.examples, 1)
    }
    text = (
        "The densest part of a test line, and the network's output below it. Detections are peaks "
        "above the threshold, paired one to one with bubbles within "
        f"±{QUOTED_TOLERANCE} samples. Bubbles are marked at their arrival, the time of flight of "
        "the pulse's start; an echo peaks later."
    )
    return [Section("Example lines", text, figures)] if figures else []
