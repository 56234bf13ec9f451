"""Figures of one evaluated run, from tidy scores; see `bubbleloc.metrics.scores`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    house_style,
    label_tolerances,
    new_figure,
    tolerance_words,
)

BASELINE_LOOKS = {
    "random": (ORANGE, "o"),
    "matched_filter": (GREEN, "s"),
    "wiener": (RED, "D"),
    "sparse": (MUTED, "^"),
}
"""Colour and marker of each baseline, alike in all figures."""


@house_style
def f1_violins(scores: pd.DataFrame, scale: Scale) -> Figure:
    """F1 distribution over the test signals per tolerance, median and quartiles marked."""
    figure = new_figure(height=2.9)
    axes = figure.subplots()
    network = of_method(scores)
    tolerances = network["tolerance"].unique().tolist()
    groups = [network.loc[network["tolerance"] == t, "f1"].to_numpy() for t in tolerances]
    for place, values in enumerate(groups):
        _draw_violin(axes, place, values)
    mark_quartiles(axes, groups)
    for method in baselines_in(scores):
        colour, marker = BASELINE_LOOKS[method]
        mean = of_method(scores, method).groupby("tolerance")["f1"].mean().to_numpy()
        label = f"{BASELINES[method]} (mean)"
        axes.plot(mean, f"{marker}--", color=colour, markersize=3, linewidth=1, label=label)
    label_tolerances(axes, tolerances, scale)
    axes.set(ylabel="F1 per signal", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    return figure


def _draw_violin(axes: Axes, place: int, values: Floats) -> None:
    sns.violinplot(
        x=np.full(len(values), place),
        y=values,
        native_scale=True,
        color=BLUE,
        alpha=0.55,
        inner=None,
        cut=0,
        density_norm="width",
        width=0.85,
        linewidth=0.6,
        ax=axes,
    )


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
def f1_against(scores: pd.DataFrame, column: str, tolerance: int, scale: Scale) -> Figure:
    """F1 at one tolerance against `bubbles` or `pressure_pa`: signals, and binned quartiles."""
    label, unit = {
        "bubbles": ("bubbles in the signal", 1.0),
        "pressure_pa": ("transmitted pressure (kPa)", 1e-3),
    }[column]
    at = scores[(scores["tolerance"] == tolerance) & scores[column].notna()]
    figure = new_figure(height=2.5)
    axes = figure.subplots()
    drawn = (("network", BLUE, "median, quartiles"), ("random", ORANGE, BASELINES["random"]))
    for method, colour, words in drawn:
        here = of_method(at, method)
        x = here[column].to_numpy(dtype=np.float64) * unit
        if method == "network":
            axes.scatter(
                x, here["f1"], s=8, color=colour, alpha=0.45, linewidths=0, label="test signal"
            )
        middle, quartiles = _binned_quartiles(x, here["f1"].to_numpy(dtype=np.float64))
        axes.fill_between(middle, quartiles[0], quartiles[2], color=colour, alpha=0.25, linewidth=0)
        axes.plot(middle, quartiles[1], color=colour, label=words)
    ylabel = f"F1 within {tolerance_words(tolerance, scale)}"
    axes.set(xlabel=label, ylabel=ylabel, ylim=(0, 1.02), xlim=(0, None))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _binned_quartiles(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Median place (b,) and quartiles (3, b) of y in about eight equally filled bins of x."""
    bins = np.array_split(np.argsort(x, kind="stable"), min(8, max(1, len(x) // 5)))
    middle = np.array([np.median(x[members]) for members in bins])
    quartiles = np.array([np.quantile(y[members], (0.25, 0.5, 0.75)) for members in bins])
    return middle, quartiles.T
