"""The part of a comparison about what a sweep varied: its section and its figures.

Figures take a table with a row per run: what varied, and `median`, `median_low`, `median_high`,
`mean` of the F1 over the test signals, as ``statistics.summarize`` gives them.
"""

import re
from collections.abc import Mapping
from itertools import combinations
from numbers import Real
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.report.document import Section
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, RED
from bubbleloc.tables import write_csv
from bubbleloc.units import Scale

_LINES = list(zip((BLUE, RED, GREEN, ORANGE, MUTED, INK), "osD^vP", strict=True))
_SHOWN = ["median", "median_low", "median_high", "mean"]
_SYMBOLS = {"omega_0": "ω₀", "loss.alpha": "loss α", "hidden_channels": "channels"}
_LOG_FROM = 8
"""Ratio of largest to smallest value from which a parameter is drawn on a logarithmic axis."""
_LONG_LABEL = 20
"""Characters of a legend entry beyond which two do not fit side by side."""


def sweep_section(
    folder: Path,
    summary: pd.DataFrame,
    parameters: Mapping[str, Mapping[str, object]],
    tolerance: int,
    scale: Scale,
) -> list[Section]:
    """Draw F1 against every number that differs between runs; no section where none does.

    ``sweep.csv`` in `folder` has a row per run: `parameters` by its name, and F1 at `tolerance`.
    Seeds count as repetition.
    """
    varied = varied_parameters(parameters)
    numbers = [name for name in varied if _is_number(parameters, name)]
    if not numbers:
        return []
    settings = pd.DataFrame.from_dict(dict(parameters), orient="index")[varied]
    at = summary[summary["tolerance"] == tolerance]
    table = settings.merge(at, left_index=True, right_on="run")
    write_csv(table, folder / "sweep.csv")
    label = f"F1 within {style.tolerance_words(tolerance, scale)}"
    figures: dict[str, tuple[str, Figure]] = {}
    for name in numbers:
        others = [other for other in varied if other != name]
        figures[f"f1_{name}"] = (f"F1 against {name}", sweep_lines(table, name, others, label))
    for across, down in combinations(numbers, 2):
        words = f"F1 over {across} and {down}"
        figures[f"f1_{across}_{down}"] = (words, sweep_heatmap(table, across, down))
    figures = {re.sub(r"\W", "_", name): figure for name, figure in figures.items()}
    return [Section("What the sweep varied", f"Varied: {', '.join(varied)}.", figures)]


def varied_parameters(parameters: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Names of the settings that every run has and that differ between runs.

    Seeds aside; the number of parameters too where the model differs, which says it better.
    """
    runs = list(parameters.values())
    shared = [name for name in runs[0] if name != "seed" and all(name in run for run in runs)]
    varied = [name for name in shared if len({str(run[name]) for run in runs}) > 1]
    return [name for name in varied if name != "parameters" or "model" not in varied]


def _is_number(parameters: Mapping[str, Mapping[str, object]], name: str) -> bool:
    values = [run[name] for run in parameters.values()]
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)


@style.house_style
def sweep_lines(table: pd.DataFrame, parameter: str, others: list[str], label: str) -> Figure:
    """Median F1 with its interval against one parameter, a line per setting of the `others`.

    Without others the mean is drawn too. Runs alike in all parameters, such as those of several
    seeds, are averaged. `label` says at which tolerance the F1 was taken.
    """
    figure = style.new_figure(height=2.6)
    axes = figure.subplots()
    groups = table.groupby(others, sort=True) if others else [((), table)]
    for i, (setting, group) in enumerate(groups):
        line = group.groupby(parameter)[_SHOWN].mean()
        words = ", ".join(
            f"{_SYMBOLS.get(name, name)} {value:g}" if isinstance(value, Real) else str(value)
            for name, value in zip(others, setting, strict=True)
        )
        colour, marker = _LINES[i % len(_LINES)]
        name = words or "median, 95 % interval"
        draw_medians(axes, line, color=colour, marker=marker, label=name)
        if not others:
            axes.plot(line.index, line["mean"], "s--", color=RED, markersize=3.5, label="mean")
    set_ticks(axes, table[parameter])
    axes.set(xlabel=_axis_name(parameter), ylabel=f"median {label}" if others else label)
    low, high = table["median_low"].min(), table["median_high"].max()
    if np.isfinite(low) and np.isfinite(high):  # single signals have no interval
        axes.set_ylim(max(np.floor(10 * low) / 10 - 0.1, 0), min(np.ceil(10 * high) / 10, 1))
    longest = max(map(len, axes.get_legend_handles_labels()[1]))
    figure.legend(loc="outside upper center", ncols=1 if longest > _LONG_LABEL else 2)
    return figure


@style.house_style
def sweep_heatmap(table: pd.DataFrame, across: str, down: str) -> Figure:
    """Median F1 over two parameters, the numbers written into the cells."""
    grid = table.pivot_table(index=down, columns=across, values="median", aggfunc="mean")
    rows, columns = grid.shape
    figure = style.new_figure(height=1.2 + 0.32 * rows)
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


def draw_medians(axes: Axes, table: pd.DataFrame, **looks: Any) -> None:
    """Draw medians along the index of a table with their intervals, where they have one."""
    median = table["median"]
    error = np.nan_to_num(np.abs([median - table["median_low"], median - table["median_high"]]))
    axes.errorbar(table.index, median, error, markersize=4, capsize=2, elinewidth=0.8, **looks)


def _axis_name(parameter: str) -> str:
    unit = {"kernel": " (samples)", "loss.alpha": " (1/sample²)"}.get(parameter, "")
    return _SYMBOLS.get(parameter, parameter) + unit


def set_ticks(axes: Axes, column: pd.Series) -> None:
    """Put a tick at each value, on a logarithmic axis where the values span a wide range."""
    values = np.sort(column.unique())
    positive = values[values > 0]
    if values[0] >= 0 and len(positive) > 1 and positive[-1] / positive[0] >= _LOG_FROM:
        if len(positive) < len(values):
            axes.set_xscale("symlog", linthresh=positive[0], linscale=0.5)
        else:
            axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_xticks([], minor=True)
