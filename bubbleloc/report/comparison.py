"""Several reports side by side: tables, paired statistics, and F1 against what a sweep varied.

Figures of a sweep take a table with a row per run: what varied, and `median`, `median_low`,
`median_high`, `mean` of the F1 over the test signals, as ``statistics.summarize`` gives them.
"""

import re
from collections.abc import Mapping
from functools import partial
from itertools import combinations
from numbers import Real
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.data.store import same_data
from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder, check_output, check_replaceable
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, baselines_in
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.report.document import Picture, Section, Table, prose, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import draw_medians, run_violins, set_ticks
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, RED
from bubbleloc.report.run import Report
from bubbleloc.tables import with_intervals
from bubbleloc.units import Scale

_PAGE = "comparison.html"
_MANY_PAIRS = 15  # of six runs
"""Beyond this a page shows only the differences to the best run."""

Parameters = Mapping[str, Mapping[str, object]]
"""Name of a run → what it was trained with."""

_LINES = list(zip((BLUE, RED, GREEN, ORANGE, MUTED, INK), "osD^vP", strict=True))
_SHOWN = ["median", "median_low", "median_high", "mean"]
_SYMBOLS = {"omega_0": "ω₀", "loss.alpha": "loss α", "hidden_channels": "channels"}
_LONG_LABEL = 20
"""Characters of a legend entry beyond which two do not fit side by side."""


def write_comparison(
    folder: Path,
    runs: Mapping[str, Report],
    tolerance: int = QUOTED_TOLERANCE,
    parameters: Parameters | None = None,
) -> Path:
    """Compare runs on the same test signals; return the path of ``comparison.html``.

    Beside it: ``scores.csv`` (all runs, with the columns of ``f1_test.csv``), ``summary`` and
    ``pairs`` (CSV, Markdown, LaTeX), violins as PNG and SVG, and ``comparison.md``. The folder is
    replaced as a whole.

    Args:
        runs: name to show → report.
        tolerance: samples, at which violins are drawn and the tables on the page are cut.
        parameters: name of a run → what it was trained with, see `sweep`.

    Raises:
        InputError: runs scored on different test data, or a folder that holds more than a
            comparison.
    """
    _check(runs, tolerance)
    check_comparison_folder(folder)
    scale = next(iter(runs.values())).scale
    scores = pd.concat(
        [report.scores.assign(run=name) for name, report in runs.items()], ignore_index=True
    )
    of_runs, pairs = summarize(scores), compare_pairs(scores)
    summary = pd.concat([of_runs, *_baselines(runs)], ignore_index=True)
    ranked = summary[summary["tolerance"] == tolerance].sort_values("median", ascending=False)
    best = ranked[ranked["run"].isin(list(runs))].iloc[0]
    sections = [
        _distributions(scores, summary, ranked, tolerance, scale),
        differences(pairs, tolerance, best["run"]),
        sweep(of_runs, parameters or {}, tolerance, scale),
    ]
    within = style.tolerance_words(tolerance, scale)
    with atomic_folder(folder) as unfinished:
        write_document(
            unfinished / _PAGE,
            f"{len(runs)} runs on the same test signals",
            f"Within {within} the best median F1 over {best['signals']} test signals is "
            f"{best['median']:.3f}, by {best['run']}.",
            sections,
            {name: f"thresholds chosen on {run.selection_split}" for name, run in runs.items()},
        )
    return folder / _PAGE


def check_comparison_folder(folder: Path) -> None:
    """Refuse a folder that a comparison cannot replace.

    Raises:
        InputError: it holds other files, is the working folder, or cannot be written.
    """
    check_output(folder / _PAGE)
    if folder.resolve() == Path.cwd():
        raise InputError(
            f"output={folder}: a comparison replaces its folder, which is the working folder; "
            "choose another folder"
        )
    check_replaceable(folder)


