"""F1 of one run and of several: over thresholds, over signals, and against what was varied.

Scores are tables of `bubbleloc.metrics.scores`.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.metrics import Sweep
from bubbleloc.metrics.scores import BASELINES, baselines_in
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, RED
from bubbleloc.units import Scale

BASELINE_LOOKS = {
    "random": (ORANGE, "o", ":"),
    "matched_filter": (GREEN, "s", "--"),
    "wiener": (RED, "D", "-."),
    "sparse": (MUTED, "^", (0, (6, 1, 1, 1, 1, 1))),
}
"""Colour, marker and line of each baseline, alike in all figures; lines tell them apart in grey."""

LOG_FROM = 8
"""Ratio of largest to smallest value from which a quantity is drawn on a logarithmic axis."""

ONE_TO_ONE_LOOKS = {"F1": ("o-", BLUE), "precision": ("s--", GREEN), "recall": ("^:", ORANGE)}


def draw_one_to_one(axes: Axes, quantity: pd.Series, scores: pd.DataFrame) -> None:
    """Draw the columns ``f1``, ``precision`` and ``recall`` against a quantity."""
    for name, (line, colour) in ONE_TO_ONE_LOOKS.items():
        axes.plot(quantity, scores[name.lower()], line, color=colour, markersize=3, label=name)


@style.house_style
def f1_violins(scores: pd.DataFrame, scale: Scale) -> Figure:
    """F1 distribution over the test signals per tolerance, median and quartiles marked."""
    figure = style.new_figure(height=3.2)
    axes = figure.subplots()
    tolerances = scores["tolerance"].unique().tolist()
    _draw_violins(axes, scores, "tolerance", tolerances)
    for method in baselines_in(scores):
        colour, marker, line = BASELINE_LOOKS[method]
        mean = scores.groupby("tolerance")[f"{method}_f1"].mean().to_numpy()
        label = f"{BASELINES[method]} (mean)"
        (means,) = axes.plot(mean, marker=marker, markersize=3, linewidth=1, label=label)
        means.set(color=colour, linestyle=line)
    axes.set(xlabel="tolerance (samples)", ylabel="F1 per signal", ylim=(0, 1.02))
    depth = axes.secondary_xaxis("top")
    depth.set_xticks(axes.get_xticks(), [f"{scale.um_per_sample * t:.0f}" for t in tolerances])
    wavelength_um = scale.um_per_sample / scale.wavelengths_per_sample
    of_wavelength = "" if scale.frequency_hz is None else f", λ = {wavelength_um:.0f} µm"
    depth.set_xlabel(f"tolerance in depth (µm{of_wavelength})")
    depth.tick_params(length=0)
    depth.spines["top"].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@style.house_style
def run_violins(scores: pd.DataFrame, tolerance: int, scale: Scale) -> Figure:
    """F1 distribution of every run (column `run`), best median first, medians written out.

    Violins lie on their side, so that run names of any length stay readable at column width.
    """
    at = scores[scores["tolerance"] == tolerance]
    medians = at.groupby("run", sort=False)["f1"].median()
    medians = medians.sort_values(ascending=False, kind="stable")
    figure = style.new_figure(height=1.1 + 0.36 * len(medians))
    axes = figure.subplots()
    _draw_violins(axes, at, "run", list(medians.index), vertical=False)
    for method in baselines_in(at):
        f1, (colour, _, line) = at[f"{method}_f1"], BASELINE_LOOKS[method]
        if f1.notna().all():  # else it was not scored beside every run
            label = f"{BASELINES[method]} (mean)"
            axes.axvline(f1.mean(), color=colour, ls=line, lw=1, label=label)
    for row, median in enumerate(medians):
        axes.text(1.02, row, f"{median:.3f}", color=INK, fontsize=7, va="center")
    label = f"F1 per signal within {style.tolerance_words(tolerance, scale)}"
    axes.set(xlabel=label, ylabel="", xlim=(0, 1), ylim=(len(medians) - 0.4, -0.6))
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_violins(
    axes: Axes, scores: pd.DataFrame, by: str, order: Sequence[object], vertical: bool = True
) -> None:
    """Draw the distribution of F1 per group, its quartiles as a bar, its median as a dot."""
    sns.violinplot(
        scores,
        **({"x": by, "y": "f1"} if vertical else {"x": "f1", "y": by}),
        order=order,
        orient="v" if vertical else "h",
        color=BLUE,
        alpha=0.55,
        inner=None,
        cut=0,
        density_norm="width",
        width=0.85,
        linewidth=0.6,
        ax=axes,
    )
    groups = scores.groupby(by)["f1"]
    for position, group in enumerate(order):
        low, median, high = np.quantile(groups.get_group(group), (0.25, 0.5, 0.75))
        bar, dot = ([position, position], [low, high]), ([position], [median])
        axes.plot(*bar[:: 1 if vertical else -1], color=INK, linewidth=2.4, zorder=3)
        (median_dot,) = axes.plot(*dot[:: 1 if vertical else -1], "o", color="white", zorder=4)
        median_dot.set(markeredgecolor=INK, markersize=4.5)
        if position == 0:
            median_dot.set_label("median and quartiles")


@style.house_style
def f1_against(scores: pd.DataFrame, column: str, tolerance: int, scale: Scale) -> Figure:
    """F1 at one tolerance against `bubbles` or `pressure_pa`: signals, and binned quartiles."""
    label, unit = {
        "bubbles": ("bubbles in the signal", 1.0),
        "pressure_pa": ("transmitted pressure (kPa)", 1e-3),
    }[column]
    at = scores[(scores["tolerance"] == tolerance) & scores[column].notna()]
    figure = style.new_figure(height=2.5)
    axes = figure.subplots()
    x = at[column].to_numpy(dtype=np.float64) * unit
    axes.scatter(x, at["f1"], s=8, color=BLUE, alpha=0.45, linewidths=0, label="test signal")
    random, _, dotted = BASELINE_LOOKS["random"]
    for name, colour, line, words in (
        ("f1", BLUE, "-", "median, quartiles"),
        ("random_f1", random, dotted, BASELINES["random"]),
    ):
        middle, (low, median, high) = _binned_quartiles(x, at[name].to_numpy())
        axes.fill_between(middle, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(middle, median, color=colour, linestyle=line, label=words)
    ylabel = f"F1 within {style.tolerance_words(tolerance, scale)}"
    axes.set(xlabel=label, ylabel=ylabel, ylim=(0, 1.02), xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _binned_quartiles(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Medians of x (b,) and quartiles (3, b) of y in about eight equally filled bins of x."""
    bins = np.array_split(np.argsort(x, kind="stable"), min(8, max(1, len(x) // 5)))
    middle = np.array([np.median(x[members]) for members in bins])
    quartiles = np.array([np.quantile(y[members], (0.25, 0.5, 0.75)) for members in bins])
    return middle, quartiles.T


def draw_medians(axes: Axes, table: pd.DataFrame, **looks: Any) -> None:
    """Draw medians along the index of a table with their intervals, where they have one."""
    median = table["median"]
    error = np.nan_to_num(np.abs([median - table["median_low"], median - table["median_high"]]))
    axes.errorbar(table.index, median, error, markersize=4, capsize=2, elinewidth=0.8, **looks)


def set_ticks(axes: Axes, column: pd.Series) -> None:
    """Put a tick at each value, on a logarithmic axis where the values span a wide range."""
    values = np.sort(column.unique())
    positive = values[values > 0]
    if values[0] >= 0 and len(positive) > 1 and positive[-1] / positive[0] >= LOG_FROM:
        if len(positive) < len(values):
            axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
        else:
            axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)


@style.house_style
def f1_heatmap(selection: Sweep, scale: Scale) -> Figure:
    """Mean F1 of the selection split over thresholds × tolerances; the best ones ringed."""
    figure = style.new_figure(height=2.6)
    axes = figure.subplots()
    f1 = selection.f1.mean(axis=0)
    mesh = axes.pcolormesh(f1, cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=0.3)
    rows = np.arange(len(f1)) + 0.5
    rings = axes.scatter(f1.argmax(axis=1) + 0.5, rows, s=22, label="chosen threshold")
    rings.set(facecolors="none", edgecolors=RED, linewidths=1.3)
    shown = np.arange(0, len(selection.thresholds), 2)
    names = [_threshold_name(threshold) for threshold in selection.thresholds[shown]]
    axes.set_xticks(shown + 0.5, names, rotation=90)
    axes.set_yticks(rows, _tolerance_names(selection, scale))
    axes.set(xlabel="threshold on the network output", ylabel="tolerance in samples (depth)")
    axes.grid(False)
    axes.tick_params(length=0)
    figure.colorbar(mesh, ax=axes, label="mean F1", pad=0.02).outline.set_visible(False)
    figure.legend(loc="outside upper right")
    return figure


@style.house_style
def precision_recall(selection: Sweep, scale: Scale) -> Figure:
    """Mean precision against mean recall along the thresholds, a curve per tolerance."""
    figure = style.new_figure(height=2.7)
    axes = figure.subplots()
    _draw_equal_f1(axes)
    best = selection.f1.mean(axis=0).argmax(axis=1)
    recall, precision = selection.recall.mean(axis=0), selection.precision.mean(axis=0)
    colours = mpl.colormaps["viridis_r"](np.linspace(0.08, 1, len(best)))
    for row, (chosen, colour) in enumerate(zip(best, colours, strict=True)):
        axes.plot(recall[row], precision[row], color=colour)
        at = recall[row, chosen], precision[row, chosen]
        axes.plot(*at, "o", color=colour, markersize=5, markeredgecolor=INK)
    axes.set(xlabel="mean recall", ylabel="mean precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_aspect("equal")
    axes.grid(False)
    edges = np.arange(len(best) + 1) - 0.5
    keys = ScalarMappable(BoundaryNorm(edges, len(best)), mpl.colors.ListedColormap(colours))
    bar = figure.colorbar(keys, ax=axes, ticks=range(len(best)), shrink=0.85)
    bar.set_ticklabels(_tolerance_names(selection, scale))
    bar.set_label("tolerance in samples (depth)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(which="both", length=0)
    return figure


def _draw_equal_f1(axes: Axes) -> None:
    recall = np.linspace(0.01, 1, 200)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        with np.errstate(divide="ignore"):
            precision = f1 * recall / (2 * recall - f1)
        inside = (precision > 0) & (precision <= 1)
        axes.plot(recall[inside], precision[inside], color="#d0d0d0", linewidth=0.7, zorder=0)
        # named outside, where the line leaves the plot, so that no curve runs over the name
        name = f"F1 = {f1}" if f1 == 0.8 else str(f1)
        axes.text(f1 / (2 - f1), 1.03, name, color=MUTED, fontsize=6, ha="center")


def _tolerance_names(selection: Sweep, scale: Scale) -> list[str]:
    return [f"{t}  ({scale.um_per_sample * t:.0f} µm)" for t in selection.tolerances]


def _threshold_name(threshold: float) -> str:
    exponent = round(2 * np.log10(threshold)) / 2
    return f"{threshold:g}" if threshold >= 0.09 else f"$10^{{{exponent:g}}}$"
