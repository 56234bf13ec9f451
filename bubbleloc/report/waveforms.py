"""The report of a sweep over waveforms: which one localizes best, and under which conditions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.report.comparison import differences
from bubbleloc.report.document import Section, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import run_violins
from bubbleloc.tables import with_intervals, write_csv, write_table
from bubbleloc.units import Scale

SHOWN_TOLERANCES = (0, 2, 4, 9)
PARTS = 4  # of the signals, by bubbles and by pressure
LEAST = "least difference"
_LEVEL = 0.95


def write_waveforms(folder: Path, scores: pd.DataFrame, scale: Scale) -> Path:
    """Write ``waveforms.html`` with tables and figures into ``folder``, replaced as a whole.

    Beside it: ``scores.csv``, ``noise``, ``summary`` and ``pairs`` (CSV, Markdown, LaTeX).

    Args:
        scores: a row per run × seed × noise × signal × tolerance: `run`, `seed`, `noise`,
            `signal`, `tolerance`, `f1`, `bubbles`, `pressure_pa`.

    Raises:
        InputError: the runs were scored on other scenes.
    """
    _check_scenes(scores)
    with atomic_folder(folder) as unfinished:
        page = _write(unfinished, scores, scale)
    return folder / page.name


def _write(folder: Path, scores: pd.DataFrame, scale: Scale) -> Path:
    of_runs = _over_seeds(scores)
    summary = summarize(of_runs, by=("run", "noise", "tolerance"))
    quietest = scores["noise"].min()
    clean = of_runs[of_runs["noise"] == quietest]
    pairs = compare_pairs(clean)
    write_csv(scores, folder / "scores.csv")
    write_table(summary, folder, "summary", "F1 by waveform", with_intervals(summary))
    write_table(pairs, folder, "pairs", "Paired comparison of F1, Holm-corrected")
    at = summary[(summary["tolerance"] == QUOTED_TOLERANCE) & (summary["noise"] == quietest)]
    ranked = at.sort_values("mean", ascending=False)
    best = ranked.iloc[0]
    within = style.tolerance_words(QUOTED_TOLERANCE, scale)
    by_noise = noise_table(scores, list(ranked["run"]))
    write_table(by_noise, folder, "noise", f"Mean F1 within {within}, and of each seed")
    sections = [
        _conditions(of_runs, by_noise, within),
        Section(
            "F1 by tolerance",
            f"Mean over the test signals at noise level {quietest:g}, best first; tolerances in "
            "samples. Brackets are 95 % bootstrap intervals over signals, each with the mean of "
            "its seeds.",
            {
                "violins": (
                    f"F1 per signal within {within}",
                    run_violins(clean.assign(method="network"), QUOTED_TOLERANCE, scale),
                )
            },
            _by_tolerance(summary[summary["noise"] == quietest]),
        ),
        differences(pairs[pairs["tolerance"] == QUOTED_TOLERANCE], best["run"]),
    ]
    return write_document(
        folder / "waveforms.html",
        f"{scores['run'].nunique()} waveforms, a network for each",
        f"Within {within} the best mean F1 over {best['signals']} test signals at noise level "
        f"{quietest:g} is {best['mean']:.3f}, by {best['run']}.",
        sections,
        {
            "scenes": "the same for all; each network was trained and scored under its waveform",
            "thresholds": "chosen on val, at every level of noise",
            "seeds": ", ".join(map(str, sorted(scores["seed"].unique()))),
            "noise levels": ", ".join(f"{level:g}" for level in sorted(scores["noise"].unique())),
        },
    )


def _conditions(scores: pd.DataFrame, by_noise: pd.DataFrame, within: str) -> Section:
    runs = [name for name in by_noise["run"] if name != LEAST]
    return Section(
        "F1 against noise, bubbles and pressure",
        f"Means over the test signals within {within}; noise level 1 is a standard deviation of "
        f"9.65 V. Quarters of the signals by bubbles and by pressure at noise level "
        f"{scores['noise'].min():g}. In the table, the lowest and highest mean of a seed in "
        "parentheses; means of two repeated runs that differ by less than the last row may differ "
        f"by chance ({_LEVEL:.0%}, from the seeds of all of them).",
        {"conditions": (f"Mean F1 within {within}", conditions_figure(scores, runs))},
        by_noise,
    )


def _over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean F1 over the seeds of a run, for every signal."""
    keys = ["run", "noise", "signal", "tolerance", "bubbles", "pressure_pa"]
    return scores.groupby(keys, sort=False)["f1"].mean().reset_index()


