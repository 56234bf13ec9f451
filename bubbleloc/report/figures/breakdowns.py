"""Scores against depth and density, and localization errors: tables of `metrics.breakdown`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, house_style, new_figure

_DRAWN = (
    ("f1", BLUE, "F1", "o-"),
    ("precision", GREEN, "precision", "s--"),
    ("recall", ORANGE, "recall", "^:"),
)


@house_style
def rates_figure(rates: pd.DataFrame, label: str) -> Figure:
    """One-to-one F1, precision and recall along a quantity, above how many bubbles each bin has."""
    figure = new_figure(height=2.9)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    middle = (rates["low"] + rates["high"]) / 2
    for column, colour, name, style in _DRAWN:
        top.plot(middle, rates[column], style, color=colour, markersize=3, label=name)
    bubbles = rates["found"] + rates["missed"]
    bottom.bar(rates["low"], bubbles, rates["high"] - rates["low"], align="edge", color="#b8b8b8")
    bottom.set(xlabel=label, ylabel="bubbles", xlim=(rates["low"].min(), rates["high"].max()))
    bottom.grid(False)
    top.set(ylabel="one-to-one score", ylim=(0, 1))
    figure.align_ylabels()
    figure.legend(*top.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@house_style
def error_figure(errors: pd.DataFrame, bias: float, rmse: float, scale: Scale) -> Figure:
    """Histogram of localization errors in samples below and µm above; `bias`, `rmse` in samples."""
    figure = new_figure(height=2.6)
    axes = figure.subplots()
    share = 100 * errors["bubbles"] / max(errors["bubbles"].sum(), 1)
    width = errors["high"] - errors["low"]
    axes.bar(errors["low"], share, width, align="edge", color=BLUE, alpha=0.7)
    axes.axvline(0, ymax=0.72, color=MUTED, linewidth=0.8)
    to_um = scale.um_per_sample
    words = "nothing matched"
    if np.isfinite(bias):
        axes.axvline(bias, ymax=0.72, color=INK, linestyle="--", linewidth=1)
        in_wavelengths = f", {rmse * scale.wavelengths_per_sample:.3f} λ"
        words = (
            f"bias {bias:+.2f} samples ({bias * to_um:+.1f} µm)\n"
            f"RMSE {rmse:.2f} samples ({rmse * to_um:.1f} µm"
            f"{'' if scale.frequency_hz is None else in_wavelengths})"
        )
    axes.text(
        0.98,
        0.96,
        words,
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=7,
    )
    axes.set(
        xlabel="detected − true arrival (samples)",
        ylabel="matched bubbles (%)",
        xlim=(errors["low"].min(), errors["high"].max()),
        ylim=(0, 1.4 * share.max() + 0.1),  # room for the words above the bars
    )
    depth = axes.secondary_xaxis(
        "top", functions=(lambda s: np.asarray(s) * to_um, lambda um: np.asarray(um) / to_um)
    )
    depth.set_xlabel("error in depth (µm)")
    return figure
