"""F1 against what a sweep of runs varied, from a table with a row per run.

Columns: the parameters, and `median`, `median_low`, `median_high`, `mean` of the F1 over the test
signals, as ``statistics.summarize`` gives them. Runs alike in all parameters, such as those of
several seeds, are averaged.
"""

from __future__ import annotations

from numbers import Real

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.metrics.scores import BASELINES
from bubbleloc.report.figures.scores import BASELINE_LOOKS
from bubbleloc.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    house_style,
    new_figure,
)

_LINES = list(zip((BLUE, RED, GREEN, ORANGE, MUTED, INK), "osD^vP", strict=True))
_SHOWN = ["median", "median_low", "median_high", "mean"]
_SYMBOLS = {"omega_0": "ω₀", "loss.alpha": "loss α", "hidden_channels": "channels"}
_LOG_FROM = 8
"""Ratio of largest to smallest value from which a parameter is drawn on a logarithmic axis."""
_LONG_LABEL = 20
"""Characters of a legend entry beyond which two do not fit side by side."""


@house_style
def sweep_lines(table: pd.DataFrame, parameter: str, others: list[str], label: str) -> Figure:
    """Median F1 with its interval against one parameter, a line per setting of the `others`.

    Without others the mean is drawn too. `label` says at which tolerance the F1 was taken.
    """
    figure = new_figure(height=2.6)
    axes = figure.subplots()
    groups = table.groupby(others, sort=True) if others else [((), table)]
    for i, (setting, group) in enumerate(groups):
        colour, marker = _LINES[i % len(_LINES)]
        line = group.groupby(parameter)[_SHOWN].mean()
        median = line["median"]
        error = np.abs([median - line["median_low"], line["median_high"] - median])
        words = ", ".join(
            f"{_SYMBOLS.get(name, name)} {value:g}" if isinstance(value, Real) else str(value)
            for name, value in zip(others, setting, strict=True)
        )
        axes.errorbar(
            line.index,
            median,
            error,
            color=colour,
            marker=marker,
            markersize=4,
            capsize=2,
            elinewidth=0.8,
            label=words or "median, 95 % interval",
        )
        if not others:
            axes.plot(line.index, line["mean"], "s--", color=RED, markersize=3.5, label="mean")
    _space(axes, np.sort(table[parameter].unique()))
    words = label if not others else f"median {label}"
    axes.set(xlabel=_axis_name(parameter), ylabel=words)
    low, high = table["median_low"].min(), table["median_high"].max()
    if np.isfinite(low) and np.isfinite(high):  # single signals have no interval
        axes.set_ylim(max(np.floor(10 * low) / 10 - 0.1, 0), min(np.ceil(10 * high) / 10, 1))
    handles, labels = axes.get_legend_handles_labels()
    columns = 1 if max(map(len, labels)) > _LONG_LABEL else 2
    figure.legend(handles, labels, loc="outside upper center", ncols=columns)
    return figure


@house_style
def sweep_heatmap(table: pd.DataFrame, across: str, down: str) -> Figure:
    """Median F1 over two parameters, the numbers written into the cells."""
    grid = table.pivot_table(index=down, columns=across, values="median", aggfunc="mean")
    rows, columns = grid.shape
    figure = new_figure(height=1.2 + 0.32 * rows)
    axes = figure.subplots()
    colours = mpl.colormaps["cividis"].with_extremes(bad="#eeeeee")
    mesh = axes.pcolormesh(grid, cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
    for (i, j), value in np.ndenumerate(grid.to_numpy()):
        if np.isfinite(value):
            ink = INK if value > 0.5 else "white"
            axes.text(j + 0.5, i + 0.5, f"{value:.3f}", ha="center", va="center", color=ink)
    axes.set_xticks(np.arange(columns) + 0.5, [f"{value:g}" for value in grid.columns])
    axes.set_yticks(np.arange(rows) + 0.5, [f"{value:g}" for value in grid.index])
    axes.set(xlabel=_axis_name(across), ylabel=_axis_name(down))
    axes.grid(False)
    axes.tick_params(length=0)
    figure.colorbar(mesh, ax=axes, label="median F1", pad=0.02).outline.set_visible(False)
    return figure


@house_style
def noise_lines(table: pd.DataFrame, label: str) -> Figure:
    """F1 against the level of added noise, with the means of the baselines.

    `table` has a row per level: `noise`, and the columns of ``content.summary_table``.
    """
    figure = new_figure(height=2.9)
    axes = figure.subplots()
    error = np.abs([table["median"] - table["median_low"], table["median"] - table["median_high"]])
    x = table["noise"]
    axes.errorbar(
        x,
        table["median"],
        np.nan_to_num(error),
        color=BLUE,
        marker="o",
        markersize=4,
        capsize=2,
        elinewidth=0.8,
        label="network, median",
    )
    axes.plot(x, table["mean"], "o:", color=BLUE, markersize=3, label="network, mean")
    for method, (colour, marker) in BASELINE_LOOKS.items():
        if f"{method}_mean" in table:
            words = f"{BASELINES[method]}, mean"
            line = table[f"{method}_mean"]
            axes.plot(x, line, f"{marker}--", color=colour, markersize=3, linewidth=1, label=words)
    _space(axes, np.sort(x.unique()))
    axes.set(xlabel="noise level (standard deviation / 9.65 V)", ylabel=label, ylim=(0, 1))
    handles, labels = axes.get_legend_handles_labels()  # error bars come last of their own accord
    figure.legend(
        [handles[-1], *handles[:-1]],
        [labels[-1], *labels[:-1]],
        loc="outside upper center",
        ncols=2,
    )
    return figure


def _axis_name(parameter: str) -> str:
    unit = {"kernel": " (samples)", "loss.alpha": " (1/sample²)"}.get(parameter, "")
    return _SYMBOLS.get(parameter, parameter) + unit


def _space(axes: Axes, values: Floats) -> None:
    """Put a tick at each value, on a logarithmic axis where the values span a wide range."""
    positive = values[values > 0]
    if values[0] >= 0 and len(positive) > 1 and positive[-1] / positive[0] >= _LOG_FROM:
        if len(positive) < len(values):
            axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
        else:
            axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)
