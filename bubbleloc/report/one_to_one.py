"""The part of a report that counts every bubble once: tables, breakdowns, their figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.metrics.breakdown import Breakdown
from bubbleloc.report.content import Evaluation
from bubbleloc.report.document import FIGURES, Section
from bubbleloc.report.figures.breakdowns import error_figure, rates_figure
from bubbleloc.report.figures.scores import rival_name
from bubbleloc.report.tables import write_csv, write_long_csv, write_table

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


def write_matched(folder: Path, evaluation: Evaluation) -> list[Section]:
    """Write one-to-one scores, if there are any, into `folder`; return the sections about them.

    Written: ``matched_test.csv`` (a row per signal × tolerance), ``matched`` (a row per
    tolerance) and ``matched_floor`` (a row per method, at the tolerance of the breakdown) as CSV,
    Markdown and LaTeX, and the data of the figures beside these.
    """
    if evaluation.one_to_one is None:
        return []
    scores, breakdown = evaluation.one_to_one.scores, evaluation.one_to_one.breakdown
    summary = scores.summary()
    write_long_csv(scores.tables(), folder / "matched_test.csv")
    shown = _shown(summary)
    write_table(summary, folder, "matched", "One-to-one scores over the test signals", shown)
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
    at = summary[summary["tolerance"] == breakdown.tolerance]
    if evaluation.rivals_one_to_one:
        sections.append(_floor(folder, at, evaluation.rivals_one_to_one, breakdown.tolerance))
    if len(breakdown):  # else neither bubbles nor detections
        section = Section(
            "Where bubbles are found, and how far off",
            f"All test signals together, pairs within ±{breakdown.tolerance} samples, threshold "
            f"{breakdown.threshold:.3g}.",
            _figures(folder, breakdown, at["bias_samples"].item(), at["rmse_samples"].item()),
        )
        sections.append(section)
    return sections


def _floor(
    folder: Path, network: pd.DataFrame, rivals: Mapping[str, pd.DataFrame], tolerance: int
) -> Section:
    """One-to-one scores at one tolerance of the network and of what it must beat."""
    rows = [network.assign(method="network")]
    rows += [row.assign(method=rival_name(f"{name}_f1")) for name, row in rivals.items()]
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
    folder: Path, breakdown: Breakdown, bias: float, rmse: float
) -> dict[str, tuple[str, Figure]]:
    """Draw the breakdowns and write their data beside where they will be."""
    depth, density = breakdown.along_depth(), breakdown.along_density()
    errors = breakdown.errors()
    for name, table in (("rates_depth", depth), ("rates_density", density), ("errors", errors)):
        write_csv(table, folder / FIGURES / f"{name}.csv")
    by_depth = rates_figure(depth, "depth (mm)")
    by_density = rates_figure(density, "other bubbles within λ/2")
    histogram = error_figure(errors, bias, rmse, breakdown.scale)
    return {
        "rates_depth": ("One-to-one scores against depth", by_depth),
        "rates_density": ("One-to-one scores against crowding", by_density),
        "errors": ("Localization error of what is found", histogram),
    }
