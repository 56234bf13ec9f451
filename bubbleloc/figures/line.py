"""A piece of one RF line with what a network found in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bubbleloc.detections import Scale, match_detections, pick_peaks
from bubbleloc.figures.style import (
    BLUE,
    COLUMN_INCHES,
    GREEN,
    INK,
    MUTED,
    RED,
    house_style,
    new_figure,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One test signal to show: RF line and network output (L,), true arrivals in samples."""

    title: str
    rf: Floats
    prediction: Floats
    arrival_sample: Floats
    threshold: float


@house_style
def example_line(
    example: Example, start: int, length: int, tolerance: float, scale: Scale
) -> Figure:
    """RF line above, network output below, with found, missed and false bubbles marked."""
    figure = new_figure(width=2 * COLUMN_INCHES, height=3.1)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.35))
    stop = min(start + length, len(example.rf))
    window = np.arange(start, stop)
    top.plot(window, example.rf[start:stop], color=INK, linewidth=0.8)
    top.set(ylabel="RF (V)", title=example.title)
    depth = top.secondary_xaxis(
        "top", functions=(scale.depth_mm, lambda mm: np.asarray(mm) / scale.depth_mm(1))
    )
    depth.set_xlabel("depth (mm)")
    bottom.plot(window, example.prediction[start:stop], color=BLUE, label="network output")
    bottom.axhline(example.threshold, color=MUTED, linewidth=0.8, linestyle=":", label="threshold")
    _mark_outcomes(bottom, example, tolerance, start, stop)
    bottom.set(xlabel="sample", ylabel="output", xlim=(start, stop - 1))
    for axes in (top, bottom):
        axes.grid(False)
    figure.align_ylabels()
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _mark_outcomes(axes: Axes, example: Example, tolerance: float, start: int, stop: int) -> None:
    peaks = pick_peaks(example.prediction, example.threshold)
    matching = match_detections(peaks, example.arrival_sample, tolerance)
    found = np.isin(np.arange(len(example.arrival_sample)), matching.true)
    top = 1.12 * max(example.prediction[start:stop].max(), example.threshold)
    for chosen, colour, fill, label in (
        (found, GREEN, GREEN, "bubble, found"),
        (~found, RED, "white", "bubble, missed"),
    ):
        x = example.arrival_sample[chosen]
        x = x[(x >= start) & (x < stop)]
        axes.vlines(x, 0, top, color=colour, linewidth=0.5, alpha=0.5)
        y = np.full(len(x), top)
        axes.plot(x, y, "v", color=colour, markerfacecolor=fill, markersize=4.5, label=label)
    false = ~np.isin(np.arange(len(peaks)), matching.detected)
    false &= (peaks.sample >= start) & (peaks.sample < stop)
    axes.plot(
        peaks.sample[false],
        peaks.confidence[false],
        "x",
        color=INK,
        markersize=4.5,
        label="false detection",
    )