def noise_table(scores: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return mean F1 with its seeds, a row per run and a column per level of noise.

    The last row is the smallest difference of two runs that the choice of seeds does not explain:
    a t-test at 5 % with the variance between seeds pooled over all runs.
    """
    at = scores[scores["tolerance"] == QUOTED_TOLERANCE]
    means = at.groupby(["run", "noise", "seed"])["f1"].mean()
    found = means.groupby(["run", "noise"]).agg(["mean", "min", "max", "var", "count"])
    cells = found["mean"].map("{:.3f}".format)
    repeated = found[found["count"] > 1]
    cells[repeated.index] += [f" ({a:.3f}–{b:.3f})" for a, b in repeated[["min", "max"]].values]
    table = cells.unstack("noise").loc[list(order)]
    if len(repeated):
        levels = repeated.groupby("noise")
        freedom = (levels["count"].sum() - levels["count"].size()).to_numpy()
        variance = levels["var"].mean() * 2 / levels["count"].min()
        least = stats.t.ppf((1 + _LEVEL) / 2, freedom) * np.sqrt(variance)
        table.loc[LEAST] = [f"{difference:.3f}" for difference in least]
    return table.rename(columns="noise {:g}".format).rename_axis(columns=None).reset_index()


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
def conditions_figure(scores: pd.DataFrame, order: Sequence[str]) -> Figure:
    """Mean F1 of every run by noise, and by quarters of the bubbles and of the pressures."""
    figure = style.new_figure(2 * style.COLUMN_INCHES, 0.9 + 0.24 * len(order))
    at = scores[scores["tolerance"] == QUOTED_TOLERANCE]
    clean = at[at["noise"] == at["noise"].min()]
    parts = {
        "noise level": at.sort_values("noise")["noise"].map("{:g}".format),
        "bubbles": _parts(clean["bubbles"]),
        "pressure (kPa)": _parts(1e-3 * clean["pressure_pa"]),
    }
    widths = [part.nunique() for part in parts.values()]
    panels = figure.subplots(1, len(parts), sharey=True, width_ratios=widths)
    for axes, (label, part) in zip(panels, parts.items(), strict=True):
        f1 = at["f1"].groupby([at["run"], part]).mean().unstack()
        _draw_cells(axes, f1.loc[list(order), part.unique()])
        axes.set_xlabel(label)
    panels[0].set_yticks(range(len(order)), order)
    return figure


def _draw_cells(axes: Axes, f1: pd.DataFrame) -> None:
    axes.imshow(f1, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(f1.to_numpy()):
        colour = "white" if value < 0.6 else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=6)
    axes.set_xticks(range(f1.shape[1]), f1.columns, fontsize=6)
    axes.grid(False)
    axes.tick_params(length=0)


def _parts(values: pd.Series) -> pd.Series:
    """Return for every row, in the order of the values, the range of the part it belongs to."""
    values = values.sort_values()
    groups = values.groupby(np.ceil(PARTS * values.rank(pct=True)))
    ends = [groups.transform(end).round().astype(int).astype(str) for end in ("min", "max")]
    return ends[0] + "–" + ends[1]


def _check_scenes(scores: pd.DataFrame) -> None:
    of_signals = scores.groupby(["noise", "tolerance", "signal"])[["bubbles", "pressure_pa"]]
    runs = len(scores[["run", "seed"]].drop_duplicates())
    if (of_signals.nunique() > 1).to_numpy().any() or (of_signals.size() != runs).any():
        raise InputError("the runs were scored on different scenes; give them the same data.seed")
