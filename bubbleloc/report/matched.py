"""The part of a report that counts every bubble once: tables, breakdowns, their figures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.detections import Scale
from bubbleloc.figures.breakdowns import error_figure, rates_figure
from bubbleloc.matched import (
    Found,
    best_peak_thresholds,
    error_counts,
    matched_scores,
    matched_summary,
    outcomes,
    rates_along,
)
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
    folder: Path,
    selection: Found,
    test: Found,
    tolerances: Sequence[int],
    tolerance: int,
    scale: Scale,
) -> list[Section]:
    """Score one to one, write the tables into `folder` and return the sections about them.

    Written: ``matched_test.csv`` (a row per signal × tolerance), ``matched`` (CSV, Markdown,
    LaTeX; a row per tolerance) and the data of the figures beside these. Thresholds are chosen on
    `selection`; breakdowns are those of `tolerance`.
    """
    chosen = best_peak_thresholds(selection, tolerances)
    scores = matched_scores(test, chosen, tolerances, scale)
    summary = matched_summary(scores)
    write_csv(scores, folder / "matched_test.csv")
    shown = summary.rename(columns=_HEADINGS)[list(_HEADINGS.values())]
    write_table(summary, folder, "matched", "One-to-one scores over the test signals", shown)
    row = summary.set_index("tolerance").to_dict("index")[tolerance]
    counted = Section(
        "Every bubble counted once",
        "The F1 above lets one positive sample find several bubbles. Here peaks of the output "
        "and bubbles are paired one to one, no pair farther apart than the tolerance; "
        "thresholds are chosen on the selection split for this score. Ratios are means over "
        "signals, errors go over all pairs; efficiency weighs the Jaccard index against the "
        "RMSE at 1 % per µm.",
        table=shown,
    )
    outcome = outcomes(test, row["threshold"], tolerance, scale)
    if outcome.empty:  # neither bubbles nor detections
        return [counted]
    breakdown = Section(
        "Where bubbles are found, and how far off",
        f"All test signals together, pairs within ±{tolerance} samples, threshold "
        f"{row['threshold']:g}.",
        _figures(folder, outcome, row, tolerance, scale),
    )
    return [counted, breakdown]


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
