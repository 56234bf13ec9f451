"""What a recording looks like, and what was found in it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE

LEAST_DB = -70.0  # of a spectrum
MOST_MHZ = 15.0


@style.house_style
def two_lines(
    before: tuple[Floats, Float32s], after: tuple[Floats, Float32s], found_mm: Floats
) -> Figure:
    """Draw a line as it is in its file, and as it is given to the network, with its detections.

    Args:
        before, after: depths in mm and samples (L,).
        found_mm: depths of the detections.
    """
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=2.9)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (depth_mm, volts), colour in zip(panels, (before, after), (MUTED, INK), strict=True):
        axes.plot(depth_mm, volts, color=colour, linewidth=0.4)
        axes.grid(False)
    top = 1.15 * np.abs(after[1]).max() or 1.0
    at = np.full(len(found_mm), top)
    panels[1].plot(found_mm, at, "|", color=GREEN, markersize=5, markeredgewidth=0.6)
    panels[0].set(ylabel="in the file")
    panels[1].set(ylabel="localized", xlabel="depth (mm); detections are ticks")
    figure.align_ylabels()
    return figure


@style.house_style
def spectra(
    before: tuple[Floats, Floats], after: tuple[Floats, Floats], band_mhz: Sequence[float] | None
) -> Figure:
    """Draw mean power spectra, and the band of the lines that the network was trained on.

    Args:
        before, after: frequencies in Hz and power (K,), of the file and as localized.
    """
    figure = style.new_figure(height=2.7)
    axes = figure.subplots()
    if band_mhz is not None:
        label = f"trained on {band_mhz[0]:.1f} to {band_mhz[1]:.1f} MHz"
        axes.axvspan(*band_mhz, color=BLUE, alpha=0.15, linewidth=0, label=label)
    for (frequency_hz, power), colour, width, label in (
        (before, ORANGE, 2.4, "in the file"),
        (after, INK, 0.9, "localized"),
    ):
        level = 10 * np.log10(np.maximum(power / (power[1:].max() or 1.0), 1e-12))
        axes.plot(1e-6 * frequency_hz, level, color=colour, linewidth=width, label=label)
    end = min(MOST_MHZ, 1e-6 * after[0][-1])
    axes.set(xlim=(0, end), ylim=(LEAST_DB, 3), xlabel="frequency (MHz)", ylabel="power (dB)")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.house_style
def rates(per_mm: Floats, per_place: Floats, place: str, first: int) -> Figure:
    """Draw mean detections of a line per mm of depth, and per frame or element.

    Args:
        per_mm: (depths,) from 0 mm on.
        per_place: (frames,) or (elements,).
        place: ``frame`` or ``element``.
        first: number of the first of them.
    """
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=2.2)
    left, right = figure.subplots(1, 2)
    left.stairs(per_mm, np.arange(len(per_mm) + 1), color=BLUE, fill=True)
    left.set(xlabel="depth (mm)", ylabel="detections per line and mm")
    left.set(xlim=(0, len(per_mm)), ylim=(0, 1.1 * per_mm.max() or 1))
    number = first + np.arange(len(per_place))
    right.plot(number, per_place, "o" if len(per_place) < 100 else "-", color=BLUE, markersize=3)
    right.set(xlabel=place, ylabel="detections per line", ylim=(0, 1.1 * per_place.max() or 1))
    right.xaxis.get_major_locator().set_params(integer=True)
    return figure
