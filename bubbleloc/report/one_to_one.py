"""The sections of a run's report about one-to-one scores and localization errors."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.breakdown import error_histogram, rates_along_density, rates_along_depth
from bubbleloc.metrics.one_to_one import columns, one_to_one_summary
from bubbleloc.metrics.scores import BASELINES, NETWORK
from bubbleloc.report.document import FIGURES, Picture, Section, Table, prose
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import draw_one_to_one
from bubbleloc.report.figures.style import BLUE, INK, MUTED
from bubbleloc.report.scores import Evaluation
from bubbleloc.units import Scale


def one_to_one(evaluation: Evaluation) -> list[Section]:
    """One-to-one scores of network and baselines, and the errors; nothing where they are not."""
    if not evaluation.one_to_one:
        return []
    scores, scale = evaluation.one_to_one, evaluation.scale
    summary = one_to_one_summary(scores[NETWORK], scale)
    at = summary[summary["tolerance"] == QUOTED_TOLERANCE].iloc[0]
    needs_threshold = bool(summary["threshold"].notna().all())
    words = {"split": evaluation.selection_split, "needs_threshold": needs_threshold}
    shown = _shown(summary if needs_threshold else summary.drop(columns="threshold"), scale)
    caption = "One-to-one scores over the test signals"
    sections = [
        Section(
            "One-to-one scores",
            prose("run", "one_to_one", **words),
            table=shown,
            files={
                "matched": Table(summary, caption, shown),
                "matched_test": Table(scores[NETWORK]),
            },
        )
    ]
    if len(scores) > 1:
        sections.append(_beside_baselines(scores, scale, words))
    if len(evaluation.outcomes):  # else neither bubbles nor detections
        sections.append(_localization_error(evaluation.outcomes, at, scale))
    return sections


def _beside_baselines(
    scores: Mapping[str, pd.DataFrame], scale: Scale, words: Mapping[str, object]
) -> Section:
    rows = []
    for method, of_method in scores.items():
        at = of_method[of_method["tolerance"] == QUOTED_TOLERANCE]
        row = one_to_one_summary(at, scale)
        row.insert(0, "method", BASELINES.get(method, method))
        rows.append(row)
    table = pd.concat(rows, ignore_index=True).sort_values("f1", ascending=False, kind="stable")
    in_wavelengths = [name for name in table.columns.astype(str) if name.endswith("_wavelengths")]
    shown = _shown(table.drop(columns=["tolerance", *in_wavelengths]), scale)
    within = style.tolerance_words(QUOTED_TOLERANCE, scale)
    caption = f"One-to-one scores within {within}, network and baselines"
    return Section(
        f"One-to-one scores of the baselines within {within}",
        prose("run", "baselines", **words),
        table=shown,
        files={"matched_floor": Table(table, caption, shown)},
    )


def _shown(summary: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    headings = {name: column.heading for name, column in columns(scale).items()}
    return summary.rename(columns={"tolerance": "± samples", **headings})


def _localization_error(outcomes: pd.DataFrame, at: pd.Series, scale: Scale) -> Section:
    """Scores against depth and density, and the errors."""
    depth, errors = rates_along_depth(outcomes, scale), error_histogram(outcomes, QUOTED_TOLERANCE)
    tables = {"rates_depth": depth, "errors": errors}
    title = "Localization error"
    figures = {
        "rates_depth": Picture(
            "One-to-one scores against depth", partial(rates_figure, depth, "depth (mm)")
        )
    }
    if "density" in outcomes:
        title += ", depth and density"
        tables["rates_density"] = density = rates_along_density(outcomes)
        figures["rates_density"] = Picture(
            "One-to-one scores against bubble density",
            partial(rates_figure, density, "other bubbles within λ/2"),
        )
    figures["errors"] = Picture(
        "Localization error of the bubbles found",
        partial(error_figure, errors, at["bias_samples"], at["rmse_samples"], scale),
    )
    threshold = None if np.isnan(at["threshold"]) else at["threshold"]
    return Section(
        title,
        prose(
            "run",
            "localization_error",
            within=style.tolerance_words(QUOTED_TOLERANCE, scale),
            threshold=threshold,
        ),
        figures,
        files={f"{FIGURES}/{name}": Table(table) for name, table in tables.items()},
    )


@style.house_style
def rates_figure(rates: pd.DataFrame, label: str) -> Figure:
    """One-to-one F1, precision and recall along a quantity, above how many bubbles each bin has.

    A last bin without end is drawn as wide as the one before it.
    """
    figure = style.new_figure(height=2.9)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    low, high = rates["low"], rates["high"]
    if np.isinf(high.iloc[-1]):
        high = high.where(np.isfinite(high), 2 * low.iloc[-1] - low.iloc[-2])
        label += f" ({low.iloc[-1] + 0.5:g}: or more)"
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
        in_wavelengths = (
            "" if scale.frequency_hz is None else f", {rmse * scale.wavelengths_per_sample:.3f} λ"
        )
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
