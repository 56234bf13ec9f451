"""The part of a report that counts every bubble once: tables, breakdowns, their figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bubbleloc.breakdown_figures import error_figure, rates_figure
from bubbleloc.detections import Scale
from bubbleloc.document import FIGURES, Section
from bubbleloc.matched import (
    Found,
    best_peak_thresholds,
    error_counts,
    matched_scores,
    matched_summary,
    outcomes,
    rates_along,
)
from bubbleloc.tables import write_csv, write_table

_DEPTH_BINS = 12
_DENSITY_LIMIT = 16


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
    write_table(summary, folder, "matched", "One-to-one scores over the test signals")
    row = summary.set_index("tolerance").to_dict("index")[tolerance]
    outcome = outcomes(test, row["threshold"], tolerance, scale)
    deepest = outcome["depth_mm"].max()
    depth = rates_along(outcome, "depth_mm", np.linspace(0, deepest, _DEPTH_BINS + 1))
    density = rates_along(outcome, "density", np.arange(_DENSITY_LIMIT + 1) - 0.5)
    errors = error_counts(outcome, tolerance)
    for name, table in (("rates_depth", depth), ("rates_density", density), ("errors", errors)):
        write_csv(table, folder / FIGURES / f"{name}.csv")
    by_depth = rates_figure(depth, "depth (mm)")
    by_density = rates_figure(density, "other bubbles within λ/2")
    histogram = error_figure(errors, row["bias_samples"], row["rmse_samples"], scale)
    return [
        Section(
            "Every bubble counted once",
            "The F1 above lets one positive sample find several bubbles. Here peaks of the output "
            "and bubbles are paired one to one, no pair farther apart than the tolerance; "
            "thresholds are chosen on the selection split for this score. Ratios are means over "
            "signals, errors go over all pairs; efficiency weighs the Jaccard index against the "
            "RMSE at 1 % per µm.",
            table=summary,
        ),
        Section(
            "Where bubbles are found, and how far off",
            f"All test signals together, pairs within ±{tolerance} samples, threshold "
            f"{row['threshold']:g}.",
            {
                "rates_depth": ("One-to-one scores against depth", by_depth),
                "rates_density": ("One-to-one scores against crowding", by_density),
                "errors": ("Localization error of what is found", histogram),
            },
        ),
    ]
