"""Figures of one evaluated run. Each takes tidy scores or arrays and returns a Figure.

Scores are the rows of ``f1_test.csv``: `signal`, `tolerance`, `f1`, `random_f1` (what noise reaches
on the same signal) and perhaps more rivals named alike, `bubbles`, `pressure_pa`.
"""

from __future__ import annotations

from itertools import cycle

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from bubbleloc.detections import Scale
from bubbleloc.metrics import Sweep
from bubbleloc.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    house_style,
    label_tolerances,
    new_figure,
)

Floats = NDArray[np.float64]


@house_style
def f1_violins(scores: pd.DataFrame, scale: Scale) -> Figure:
    """F1 distribution over the test signals per tolerance, median and quartiles marked."""
    figure = new_figure(height=2.9)
    axes = figure.subplots()
    tolerances = sorted(scores["tolerance"].unique())
    sns.violinplot(
        scores,
        x="tolerance",
        y="f1",
        order=tolerances,
        color=BLUE,
        alpha=0.55,
        inner=None,
        cut=0,
        density_norm="width",
        width=0.85,
        linewidth=0.6,
        ax=axes,
    )
    by_tolerance = scores.groupby("tolerance")
    mark_quartiles(axes, [group["f1"].to_numpy() for _, group in by_tolerance])
    looks = cycle(zip((ORANGE, GREEN, RED, MUTED), "osD^", strict=True))
    for column, (colour, marker) in zip(rivals(scores), looks, strict=False):
        mean = by_tolerance[column].mean().to_numpy()
        label = f"{rival_name(column)} (mean)"
        axes.plot(mean, f"{marker}--", color=colour, markersize=3, linewidth=1, label=label)
    label_tolerances(axes, tolerances, scale)
    axes.set(ylabel="F1 per signal", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return figure


def rivals(scores: pd.DataFrame) -> list[str]:
    """Columns of what the network is measured against: `random_f1`, then classical methods."""
    return [str(column) for column in scores.columns if str(column).endswith("_f1")]


def rival_name(column: str) -> str:
    """How figures call such a column."""
    if column == "random_f1":
        return "random output"
    return column.removesuffix("_f1").replace("_", " ").replace("wiener", "Wiener")


def mark_quartiles(axes: Axes, groups: list[Floats], vertical: bool = True) -> None:
    """Mark the quartiles of each group with a bar and its median with a white dot."""
    for place, values in enumerate(groups):
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        here, bar, dot = [place, place], [low, high], ([place], [median])
        axes.plot(*((here, bar) if vertical else (bar, here)), color=INK, linewidth=2.4, zorder=3)
        axes.plot(
            *(dot if vertical else dot[::-1]),
            "o",
            color="white",
            markeredgecolor=INK,
            markersize=4.5,
            zorder=4,
            label="median and quartiles" if place == 0 else None,
        )


@house_style
def f1_heatmap(selection: Sweep, chosen: ArrayLike, scale: Scale) -> Figure:
    """Mean F1 of the selection split over thresholds × tolerances; the chosen ones ringed."""
    figure = new_figure(height=2.6)
    axes = figure.subplots()
    mean = selection.f1.mean(axis=0)
    mesh = axes.pcolormesh(mean, cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=0.3)
    place = np.abs(selection.thresholds - np.asarray(chosen)[:, None]).argmin(axis=1)
    axes.scatter(
        place + 0.5,
        np.arange(len(place)) + 0.5,
        s=22,
        facecolors="none",
        edgecolors=RED,
        linewidths=1.3,
        label="chosen threshold",
    )
    shown = range(0, len(selection.thresholds), 2)
    names = [_threshold_name(selection.thresholds[i]) for i in shown]
    axes.set_xticks([i + 0.5 for i in shown], names, rotation=90)
    axes.set_yticks(
        np.arange(len(mean)) + 0.5,
        [f"{t}  ({scale.um_per_sample * t:.0f} µm)" for t in selection.tolerances],
    )
    axes.set(xlabel="threshold on the network output", ylabel="tolerance in samples (depth)")
    axes.grid(False)
    axes.tick_params(length=0)
    figure.colorbar(mesh, ax=axes, label="mean F1", pad=0.02).outline.set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right")
    return figure


@house_style
def precision_recall(selection: Sweep, chosen: ArrayLike, scale: Scale) -> Figure:
    """Mean precision against mean recall along the thresholds, a curve per tolerance."""
    figure = new_figure(height=2.7)
    axes = figure.subplots()
    _draw_equal_f1(axes)
    tolerances = selection.tolerances
    colours = mpl.colormaps["viridis_r"](np.linspace(0.08, 1, len(tolerances)))
    place = np.abs(selection.thresholds - np.asarray(chosen)[:, None]).argmin(axis=1)
    for j, colour in enumerate(colours):
        recall = selection.recall[:, j].mean(axis=0)
        precision = selection.precision[:, j].mean(axis=0)
        axes.plot(recall, precision, color=colour)
        best = place[j]
        axes.plot(
            recall[best], precision[best], "o", color=colour, markersize=5, markeredgecolor=INK
        )
    axes.set(xlabel="mean recall", ylabel="mean precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_aspect("equal")
    axes.grid(False)
    edges = np.arange(len(tolerances) + 1) - 0.5
    keys = ScalarMappable(BoundaryNorm(edges, len(tolerances)), mpl.colors.ListedColormap(colours))
    bar = figure.colorbar(keys, ax=axes, ticks=range(len(tolerances)), shrink=0.85)
    bar.set_ticklabels([f"{t}  ({scale.um_per_sample * t:.0f} µm)" for t in tolerances])
    bar.set_label("tolerance in samples (depth)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(which="both", length=0)
    return figure


@house_style
def f1_against(scores: pd.DataFrame, column: str, tolerance: int, scale: Scale) -> Figure:
    """F1 at one tolerance against `bubbles` or `pressure_pa`: signals, and binned quartiles."""
    label, unit = {
        "bubbles": ("bubbles in the signal", 1.0),
        "pressure_pa": ("transmitted pressure (kPa)", 1e-3),
    }[column]
    at = scores[scores["tolerance"] == tolerance]
    x = at[column].to_numpy(dtype=np.float64) * unit
    figure = new_figure(height=2.5)
    axes = figure.subplots()
    axes.scatter(x, at["f1"], s=5, color=BLUE, alpha=0.35, linewidths=0, label="test signal")
    for name, colour, words in (
        ("f1", BLUE, "median, quartiles"),
        ("random_f1", ORANGE, "random output"),
    ):
        middle, quartiles = _binned_quartiles(x, at[name].to_numpy(dtype=np.float64))
        axes.fill_between(middle, quartiles[0], quartiles[2], color=colour, alpha=0.25, linewidth=0)
        axes.plot(middle, quartiles[1], color=colour, label=words)
    axes.set(
        xlabel=label,
        ylabel=f"F1 within ±{tolerance} samples ({scale.um_per_sample * tolerance:.0f} µm)",
        ylim=(0, 1),
        xlim=(0, None),
    )
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
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


def _binned_quartiles(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Median place (b,) and quartiles (3, b) of y in about eight equally filled bins of x."""
    bins = np.array_split(np.argsort(x, kind="stable"), min(8, max(1, len(x) // 5)))
    middle = np.array([np.median(x[members]) for members in bins])
    quartiles = np.array([np.quantile(y[members], (0.25, 0.5, 0.75)) for members in bins])
    return middle, quartiles.T


def _threshold_name(threshold: float) -> str:
    if threshold >= 0.09:
        return f"{threshold:g}"
    exponent = round(2 * np.log10(threshold)) / 2
    return f"$10^{{{exponent:g}}}$"
