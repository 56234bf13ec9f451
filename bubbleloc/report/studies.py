"""The reports of two studies: a network under published conditions, and a sweep over waveforms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, baselines_in
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.report.certainty import HEADINGS
from bubbleloc.report.comparison import differences
from bubbleloc.report.document import Picture, Section, Table, prose, write_document
from bubbleloc.report.figures import style
from bubbleloc.report.figures.scores import BASELINE_LOOKS, run_violins
from bubbleloc.tables import with_intervals
from bubbleloc.units import Scale

SHOWN_TOLERANCES = (0, 2, QUOTED_TOLERANCE, 9)  # of the tables on the pages
PARTS = 4  # of the signals, by bubbles and by pressure
LEAST = "least difference"
_LEVEL = 0.95


@dataclass(frozen=True)
class Conditions:
    """Scores under several conditions, tables with a column `condition`.

    Attributes:
        scores: those of network and baselines, see `bubbleloc.metrics.scores`.
        one_to_one: those of the network, see `bubbleloc.metrics.one_to_one`.
        specialists: the published mean F1 by condition and tolerance.
        empty: the number of detections in lines without a bubble.
        certainty: scores of probabilities and errors, see `bubbleloc.report.certainty`; empty for a
            head that counts.
        facts: what to tell the reader about the run, name → value.
    """

    scores: pd.DataFrame
    one_to_one: pd.DataFrame
    specialists: pd.DataFrame
    empty: pd.DataFrame
    certainty: pd.DataFrame
    facts: Mapping[str, str]


def write_conditions(folder: Path, scored: Conditions) -> Path:
    """Write tables, figure and page into ``folder``; return the path of ``report.html``.

    Written: ``conditions`` (CSV, Markdown, LaTeX; a row per condition × tolerance),
    ``empty_lines.csv``, and the page with its figure.
    """
    table = conditions_table(scored)
    ahead = int((table["f1"] > table["specialist"]).sum())
    shown = with_intervals(table[table["tolerance"].isin(SHOWN_TOLERANCES)])
    picture = Picture("Mean F1 against the tolerance", partial(conditions_figure, scored))
    caption = "Mean F1 under each condition, beside the published specialist of that condition"
    sections = [
        Section(
            "Conditions",
            prose("studies", "conditions"),
            {"conditions": picture},
            shown,
            {"conditions": Table(table, caption, with_intervals(table))},
        ),
        Section(
            "Empty lines",
            prose("studies", "empty_lines"),
            table=scored.empty,
            files={"empty_lines": Table(scored.empty)},
        ),
        _certainty(scored.certainty),
    ]
    with atomic_folder(folder) as unfinished:
        write_document(
            unfinished / "report.html",
            f"Conditions: {scored.facts.get('run', 'one run')}",
            f"Above the specialist in {ahead} of {len(table)} conditions × tolerances.",
            sections,
            scored.facts,
        )
    return folder / "report.html"


def _certainty(scores: pd.DataFrame) -> Section | None:
    if scores.empty:
        return None
    shown = scores.rename(columns=HEADINGS)
    files = {"certainty": Table(scores, "Certainty by condition", shown)}
    return Section("Certainty", prose("studies", "certainty"), table=shown, files=files)


def conditions_table(scored: Conditions) -> pd.DataFrame:
    """Mean F1 with interval, specialist, one-to-one F1 and baselines by condition × tolerance."""
    keys = ["condition", "tolerance"]
    table = summarize(scored.scores, by=tuple(keys))
    names = {"mean": "f1", "mean_low": "f1_low", "mean_high": "f1_high"}
    table = table.rename(columns=names)[[*keys, *names.values()]]
    published = scored.specialists.rename(columns={"f1": "specialist"})
    columns = [
        published.set_index(keys)["specialist"],
        scored.one_to_one.groupby(keys)["f1"].mean().rename("one to one"),
        *(
            scored.scores.groupby(keys)[f"{method}_f1"].mean().rename(BASELINES[method])
            for method in baselines_in(scored.scores)
        ),
    ]
    for column in columns:
        table = table.merge(column.reset_index(), on=keys, how="left")
    return table


@style.house_style
def conditions_figure(scored: Conditions) -> Figure:
    """F1 against the tolerance, a panel per condition."""
    names = list(dict.fromkeys(scored.scores["condition"]))
    figure = style.new_figure(2 * style.COLUMN_INCHES, 3.6)
    panels = figure.subplots(2, -(-len(names) // 2), sharex=True, sharey=True)
    for axes, name in zip(panels.flat, names, strict=True):
        scores, published = (
            table[table["condition"] == name] for table in (scored.scores, scored.specialists)
        )
        means = scores.groupby("tolerance").mean(numeric_only=True)
        for method in baselines_in(scores):
            colour, _, line = BASELINE_LOOKS[method]
            looks = {"color": colour, "linestyle": line, "label": BASELINES[method]}
            axes.plot(means[f"{method}_f1"], linewidth=0.8, **looks)
        axes.plot(
            published["tolerance"], published["f1"], "--", color=style.INK, label="specialist"
        )
        axes.plot(means["f1"], "o-", color=style.BLUE, label="this network", markersize=3)
        axes.set(title=name, ylim=(0, 1))
    figure.supxlabel("tolerance (samples)")
    figure.supylabel("mean F1")
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure


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
    of_runs = _over_seeds(scores)
    summary = summarize(of_runs, by=("run", "noise", "tolerance"))
    quietest = scores["noise"].min()
    at = summary[(summary["tolerance"] == QUOTED_TOLERANCE) & (summary["noise"] == quietest)]
    ranked = at.sort_values("mean", ascending=False)
    best, order = ranked.iloc[0], list(ranked["run"])
    clean = of_runs[of_runs["noise"] == quietest]
    within = style.tolerance_words(QUOTED_TOLERANCE, scale)
    sections = [
        _noise(scores, of_runs, order, within),
        _tolerances(scores, clean, summary, order, scale),
        differences(compare_pairs(clean), QUOTED_TOLERANCE, best["run"]),
    ]
    with atomic_folder(folder) as unfinished:
        write_document(
            unfinished / "waveforms.html",
            f"{scores['run'].nunique()} waveforms, a network for each",
            f"Within {within} the best mean F1 over {best['signals']} test signals at noise level "
            f"{quietest:g} is {best['mean']:.3f}, by {best['run']}.",
            sections,
            {
                "scenes": "the same for all; each network was trained and scored under its "
                "waveform",
                "thresholds": "chosen on val, at every level of noise",
                "seeds": ", ".join(map(str, sorted(scores["seed"].unique()))),
                "noise levels": ", ".join(f"{x:g}" for x in sorted(scores["noise"].unique())),
            },
        )
    return folder / "waveforms.html"


def _noise(
    scores: pd.DataFrame, of_runs: pd.DataFrame, order: Sequence[str], within: str
) -> Section:
    table = noise_table(scores, order)
    quietest = f"{scores['noise'].min():g}"
    picture = Picture(f"Mean F1 within {within}", partial(parts_figure, of_runs, order))
    return Section(
        "F1 against noise, bubbles and pressure",
        prose(
            "studies",
            "noise",
            within=within,
            volts=REFERENCE_V,
            quietest=quietest,
            level=f"{_LEVEL:.0%}",
        ),
        {"conditions": picture},
        table,
        {"noise": Table(table, f"Mean F1 within {within}, and of each seed")},
    )


def _tolerances(
    scores: pd.DataFrame,
    clean: pd.DataFrame,
    summary: pd.DataFrame,
    order: Sequence[str],
    scale: Scale,
) -> Section:
    quietest = scores["noise"].min()
    caption = f"F1 per signal within {style.tolerance_words(QUOTED_TOLERANCE, scale)}"
    return Section(
        "F1 by tolerance",
        prose("studies", "tolerances", quietest=f"{quietest:g}"),
        {"violins": Picture(caption, partial(run_violins, clean, QUOTED_TOLERANCE, scale))},
        _by_tolerance(summary[summary["noise"] == quietest], order),
        {
            "scores": Table(scores),
            "summary": Table(summary, "F1 by waveform", with_intervals(summary)),
        },
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
    seeds = means.groupby(["run", "noise"]).agg(["mean", "min", "max", "var", "count"])
    cells = seeds["mean"].map("{:.3f}".format)
    repeated = seeds[seeds["count"] > 1]
    cells[repeated.index] += [f" ({a:.3f}–{b:.3f})" for a, b in repeated[["min", "max"]].values]
    table = cells.unstack("noise").loc[list(order)]
    if len(repeated):
        levels = repeated.groupby("noise")
        freedom = (levels["count"].sum() - levels["count"].size()).to_numpy()
        variance = levels["var"].mean() * 2 / levels["count"].min()
        least = stats.t.ppf((1 + _LEVEL) / 2, freedom) * np.sqrt(variance)
        table.loc[LEAST] = [f"{difference:.3f}" for difference in least]
    return table.rename(columns="noise {:g}".format).rename_axis(columns=None).reset_index()


def _by_tolerance(summary: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Return mean F1 with its interval, a row per run and a column per tolerance."""
    shown = with_intervals(summary[summary["tolerance"].isin(SHOWN_TOLERANCES)])
    table = shown.pivot(index="run", columns="tolerance", values="mean [95 %]").loc[list(order)]
    return table.rename(columns="±{}".format).rename_axis(columns=None).reset_index()


@style.house_style
def parts_figure(scores: pd.DataFrame, order: Sequence[str]) -> Figure:
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
