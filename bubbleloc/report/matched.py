"""The part of a report that counts every bubble once: tables, breakdowns, their figures."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.detections import Scale
from bubbleloc.figures.breakdowns import error_figure, rates_figure
from bubbleloc.figures.scores import rival_name
from bubbleloc.matched import (
    Found,
    best_peak_thresholds,
    error_counts,
    matched_scores,
    matched_summary,
    outcomes,
    rates_along,
)
from bubbleloc.report.content import Evaluation
from bubbleloc.report.document import FIGURES, Section
from bubbleloc.report.tables import write_csv, write_table

_DEPTH_BINS = 12
_DENSITY_LIMIT = 16
_HEADINGS = {
    "tolerance": "± samples",
    "threshold": "threshold",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "jaccard": "Jaccard",
    "efficiency": "efficiency",
    "rmse_samples": "RMSE (samples)",
    "rmse_um": "RMSE (µm)",
    "rmse_wavelengths": "RMSE (λ)",
    "bias_samples": "bias (samples)",
    "bias_um": "bias (µm)",
}


def write_matched(
    folder: Path, evaluation: Evaluation, tolerances: Sequence[int], tolerance: int
) -> list[Section]:
    """Score one to one, write the tables into `folder` and return the sections about them.

    Written: ``matched_test.csv`` (a row per signal × tolerance), ``matched`` (a row per
    tolerance) and ``matched_floor`` (a row per method, at `tolerance`) as CSV, Markdown and LaTeX,
    and the data of the figures beside these. Thresholds are chosen on the selection split;
    breakdowns are those of `tolerance`.
    """
    selection, test, scale = evaluation.selection_found, evaluation.test_found, evaluation.scale
    if selection is None or test is None:
        return []
    chosen = best_peak_thresholds(selection, tolerances)
    scores = matched_scores(test, chosen, tolerances, scale)
    summary = matched_summary(scores)
    write_csv(scores, folder / "matched_test.csv")
    shown = _shown(summary)
    write_table(summary, folder, "matched", "One-to-one scores over the test signals", shown)
    row = summary.set_index("tolerance").to_dict("index")[tolerance]
    sections = [
        Section(
            "Every bubble counted once",
            "The F1 above lets one positive sample find several bubbles. Here peaks of the output "
            "and bubbles are paired one to one, no pair farther apart than the tolerance; "
            f"thresholds are chosen on the {evaluation.selection_split} split for this score. "
            "Ratios are means over signals, errors go over all pairs; efficiency weighs the "
            "Jaccard index against the RMSE at 1 % per µm.",
            table=shown,
        )
    ]
    if evaluation.rivals_found:
        sections.append(_floor(folder, summary, evaluation.rivals_found, tolerance, scale))
    outcome = outcomes(test, row["threshold"], tolerance, scale)
    if not outcome.empty:  # else neither bubbles nor detections
        breakdown = Section(
            "Where bubbles are found, and how far off",
            f"All test signals together, pairs within ±{tolerance} samples, threshold "
            f"{row['threshold']:.3g}.",
            _figures(folder, outcome, row, tolerance, scale),
        )
        sections.append(breakdown)
    return sections


def _floor(
    folder: Path,
    summary: pd.DataFrame,
    rivals_found: Mapping[str, tuple[Found, Found]],
    tolerance: int,
    scale: Scale,
) -> Section:
    """One-to-one scores at one tolerance of the network and of what it must beat."""
    rows = [summary[summary["tolerance"] == tolerance].assign(method="network")]
    for name, (selection, test) in rivals_found.items():
        chosen = best_peak_thresholds(selection, [tolerance])
        scores = matched_summary(matched_scores(test, chosen, [tolerance], scale))
        rows.append(scores.assign(method=rival_name(f"{name}_f1")))
    table = pd.concat(rows, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    table = table.sort_values("f1", ascending=False, kind="stable")
    shown = _shown(table).drop(columns=["± samples", "RMSE (λ)"])
    shown.insert(0, "method", table["method"])
    caption = f"One-to-one scores within {tolerance} samples, beside what must be beaten"
    write_table(table, folder, "matched_floor", caption, shown)
    return Section(
        f"One to one within ±{tolerance} samples, beside what must be beaten",
        "Random output is uniform noise. Classical methods know the echo of one bubble, simulated "
        "with the physics of the dataset. All thresholds are chosen as the network's are.",
        table=shown,
    )


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    return summary.rename(columns=_HEADINGS)[list(_HEADINGS.values())]


def _figures(
    folder: Path, outcome: pd.DataFrame, row: dict[Hashable, Any], tolerance: int, scale: Scale
) -> dict[str, tuple[str, Figure]]:
    """Draw the breakdowns and write their data beside where they will be."""
    depths = np.linspace(0, outcome["depth_mm"].max(), _DEPTH_BINS + 1)
    depth = rates_along(outcome, "depth_mm", depths)
    density = rates_along(outcome, "density", np.arange(_DENSITY_LIMIT + 1) - 0.5)
    errors = error_counts(outcome, tolerance)
    for name, table in (("rates_depth", depth), ("rates_density", density), ("errors", errors)):
        write_csv(table, folder / FIGURES / f"{name}.csv")
    by_depth = rates_figure(depth, "depth (mm)")
    by_density = rates_figure(density, "other bubbles within λ/2")
    histogram = error_figure(errors, row["bias_samples"], row["rmse_samples"], scale)
    return {
        "rates_depth": ("One-to-one scores against depth", by_depth),
        "rates_density": ("One-to-one scores against crowding", by_density),
        "errors": ("Localization error of what is found", histogram),
    }