def _check(runs: Mapping[str, Report], tolerance: int) -> None:
    first, *_ = runs
    for name, report in runs.items():
        alike = same_data(report.test_fingerprint, runs[first].test_fingerprint)
        if not alike or report.scale != runs[first].scale:  # a sample must be worth the same in µm
            raise InputError(
                f"{name} and {first} were scored on different test data: evaluate both on the "
                "same dataset before comparing them"
            )
        if tolerance not in set(report.scores["tolerance"]):
            um = report.scale.um_per_sample * tolerance
            raise InputError(
                f"{name} was not scored at tolerance {tolerance} ({um:.0f} µm): give at most "
                f"{report.scores['tolerance'].max()} samples"
            )


def _baselines(runs: Mapping[str, Report]) -> list[pd.DataFrame]:
    """Summaries of the baselines, which were scored beside every run alike."""
    scores = next(iter(runs.values())).scores
    return [
        summarize(scores.assign(run=BASELINES[method], f1=scores[f"{method}_f1"]))
        for method in baselines_in(scores)
    ]


def _distributions(
    scores: pd.DataFrame, summary: pd.DataFrame, ranked: pd.DataFrame, tolerance: int, scale: Scale
) -> Section:
    caption = f"F1 per signal within {style.tolerance_words(tolerance, scale)}"
    return Section(
        "F1 over the test signals",
        prose("comparison", "distributions"),
        {"violins": Picture(caption, partial(run_violins, scores, tolerance, scale))},
        with_intervals(ranked.drop(columns="tolerance")),
        {
            "scores": Table(scores),
            "summary": Table(summary, "F1 over the test signals", with_intervals(summary)),
        },
    )


def differences(pairs: pd.DataFrame, tolerance: int, best: str) -> Section:
    """Which differences of the runs of `pairs` are more than chance, at a tolerance."""
    at = pairs[pairs["tolerance"] == tolerance]
    only_best = len(at) > _MANY_PAIRS
    shown = at[(at["run_a"] == best) | (at["run_b"] == best)] if only_best else at
    shown = shown.drop(columns=["tolerance", "signals"])
    headings = {name: name.replace("_", " ") for name in map(str, shown) if name != "p_holm"}
    return Section(
        "Differences",
        prose("comparison", "differences", pairs=len(at), only_best=only_best),
        table=shown.rename(columns=headings),
        files={"pairs": Table(pairs, "Paired comparison of F1, Holm-corrected")},
    )


def sweep(
    summary: pd.DataFrame, parameters: Parameters, tolerance: int, scale: Scale
) -> Section | None:
    """F1 against every number that differs between runs; seeds count as repetition."""
    varied = varied_parameters(parameters)
    numbers = [name for name in varied if _is_number(parameters, name)]
    if not numbers:
        return None
    settings = pd.DataFrame.from_dict(dict(parameters), orient="index")[varied]
    at = summary[summary["tolerance"] == tolerance]
    table = settings.merge(at, left_index=True, right_on="run")
    label = f"F1 within {style.tolerance_words(tolerance, scale)}"
    figures = {}
    for name in numbers:
        others = [other for other in varied if other != name]
        draw = partial(sweep_lines, table, name, others, label)
        figures[f"f1_{name}"] = Picture(f"F1 against {name}", draw)
    for across, down in combinations(numbers, 2):
        draw = partial(sweep_heatmap, table, across, down)
        figures[f"f1_{across}_{down}"] = Picture(f"F1 over {across} and {down}", draw)
    return Section(
        "What the sweep varied",
        f"Varied: {', '.join(varied)}.",
        {re.sub(r"\W", "_", name): picture for name, picture in figures.items()},
        files={"sweep": Table(table)},
    )


def varied_parameters(parameters: Parameters) -> list[str]:
    """Names of the settings that every run has and that differ between runs.

    Seeds aside; the number of parameters too where the model differs, which says it better.
    """
    runs = list(parameters.values()) or [{}]
    shared = [name for name in runs[0] if name != "seed" and all(name in run for run in runs)]
    varied = [name for name in shared if len({str(run[name]) for run in runs}) > 1]
    return [name for name in varied if name != "parameters" or "model" not in varied]


def _is_number(parameters: Parameters, name: str) -> bool:
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


def _axis_name(parameter: str) -> str:
    unit = {"kernel": " (samples)", "loss.alpha": " (1/sample²)"}.get(parameter, "")
    return _SYMBOLS.get(parameter, parameter) + unit
