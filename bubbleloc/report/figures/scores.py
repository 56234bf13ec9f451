"""Distributions of F1, of one run and of several, from tables of `bubbleloc.metrics.scores`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, RED
from bubbleloc.units import Scale

BASELINE_LOOKS = {
    "random": (ORANGE, "o"),
    "matched_filter": (GREEN, "s"),
    "wiener": (RED, "D"),
    "sparse": (MUTED, "^"),
}
"""Colour and marker of each baseline, alike in all figures."""

ONE_TO_ONE_LOOKS = {"F1": ("o-", BLUE), "precision": ("s--", GREEN), "recall": ("^:", ORANGE)}


def draw_one_to_one(axes: Axes, place: pd.Series, scores: pd.DataFrame) -> None:
    """Draw the columns ``f1``, ``precision`` and ``recall`` against a quantity."""
    for name, (line, colour) in ONE_TO_ONE_LOOKS.items():
        axes.plot(place, scores[name.lower()], line, color=colour, markersize=3, label=name)


@style.house_style
def f1_violins(scores: pd.DataFrame, scale: Scale) -> Figure:
    """F1 distribution over the test signals per tolerance, median and quartiles marked."""
    figure = style.new_figure(height=2.9)
    axes = figure.subplots()
    network = of_method(scores)
    tolerances = network["tolerance"].unique().tolist()
    _draw_violins(axes, network, "tolerance", tolerances)
    for method in baselines_in(scores):
        colour, marker = BASELINE_LOOKS[method]
        mean = of_method(scores, method).groupby("tolerance")["f1"].mean().to_numpy()
        label = f"{BASELINES[method]} (mean)"
        axes.plot(mean, f"{marker}--", color=colour, markersize=3, linewidth=1, label=label)
    axes.set(xlabel="tolerance (samples)", ylabel="F1 per signal", ylim=(0, 1.02))
    depth = axes.secondary_xaxis("top")
    depth.set_xticks(axes.get_xticks(), [f"{scale.um_per_sample * t:.0f}" for t in tolerances])
    wavelength_um = scale.um_per_sample / scale.wavelengths_per_sample
    known = scale.frequency_hz is not None
    depth.set_xlabel(f"tolerance in depth (µm{f', λ = {wavelength_um:.0f} µm' * known})")
    depth.tick_params(length=0)
    depth.spines["top"].set_visible(False)
    axes.legend(loc="lower right")
    return figure


@style.house_style
def run_violins(scores: pd.DataFrame, tolerance: int, scale: Scale) -> Figure:
    """F1 distribution of every run (column `run`), best median first, medians written out.

    Violins lie on their side, so that run names of any length stay readable at column width.
    """
    at = scores[scores["tolerance"] == tolerance]
    network = of_method(at)
    medians = network.groupby("run", sort=False)["f1"].median()
    medians = medians.sort_values(ascending=False, kind="stable")
    figure = style.new_figure(height=1.1 + 0.36 * len(medians))
    axes = figure.subplots()
    _draw_violins(axes, network, "run", list(medians.index), vertical=False)
    for method in baselines_in(at):
        baseline, (colour, _) = of_method(at, method), BASELINE_LOOKS[method]
        if baseline["run"].nunique() == len(medians):  # else it was not scored beside every run
            label = f"{BASELINES[method]} (mean)"
            axes.axvline(baseline["f1"].mean(), color=colour, ls="--", lw=1, label=label)
    for place, median in enumerate(medians):
        axes.text(1.02, place, f"{median:.3f}", color=INK, fontsize=7, va="center")
    label = f"F1 per signal within {style.tolerance_words(tolerance, scale)}"
    axes.set(xlabel=label, ylabel="", xlim=(0, 1), ylim=(len(medians) - 0.4, -0.6))
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_violins(
    axes: Axes, scores: pd.DataFrame, by: str, order: Sequence[object], vertical: bool = True
) -> None:
    """Draw the distribution of F1 per group, its quartiles as a bar, its median as a dot."""
    sns.violinplot(
        scores,
        **({"x": by, "y": "f1"} if vertical else {"x": "f1", "y": by}),
        order=order,
        orient="v" if vertical else "h",
        color=BLUE,
        alpha=0.55,
        inner=None,
        cut=0,
        density_norm="width",
        width=0.85,
        linewidth=0.6,
        ax=axes,
    )
    groups = scores.groupby(by)["f1"]
    for place, group in enumerate(order):
        low, median, high = np.quantile(groups.get_group(group), (0.25, 0.5, 0.75))
        bar, dot = ([place, place], [low, high]), ([place], [median])
        axes.plot(*bar[:: 1 if vertical else -1], color=INK, linewidth=2.4, zorder=3)
        (median_dot,) = axes.plot(*dot[:: 1 if vertical else -1], "o", color="white", zorder=4)
        median_dot.set(markeredgecolor=INK, markersize=4.5)
        if place == 0:
            median_dot.set_label("median and quartiles")


@style.house_style
def f1_against(scores: pd.DataFrame, column: str, tolerance: int, scale: Scale) -> Figure:
    """F1 at one tolerance against `bubbles` or `pressure_pa`: signals, and binned quartiles."""
    label, unit = {
        "bubbles": ("bubbles in the signal", 1.0),
        "pressure_pa": ("transmitted pressure (kPa)", 1e-3),
    }[column]
    at = scores[(scores["tolerance"] == tolerance) & scores[column].notna()]
    figure = style.new_figure(height=2.5)
    axes = figure.subplots()
    drawn = (("network", BLUE, "median, quartiles"), ("random", ORANGE, BASELINES["random"]))
    for method, colour, words in drawn:
        here = of_method(at, method)
        x, f1 = here[column].to_numpy(dtype=np.float64) * unit, here["f1"].to_numpy()
        if method == "network":
            axes.scatter(x, f1, s=8, color=colour, alpha=0.45, linewidths=0, label="test signal")
        middle, (low, median, high) = _binned_quartiles(x, f1)
        axes.fill_between(middle, low, high, color=colour, alpha=0.25, linewidth=0)
        axes.plot(middle, median, color=colour, label=words)
    ylabel = f"F1 within {style.tolerance_words(tolerance, scale)}"
    axes.set(xlabel=label, ylabel=ylabel, ylim=(0, 1.02), xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _binned_quartiles(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Median place (b,) and quartiles (3, b) of y in about eight equally filled bins of x."""
    bins = np.array_split(np.argsort(x, kind="stable"), min(8, max(1, len(x) // 5)))
    middle = np.array([np.median(x[members]) for members in bins])
    quartiles = np.array([np.quantile(y[members], (0.25, 0.5, 0.75)) for members in bins])
    return middle, quartiles.T
