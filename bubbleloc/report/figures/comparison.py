"""Figures of several runs side by side, from tidy scores with a column `run`."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.scores import BASELINE_LOOKS, mark_quartiles
from bubbleloc.report.figures.style import BLUE, INK, house_style, new_figure, tolerance_words


@house_style
def run_violins(scores: pd.DataFrame, tolerance: int, scale: Scale) -> Figure:
    """F1 distribution of every run at one tolerance, best median first, medians written out.

    Violins lie on their side, so that run names of any length stay readable at column width.
    """
    of_all_methods = scores[scores["tolerance"] == tolerance]
    at = of_method(of_all_methods)
    medians = at.groupby("run", sort=False)["f1"].median()
    medians = medians.sort_values(ascending=False, kind="stable")
    figure = new_figure(height=1.1 + 0.36 * len(medians))
    axes = figure.subplots()
    sns.violinplot(
        at,
        x="f1",
        y="run",
        order=medians.index,
        color=BLUE,
        alpha=0.55,
        inner=None,
        cut=0,
        density_norm="width",
        width=0.8,
        linewidth=0.6,
        ax=axes,
    )
    mark_quartiles(
        axes, [at.loc[at["run"] == run, "f1"].to_numpy() for run in medians.index], vertical=False
    )
    for method in baselines_in(of_all_methods):
        baseline, (colour, _) = of_method(of_all_methods, method), BASELINE_LOOKS[method]
        if baseline["run"].nunique() == len(medians):  # else it was not scored beside every run
            label = f"{BASELINES[method]} (mean)"
            mean = baseline["f1"].mean()
            axes.axvline(mean, color=colour, linestyle="--", linewidth=1, label=label)
    for place, median in enumerate(medians):
        axes.text(1.02, place, f"{median:.3f}", color=INK, fontsize=7, va="center")
    axes.set(
        xlabel=f"F1 per signal within {tolerance_words(tolerance, scale)}",
        ylabel="",
        xlim=(0, 1),
        ylim=(len(medians) - 0.4, -0.6),
    )
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
