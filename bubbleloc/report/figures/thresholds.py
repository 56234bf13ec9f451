"""How thresholds were chosen: figures of a sweep over thresholds × tolerances."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from bubbleloc.metrics import Sweep
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import INK, MUTED, RED
from bubbleloc.units import Scale


@style.house_style
def f1_heatmap(selection: Sweep, scale: Scale) -> Figure:
    """Mean F1 of the selection split over thresholds × tolerances; the best ones ringed."""
    figure = style.new_figure(height=2.6)
    axes = figure.subplots()
    f1 = selection.f1.mean(axis=0)
    mesh = axes.pcolormesh(f1, cmap="cividis", vmin=0, vmax=1, edgecolors="white", linewidth=0.3)
    rows = np.arange(len(f1)) + 0.5
    rings = axes.scatter(f1.argmax(axis=1) + 0.5, rows, s=22, label="chosen threshold")
    rings.set(facecolors="none", edgecolors=RED, linewidths=1.3)
    shown = np.arange(0, len(selection.thresholds), 2)
    names = [_threshold_name(threshold) for threshold in selection.thresholds[shown]]
    axes.set_xticks(shown + 0.5, names, rotation=90)
    axes.set_yticks(rows, _tolerance_names(selection, scale))
    axes.set(xlabel="threshold on the network output", ylabel="tolerance in samples (depth)")
    axes.grid(False)
    axes.tick_params(length=0)
    figure.colorbar(mesh, ax=axes, label="mean F1", pad=0.02).outline.set_visible(False)
    figure.legend(loc="outside upper right")
    return figure


@style.house_style
def precision_recall(selection: Sweep, scale: Scale) -> Figure:
    """Mean precision against mean recall along the thresholds, a curve per tolerance."""
    figure = style.new_figure(height=2.7)
    axes = figure.subplots()
    _draw_equal_f1(axes)
    best = selection.f1.mean(axis=0).argmax(axis=1)
    recall, precision = selection.recall.mean(axis=0), selection.precision.mean(axis=0)
    colours = mpl.colormaps["viridis_r"](np.linspace(0.08, 1, len(best)))
    for row, (chosen, colour) in enumerate(zip(best, colours, strict=True)):
        axes.plot(recall[row], precision[row], color=colour)
        at = recall[row, chosen], precision[row, chosen]
        axes.plot(*at, "o", color=colour, markersize=5, markeredgecolor=INK)
    axes.set(xlabel="mean recall", ylabel="mean precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_aspect("equal")
    axes.grid(False)
    edges = np.arange(len(best) + 1) - 0.5
    keys = ScalarMappable(BoundaryNorm(edges, len(best)), mpl.colors.ListedColormap(colours))
    bar = figure.colorbar(keys, ax=axes, ticks=range(len(best)), shrink=0.85)
    bar.set_ticklabels(_tolerance_names(selection, scale))
    bar.set_label("tolerance in samples (depth)")
    bar.outline.set_visible(False)
    bar.ax.tick_params(which="both", length=0)
    return figure


def _draw_equal_f1(axes: Axes) -> None:
    recall = np.linspace(0.01, 1, 200)
    for f1 in (0.2, 0.4, 0.6, 0.8):
        with np.errstate(divide="ignore"):
            precision = f1 * recall / (2 * recall - f1)
        inside = (precision > 0) & (precision <= 1)
        axes.plot(recall[inside], precision[inside], color="#d0d0d0", linewidth=0.7, zorder=0)
        # named outside, where the line leaves the plot, so that no curve runs over the name
        name = f"F1 = {f1}" if f1 == 0.8 else str(f1)
        axes.text(f1 / (2 - f1), 1.03, name, color=MUTED, fontsize=6, ha="center")


def _tolerance_names(selection: Sweep, scale: Scale) -> list[str]:
    return [f"{t}  ({scale.um_per_sample * t:.0f} µm)" for t in selection.tolerances]


def _threshold_name(threshold: float) -> str:
    exponent = round(2 * np.log10(threshold)) / 2
    return f"{threshold:g}" if threshold >= 0.09 else f"$10^{{{exponent:g}}}$"
