"""Figures of one evaluated run. Each takes tidy scores or arrays and returns a Figure.

Scores are the rows of ``f1_test.csv``: `signal`, `tolerance`, `f1`, `random_f1` (what noise reaches
on the same signal) and perhaps more rivals named alike, `bubbles`, `pressure_pa`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
)

Floats = NDArray[np.float64]

RIVAL_LOOKS = tuple(zip((ORANGE, GREEN, RED, MUTED), "osD^", strict=True))
"""Colour and marker of what a network must beat, random output first, alike in all figures."""


@house_style
def f1_violins(scores: Iterable[tuple[int, pd.DataFrame]], scale: Scale) -> Figure:
    """F1 distribution over the test signals per tolerance, median and quartiles marked.

    Args:
        scores: tolerances with their scores, one by one, as ``scores.groupby("tolerance")`` has
            them.
    """
    figure = new_figure(height=2.9)
    axes = figure.subplots()
    f1: dict[int, Floats] = {}
    means = []
    for place, (tolerance, at) in enumerate(scores):
        f1[tolerance] = at["f1"].to_numpy(copy=True)  # lets go of the table
        means.append(at[rivals(at)].mean())
        _draw_violin(axes, place, f1[tolerance])
    mark_quartiles(axes, list(f1.values()))
    drawn = pd.DataFrame(means)
    for column, (colour, marker) in zip(drawn, cycle(RIVAL_LOOKS), strict=False):
        label = f"{rival_name(str(column))} (mean)"
        line = drawn[column].to_numpy()
        axes.plot(line, f"{marker}--", color=colour, markersize=3, linewidth=1, label=label)
    label_tolerances(axes, list(f1), scale)
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


def rivals(scores: pd.DataFrame) -> list[str]:
    """Columns of what the network is measured against: `random_f1`, then classical methods."""
    return [str(column) for column in scores.columns if str(column).endswith("_f1")]


def rival_name(column: str) -> str:
    """How figures and tables call such a column."""
    name = column.removesuffix("_f1")
    named = {"random": "random output", "wiener": "Wiener", "sparse": "sparse (L1)"}
    return named.get(name, name.replace("_", " "))


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
    x = at[column].to_numpy(dtype=np.float64) * unit
    figure = new_figure(height=2.5)
    axes = figure.subplots()
    axes.scatter(x, at["f1"], s=8, color=BLUE, alpha=0.45, linewidths=0, label="test signal")
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
        ylim=(0, 1.02),
        xlim=(0, None),
    )
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def _binned_quartiles(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Median place (b,) and quartiles (3, b) of y in about eight equally filled bins of x."""
    bins = np.array_split(np.argsort(x, kind="stable"), min(8, max(1, len(x) // 5)))
    middle = np.array([np.median(x[members]) for members in bins])
    quartiles = np.array([np.quantile(y[members], (0.25, 0.5, 0.75)) for members in bins])
    return middle, quartiles.T
