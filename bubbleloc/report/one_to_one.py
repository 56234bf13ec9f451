"""The part of a report about one-to-one scores: tables, localization errors, their figures."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.breakdown import error_histogram, rates_along_density, rates_along_depth
from bubbleloc.metrics.one_to_one import one_to_one_summary
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.report.content import Evaluation
from bubbleloc.report.document import FIGURES, Section
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import draw_one_to_one
from bubbleloc.report.figures.style import BLUE, INK, MUTED
from bubbleloc.tables import write_csv, write_table
from bubbleloc.units import Scale

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


def write_one_to_one(folder: Path, evaluation: Evaluation) -> list[Section]:
    """Write one-to-one scores, if there are any, into `folder`; return the sections about them.

    Written: ``matched_test.csv`` (a row per signal × tolerance), ``matched`` (a row per
    tolerance) and ``matched_floor`` (a row per method, at the quoted tolerance) as CSV, Markdown
    and LaTeX, and the data of the figures beside these.
    """
    scores, scale = evaluation.one_to_one, evaluation.scale
    if scores is None:
        return []
    network = of_method(scores)
    summary = one_to_one_summary(network, scale)
    write_csv(network, folder / "matched_test.csv")
    shown = _shown(summary)
    write_table(summary, folder, "matched", "One-to-one scores over the test signals", shown)
    sections = [
        Section(
            "One-to-one scores",
            "The F1 above lets one positive sample find several bubbles. Here peaks of the output "
            "and bubbles are paired one to one, no pair farther apart than the tolerance. "
            f"Thresholds are chosen on the {evaluation.selection_split} split for this score. "
            "Precision, recall, F1, Jaccard index and efficiency are means over signals; errors "
            "are over all pairs. Efficiency combines the Jaccard index and the RMSE at 1 % per µm.",
            table=shown,
        )
    ]
    at = summary[summary["tolerance"] == QUOTED_TOLERANCE]
    if baselines_in(scores):
        sections.append(_beside_baselines(folder, at, scores, scale))
    if len(evaluation.outcomes):  # else neither bubbles nor detections
        sections.append(_localization_error(folder, evaluation.outcomes, at.iloc[0], scale))
    return sections


def _beside_baselines(
    folder: Path, network: pd.DataFrame, scores: pd.DataFrame, scale: Scale
) -> Section:
    rows = [network.assign(method="network")]
    for method in baselines_in(scores):
        at = of_method(scores, method).query("tolerance == @QUOTED_TOLERANCE")
        rows.append(one_to_one_summary(at, scale).assign(method=BASELINES[method]))
    table = pd.concat(rows, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    table = table.sort_values("f1", ascending=False, kind="stable")
    shown = _shown(table.drop(columns=["tolerance", "rmse_wavelengths"], errors="ignore"))
    shown.insert(0, "method", table["method"])
    caption = f"One-to-one scores within {QUOTED_TOLERANCE} samples, network and baselines"
    write_table(table, folder, "matched_floor", caption, shown)
    return Section(
        f"One-to-one scores of the baselines within ±{QUOTED_TOLERANCE} samples",
        "Random output is uniform noise. Classical methods know the echo of one bubble, simulated "
        "with the physics of the dataset. All thresholds are chosen as the network's are.",
        table=shown,
    )


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    headings = {name: heading for name, heading in _HEADINGS.items() if name in summary}
    return summary.rename(columns=headings)[list(headings.values())]


def _localization_error(
    folder: Path, outcomes: pd.DataFrame, at: pd.Series, scale: Scale
) -> Section:
    """Draw scores against depth and density, and the errors; write the data of these figures."""
    depth, errors = rates_along_depth(outcomes, scale), error_histogram(outcomes, QUOTED_TOLERANCE)
    tables = {"rates_depth": depth, "errors": errors}
    figures: dict[str, tuple[str, Figure]] = {
        "rates_depth": ("One-to-one scores against depth", rates_figure(depth, "depth (mm)"))
    }
    if "density" in outcomes:
        tables["rates_density"] = density = rates_along_density(outcomes)
        figure = rates_figure(density, "other bubbles within λ/2")
        figures["rates_density"] = ("One-to-one scores against bubble density", figure)
    histogram = error_figure(errors, at["bias_samples"], at["rmse_samples"], scale)
    figures["errors"] = ("Localization error of the bubbles found", histogram)
    for name, table in tables.items():
        write_csv(table, folder / FIGURES / f"{name}.csv")
    return Section(
        "Localization error, depth and density" if "density" in outcomes else "Localization error",
        f"All test signals together, pairs within ±{QUOTED_TOLERANCE} samples, threshold "
        f"{at['threshold']:.3g}.",
        figures,
    )


@style.house_style
def rates_figure(rates: pd.DataFrame, label: str) -> Figure:
    """One-to-one F1, precision and recall along a quantity, above how many bubbles each bin has."""
    figure = style.new_figure(height=2.9)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    low, high = rates["low"], rates["high"]
    draw_one_to_one(top, (low + high) / 2, rates)
    bubbles = rates["found"] + rates["missed"]
    bottom.bar(low, bubbles, high - low, align="edge", color="#b8b8b8")
    bottom.set(xlabel=label, ylabel="bubbles", xlim=(low.min(), high.max()))
    bottom.grid(False)
    top.set(ylabel="one-to-one score", ylim=(0, 1))
    figure.align_ylabels()
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.house_style
def error_figure(errors: pd.DataFrame, bias: float, rmse: float, scale: Scale) -> Figure:
    """Histogram of localization errors in samples below and µm above; `bias`, `rmse` in samples."""
    figure = style.new_figure(height=2.6)
    axes = figure.subplots()
    low, high = errors["low"], errors["high"]
    share = 100 * errors["bubbles"] / max(errors["bubbles"].sum(), 1)
    axes.bar(low, share, high - low, align="edge", color=BLUE, alpha=0.7)
    axes.axvline(0, ymax=0.72, color=MUTED, linewidth=0.8)
    um = scale.um_per_sample
    words = "nothing matched"
    if np.isfinite(bias):
        axes.axvline(bias, ymax=0.72, color=INK, linestyle="--", linewidth=1)
        known = scale.frequency_hz is not None
        in_wavelengths = f", {rmse * scale.wavelengths_per_sample:.3f} λ" if known else ""
        words = (
            f"bias {bias:+.2f} samples ({bias * um:+.1f} µm)\n"
            f"RMSE {rmse:.2f} samples ({rmse * um:.1f} µm{in_wavelengths})"
        )
    axes.text(0.98, 0.96, words, transform=axes.transAxes, ha="right", va="top", fontsize=7)
    axes.set(
        xlabel="detected − true arrival (samples)",
        ylabel="matched bubbles (%)",
        xlim=(low.min(), high.max()),
        ylim=(0, 1.4 * share.max() + 0.1),  # room for the words above the bars
    )
    style.add_depth_axis(axes, um, "error in depth (µm)")
    return figure
