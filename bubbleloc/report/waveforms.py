"""The report of a sweep over waveforms: which one localizes best, and under which conditions."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.errors import InputError
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.physics.scale import Scale
from bubbleloc.report.comparison import differences
from bubbleloc.report.document import Section, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import run_violins
from bubbleloc.report.folder import atomic_folder
from bubbleloc.report.tables import with_intervals, write_csv, write_table

SHOWN_TOLERANCES = (0, 2, 4, 9)
PARTS = 4  # of the signals, by bubbles and by pressure
_MARKERS = "osD^vPX<>*hp"


def write_waveforms(folder: Path, scores: pd.DataFrame, scale: Scale) -> Path:
    """Write ``waveforms.html`` with tables and figures into ``folder``, replaced as a whole.

    Beside it: ``scores.csv``, ``summary`` and ``pairs`` (CSV, Markdown, LaTeX).

    Args:
        scores: a row per run × noise × signal × tolerance: `run`, `noise`, `signal`, `tolerance`,
            `f1`, `bubbles`, `pressure_pa`.

    Raises:
        InputError: the runs were scored on other scenes.
    """
    _check_scenes(scores)
    with atomic_folder(folder) as unfinished:
        page = _write(unfinished, scores, scale)
    return folder / page.name


def _write(folder: Path, scores: pd.DataFrame, scale: Scale) -> Path:
    summary = summarize(scores, by=("run", "noise", "tolerance"))
    quietest = scores["noise"].min()
    clean = scores[scores["noise"] == quietest]
    pairs = compare_pairs(clean)
    write_csv(scores, folder / "scores.csv")
    write_table(summary, folder, "summary", "F1 by waveform", with_intervals(summary))
    write_table(pairs, folder, "pairs", "Paired comparison of F1, Holm-corrected")
    at = summary[(summary["tolerance"] == QUOTED_TOLERANCE) & (summary["noise"] == quietest)]
    best = at.loc[at["mean"].idxmax()]
    within = style.tolerance_words(QUOTED_TOLERANCE, scale)
    sections = [
        Section(
            "F1 by tolerance",
            f"Mean over the test signals at noise level {quietest:g}, best first; tolerances in "
            "samples. Brackets are 95 % bootstrap intervals over signals.",
            {
                "violins": (
                    f"F1 per signal within {within}",
                    run_violins(clean.assign(method="network"), QUOTED_TOLERANCE, scale),
                )
            },
            _by_tolerance(summary[summary["noise"] == quietest]),
        ),
        differences(pairs[pairs["tolerance"] == QUOTED_TOLERANCE], best["run"]),
        Section(
            "F1 against noise, bubbles and pressure",
            "Means over the test signals; noise level 1 is a standard deviation of 9.65 V. "
            f"Quarters of the signals by bubbles and by pressure at noise level {quietest:g}.",
            {"conditions": (f"Mean F1 within {within}", conditions_figure(scores, within))},
        ),
    ]
    return write_document(
        folder / "waveforms.html",
        f"{scores['run'].nunique()} networks, each for its waveform",
        f"Within {within} the best mean F1 over {best['signals']} test signals at noise level "
        f"{quietest:g} is {best['mean']:.3f}, by {best['run']}.",
        sections,
        {
            "scenes": "the same for all; each network was trained and scored under its waveform",
            "thresholds": "chosen on val, at every level of noise",
            "noise levels": ", ".join(f"{level:g}" for level in sorted(scores["noise"].unique())),
        },
    )


def _by_tolerance(summary: pd.DataFrame) -> pd.DataFrame:
    """Return mean F1 with its interval, a row per run and a column per tolerance."""
    shown = summary[summary["tolerance"].isin(SHOWN_TOLERANCES)]
    order = shown[shown["tolerance"] == QUOTED_TOLERANCE].sort_values("mean", ascending=False)
    cells = [
        f"{m:.3f} [{a:.3f}, {b:.3f}]" for m, a, b in shown[["mean", "mean_low", "mean_high"]].values
    ]
    table = shown.assign(cell=cells).pivot(index="run", columns="tolerance", values="cell")
    return (
        table.loc[order["run"]].rename(columns="±{}".format).rename_axis(columns=None).reset_index()
    )


@style.house_style
def conditions_figure(scores: pd.DataFrame, within: str) -> Figure:
    """Mean F1 of every run against noise, number of bubbles, and pressure."""
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=3.6)
    noise, bubbles, pressure = figure.subplots(1, 3, sharey=True)
    at = scores[scores["tolerance"] == QUOTED_TOLERANCE]
    clean = at[at["noise"] == at["noise"].min()]
    _draw_means(noise, at, at["noise"].rank(method="dense") - 1)
    levels = sorted(at["noise"].unique())
    noise.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    _draw_means(bubbles, clean, _part_means(clean["bubbles"]))
    _draw_means(pressure, clean, 1e-3 * _part_means(clean["pressure_pa"]))
    noise.set(xlabel="noise level", ylabel=f"mean F1 within {within}", ylim=(0, 1))
    bubbles.set_xlabel("bubbles")
    pressure.set_xlabel("pressure (kPa)")
    figure.legend(*noise.get_legend_handles_labels(), loc="outside right center")
    return figure


def _draw_means(axes: Axes, scores: pd.DataFrame, place: pd.Series) -> None:
    for (name, group), marker in zip(scores.groupby("run", sort=False), _MARKERS * 9, strict=False):
        line = group["f1"].groupby(place[group.index]).mean()
        axes.plot(line.index, line, f"{marker}-", markersize=3, linewidth=0.9, label=name)


def _part_means(values: pd.Series) -> pd.Series:
    """Return for every row the mean of its part, of signals sorted by a value."""
    part = np.ceil(PARTS * values.rank(pct=True))
    return values.groupby(part).transform("mean")


def _check_scenes(scores: pd.DataFrame) -> None:
    of_signals = scores.groupby(["noise", "tolerance", "signal"])[["bubbles", "pressure_pa"]]
    runs = scores["run"].nunique()
    if (of_signals.nunique() > 1).to_numpy().any() or (of_signals.size() != runs).any():
        raise InputError("the runs were scored on different scenes; give them the same data.seed")
