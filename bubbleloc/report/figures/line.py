"""A piece of one RF line with what a network found in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.metrics.matching import match_detections
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.style import (
    BLUE,
    COLUMN_INCHES,
    GREEN,
    INK,
    MUTED,
    RED,
    house_style,
    new_figure,
)


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
    figure, bottom, stop = _draw_line(example, start, length, scale)
    _mark_outcomes(bottom, example, tolerance, start, stop)
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@house_style
def detected_line(
    title: str,
    rf: ArrayLike,
    prediction: ArrayLike,
    found: Detections,
    threshold: float,
    scale: Scale,
    length: int = 500,
) -> Figure:
    """Draw the piece of a line (L,) with most detections: RF above, output and detections below."""
    none = np.zeros(0)
    line = Example(title, np.asarray(rf, float), np.asarray(prediction, float), none, threshold)
    start = busiest_part(found.sample, len(line.rf), length)
    figure, bottom, stop = _draw_line(line, start, length, scale)
    shown = (found.sample >= start) & (found.sample < stop)
    x, y = found.sample[shown], found.confidence[shown]
    bottom.vlines(x, 0, y, color=GREEN, linewidth=0.7)
    bottom.plot(x, y, "o", color=GREEN, markersize=4, label="detection")
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def busiest_part(positions: Floats, samples: int, length: int) -> int:
    """Start of the window of `length` with most positions, so that none shows empty water."""
    starts = np.arange(0, max(samples - length, 0) + 1, max(length // 10, 1))
    ordered = np.sort(positions)
    inside = np.searchsorted(ordered, starts + length) - np.searchsorted(ordered, starts)
    return int(starts[inside.argmax()])


def _draw_line(line: Example, start: int, length: int, scale: Scale) -> tuple[Figure, Axes, int]:
    """RF above, output with threshold below; return the figure, the axes below and the end."""
    figure = new_figure(width=2 * COLUMN_INCHES, height=3.1)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.35))
    stop = min(start + length, len(line.rf))
    window = np.arange(start, stop)
    top.plot(window, line.rf[start:stop], color=INK, linewidth=0.8)
    top.set_ylabel("RF (V)")
    top.set_title(line.title, parse_math=False)  # names of files may hold dollar signs
    depth = top.secondary_xaxis(
        "top", functions=(scale.depth_mm, lambda mm: np.asarray(mm) / scale.depth_mm(1))
    )
    depth.set_xlabel("depth (mm)")
    bottom.plot(window, line.prediction[start:stop], color=BLUE, label="network output")
    bottom.axhline(line.threshold, color=MUTED, linewidth=0.8, linestyle=":", label="threshold")
    rate_mhz = scale.sampling_rate_hz / 1e6
    bottom.set(xlabel=f"sample (at {rate_mhz:g} MHz)", ylabel="output", xlim=(start, stop - 1))
    for axes in (top, bottom):
        axes.grid(False)
    figure.align_ylabels()
    return figure, bottom, stop


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
