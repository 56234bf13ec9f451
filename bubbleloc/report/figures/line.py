"""A piece of one RF line with what a network found in it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, RED
from bubbleloc.units import Scale

SHOWN_SAMPLES = 500
"""Length of line that a text-wide figure shows with every peak distinct."""


@dataclass(frozen=True)
class Example:
    """One line to show, with what a network found in it.

    Attributes:
        title: the words above the figure.
        rf: the RF line at the rate of the network, (L,).
        prediction: the output of the network, (L,).
        arrival_sample: the true arrivals, in samples of the network; none where they are unknown.
        threshold: the threshold to draw, if there is one.
        detections: what the network found, in samples of the network.
        start_sample: the first sample on the axis, where the record begins after time 0.
        per_sample: the samples of the network per sample of the axis.
        unit: the unit of `rf`.
    """

    title: str
    rf: Floats
    prediction: Floats
    arrival_sample: Floats
    threshold: float | None
    detections: Detections
    start_sample: float = 0.0
    per_sample: float = 1.0
    unit: str = "V"

    def on_axis(self, sample: ArrayLike) -> Floats:
        """Return where samples of the network lie on the axis."""
        return self.start_sample + np.asarray(sample, dtype=np.float64) / self.per_sample


@style.house_style
def example_line(example: Example, tolerance: float, scale: Scale) -> Figure:
    """RF line above, network output below, with found, missed and false bubbles marked.

    Shown is the part with most bubbles.
    """
    figure, axes, shown = _draw_line(example, example.arrival_sample, scale)
    detected = example.detections
    matching = match_detections(detected, example.arrival_sample, tolerance)
    is_found = np.isin(np.arange(len(example.arrival_sample)), matching.true)
    top = 1.12 * max(example.prediction[shown].max(), example.threshold or 0.0)
    for chosen, colour, fill, label in (
        (is_found, GREEN, GREEN, "bubble, found"),
        (~is_found, RED, "white", "bubble, missed"),
    ):
        inside = chosen & _inside(example.arrival_sample, shown)
        x = example.on_axis(example.arrival_sample[inside])
        axes.vlines(x, 0, top, color=colour, linewidth=0.5, alpha=0.5)
        y = np.full(len(x), top)
        axes.plot(x, y, "v", color=colour, markerfacecolor=fill, markersize=4.5, label=label)
    false = ~np.isin(np.arange(len(detected)), matching.detected)
    false &= _inside(detected.sample, shown)
    x, y = example.on_axis(detected.sample[false]), detected.confidence[false]
    axes.plot(x, y, "x", color=INK, markersize=4.5, label="false detection")
    figure.legend(loc="outside lower center", ncols=5)
    return figure


@style.house_style
def detected_line(line: Example, scale: Scale) -> Figure:
    """Draw the piece of a line with most detections: RF above, output and detections below.

    `scale` is that of the axis.
    """
    detections = line.detections
    figure, axes, shown = _draw_line(line, detections.sample, scale)
    inside = _inside(detections.sample, shown)
    x, y = line.on_axis(detections.sample[inside]), detections.confidence[inside]
    axes.vlines(x, 0, y, color=GREEN, linewidth=0.7)
    axes.plot(x, y, "o", color=GREEN, markersize=4, label="detection")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@style.house_style
def plot_detections(volts: ArrayLike, table: pd.DataFrame, start_sample: float = 0.0) -> Figure:
    """Draw the piece of an RF line with most detections: RF above, detections below.

    A detection stands at its probability, or at its height where the network gives no probability;
    the bar is ±1σ of its arrival.

    Args:
        volts: one line, (L,).
        table: its detections, rows of a table of `bubbleloc.localize_lines`.
        start_sample: where the first value lies on the axis of the table: ``start_s`` times the
            sampling rate.

    Raises:
        InputError: more than one line, or a table of several.
    """
    rf = np.asarray(volts, dtype=np.float64)
    numbers = table[[name for name in ("line", "frame", "element") if name in table]]
    if rf.ndim != 1 or len(numbers.drop_duplicates()) > 1:
        raise InputError(
            f"plot_detections draws one line, not {rf.shape} with detections in "
            f"{len(numbers.drop_duplicates())}: give volts[0], table[table['line'] == 0]"
        )
    shown = densest(table["sample"].to_numpy() - start_sample, len(rf))
    inside = table[_inside(table["sample"].to_numpy() - start_sample, shown)]
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=3.1)
    top, bottom = figure.subplots(2, 1, sharex=True)
    window = start_sample + np.arange(shown.start, shown.stop)
    top.plot(window, rf[shown], color=INK, linewidth=0.8)
    top.set_ylabel("RF")
    if len(inside):
        style.add_depth_axis(top, (inside["depth_mm"] / inside["sample"]).median(), "depth (mm)")
    height = "height" if inside["probability"].isna().any() else "probability"
    bottom.vlines(inside["sample"], 0, inside[height], color=GREEN, linewidth=0.7)
    bottom.errorbar(
        inside["sample"],
        inside[height],
        xerr=inside["sample_sigma"],
        fmt="o",
        color=GREEN,
        markersize=4,
    )
    bottom.set(xlabel="sample", ylabel=height, xlim=window[[0, -1]], ylim=(0, None))
    for axes in (top, bottom):
        axes.grid(False)
    figure.align_ylabels()
    return figure


def densest(positions: Floats, samples: int) -> slice:
    """Return the 500 samples of a line of this length that hold most `positions`."""
    starts = np.arange(0, max(samples - SHOWN_SAMPLES, 0) + 1, SHOWN_SAMPLES // 10)
    ordered = np.sort(positions)
    inside = np.searchsorted(ordered, starts + SHOWN_SAMPLES) - np.searchsorted(ordered, starts)
    start = int(starts[inside.argmax()])
    return slice(start, min(start + SHOWN_SAMPLES, samples))


def _inside(positions: Floats, shown: slice) -> NDArray[np.bool_]:
    return (positions >= shown.start) & (positions < shown.stop)


def _draw_line(line: Example, positions: Floats, scale: Scale) -> tuple[Figure, Axes, slice]:
    """RF above, output with threshold below, where most `positions` are.

    Returns:
        The figure, the axes below, and the samples shown.
    """
    shown = densest(positions, len(line.rf))
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=3.1)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1.35))
    window = line.on_axis(np.arange(shown.start, shown.stop))
    top.plot(window, line.rf[shown], color=INK, linewidth=0.8)
    top.set_ylabel(f"RF ({line.unit})")
    top.set_title(line.title, parse_math=False)  # names of files may hold dollar signs
    style.add_depth_axis(top, float(scale.depth_mm(1)), "depth (mm)")
    bottom.plot(window, line.prediction[shown], color=BLUE, label="network output")
    if line.threshold is not None:
        bottom.axhline(line.threshold, color=MUTED, linewidth=0.8, linestyle=":", label="threshold")
    rate_mhz = scale.sampling_rate_hz / 1e6
    bottom.set(
        xlabel=f"sample (at {rate_mhz:g} MHz)", ylabel="output\n(per sample)", xlim=window[[0, -1]]
    )
    for axes in (top, bottom):
        axes.grid(False)
    figure.align_ylabels()
    return figure, bottom, shown
