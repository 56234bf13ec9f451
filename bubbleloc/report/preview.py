"""Pictures of what the settings of a dataset mean, before anything is simulated for hours."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.physics import (
    BubbleResponse,
    RFLine,
    Scene,
    Setup,
    bubble_response,
    draw_scene,
    matched_filter,
    propagate,
    simulate_rf,
    typical_lag_samples,
    unit_pulse,
)
from bubbleloc.physics.pulse import levels, warn_of
from bubbleloc.physics.scene import draw_radii
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, save_figure

PRESSURE_PA = 100e3  # within the 5–250 kPa of the scenes, enough for a clear second harmonic
BUBBLES = 12  # few enough to see each echo
RADII = 1001  # to take the middle one of
_ZOOM_S = 12.2e-6  # and the pulse
_SILENCE_S = 3.4e-6  # and the pulse: an echo is over
_LOWEST_DB = -50.0
_HARMONICS = 4.5
"""Spectra reach to this multiple of the drive frequency."""
_FFT_SAMPLES = 2**14  # more than any signal has, so that spectra are smooth curves
_PALE = "#c4c4c4"


def preview(plan: DatasetPlan) -> Path:
    """Draw pulse, one bubble and a sparse RF line of a dataset's settings; return the folder.

    The bubble is of the plan's median radius, at half the depth of the record.

    Raises:
        InputError: settings that make no sense.
    """
    setup, folder = plan.setup(), Path(plan.folder) / "preview"
    if plan.settings.setups != "one":
        raise InputError("preview=true: of data.setups=one alone; leave data.setups out")
    warn_of(setup)
    rng = np.random.default_rng(plan.settings.seed)
    radius_m = float(np.median(draw_radii(rng, plan.population, RADII)))
    depth_m = setup.depth_m / 2
    shell = "no shell" if setup.shell == "none" else f"{str(setup.shell).capitalize()} shell"
    where = f"{shell}, {1e-3 * PRESSURE_PA:.0f} kPa"
    one = f"{1e6 * radius_m:.2g} µm, {where}, {1e3 * depth_m:.0f} mm deep"
    bubble, linear = (
        bubble_response(radius_m, depth_m, PRESSURE_PA, alternative)
        for alternative in (setup, replace(setup, bubble="linear"))
    )
    alone = Scene(np.array([depth_m]), np.zeros(1), np.array([radius_m]), PRESSURE_PA)
    few = draw_scene(
        rng,
        plan.population,
        count=(BUBBLES, BUBBLES),
        pressure_pa=(PRESSURE_PA, PRESSURE_PA),
        depth_m=setup.depth_m,
        width_m=setup.probe.aperture_m,
    )
    line, lag = simulate_rf(few, setup), typical_lag_samples(rng, plan.population, setup)
    figures = {
        "pulse": pulse_figure(setup, PRESSURE_PA, depth_m),
        "bubble": bubble_figure(one, bubble, linear, simulate_rf(alone, setup), setup),
        "rf_line": arrivals_figure(f"{BUBBLES} bubbles, {where}", line, lag, setup),
    }
    for name, figure in figures.items():
        save_figure(figure, folder, name)
    return folder


@style.house_style
def pulse_figure(setup: Setup, pressure_pa: float, depth_m: float) -> Figure:
    """Drive, pulse as transmitted and at a depth, their spectra in the band, autocorrelation."""
    figure = style.new_figure(height=6.4)
    rows = figure.add_gridspec(4, 1, height_ratios=(0.7, 1, 1.2, 0.8))
    top, bottom, drive, long = (figure.add_subplot(rows[row]) for row in (1, 2, 0, 3))
    sent, transmitted = setup.sent, pressure_pa * unit_pulse(setup)[0]
    at_depth = np.sum(propagate(depth_m, pressure_pa, setup), axis=0)[0]
    pulses = (
        (transmitted, _PALE, 3.0, "transmitted"),
        (at_depth, BLUE, 1.2, f"{1e3 * depth_m:.0f} mm deep"),
    )
    time_us = times_us(len(transmitted), setup)
    for pressure, colour, width, name in pulses:
        top.plot(time_us, 1e-3 * pressure, color=colour, linewidth=width, label=name)
        draw_spectrum(bottom, pressure, setup.simulation_rate_hz, color=colour, linewidth=width)
    last_us = 1.25 * time_us[np.flatnonzero(np.abs(transmitted) > 0.01 * pressure_pa)[-1]]
    drive.plot(times_us(len(sent.drive), setup), sent.drive, color=INK, linewidth=0.9)
    drive.set(ylabel="pressure" if sent.is_pressure else "drive", xlim=(0, last_us))
    drive.tick_params(labelbottom=False)
    drive.set_title(f"{sent.name}: {1e-3 * pressure_pa:.0f} kPa at {1e-6 * setup.carrier_hz:g} MHz")
    top.set(xlabel="time (µs)", ylabel="pressure (kPa)", xlim=(0, last_us))
    top.locator_params(axis="x", nbins=6)
    _draw_band(bottom, setup)
    finish_spectrum(bottom, setup)
    words = str(levels(setup)).replace("; ", "\n")
    bottom.set_title(f"at {words}", fontsize=7, fontweight="normal", pad=14)
    _draw_autocorrelation(long, setup)
    figure.align_ylabels()
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@style.house_style
def bubble_figure(
    title: str, bubble: BubbleResponse, linear: BubbleResponse, line: RFLine, setup: Setup
) -> Figure:
    """R(t) of one bubble, the sound it scatters, and the spectra of that and of its RF line.

    Args:
        bubble, linear: the responses of this bubble and of a linear one, a row each.
        line: the RF line of the bubble alone.
    """
    figure = style.new_figure(height=4.8)
    wall, sound, spectrum = figure.subplots(3, 1, height_ratios=(1, 1, 1.15))
    time_us = times_us(bubble.time_s.shape[1], setup)
    wall.axhline(1e6 * bubble.radius_m[0, 0], color=MUTED, linewidth=0.8, linestyle=":")
    wall.plot(time_us, 1e6 * bubble.radius_m[0], color=GREEN, label="radius of the bubble")
    wall.set(ylabel="radius (µm)", title=title)
    wall.tick_params(labelbottom=False)
    sound.plot(time_us, bubble.scattered_pa[0], color=INK)
    sound.set(ylabel="echo at\n1 mm (Pa)", xlabel="time since the pulse reached the bubble (µs)")
    emitted, received = bubble.scattered_pa[0], np.asarray(line.volts, dtype=np.float64)
    draw_spectrum(spectrum, emitted, setup.simulation_rate_hz, color=INK, label="echo at 1 mm")
    dashed = {"color": ORANGE, "linestyle": "--", "label": "received"}
    draw_spectrum(spectrum, received, line.sampling_rate_hz, **dashed)
    thin = {"color": BLUE, "linewidth": 0.8, "label": "echo of a linear bubble"}
    wall.plot(time_us, 1e6 * linear.radius_m[0], color=BLUE, linewidth=0.8)
    sound.plot(time_us, linear.scattered_pa[0], color=BLUE, linewidth=0.8)
    draw_spectrum(spectrum, linear.scattered_pa[0], setup.simulation_rate_hz, **thin)
    wall.set_xlim(0, time_us[-1])
    sound.set_xlim(0, time_us[-1])
    finish_spectrum(spectrum, setup)
    figure.align_ylabels()
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@style.house_style
def arrivals_figure(title: str, line: RFLine, lag_samples: float, setup: Setup) -> Figure:
    """A sparse RF line with the arrivals of its bubbles marked, whole and in part.

    Echoes typically peak `lag_samples` after their arrival.
    """
    figure = style.new_figure(width=2 * style.COLUMN_INCHES, height=3.7)
    whole, part = figure.subplots(2, 1, height_ratios=(1, 1.3))
    first, stop = _part_to_show(line, setup.sent.duration_s)
    _draw_arrivals(whole, line, 0, len(line.volts))
    _draw_arrivals(part, line, first, stop)
    whole.axvspan(first, stop, color=BLUE, alpha=0.12, linewidth=0)
    whole.set_title(title)
    style.add_depth_axis(whole, float(setup.scale.depth_mm(1)), "depth (mm)")
    part.set_xlabel(f"sample (at {1e-6 * line.sampling_rate_hz:g} MHz)")
    part.set_title("the shaded part")
    _mark_lag(part, line, lag_samples, first)
    figure.align_ylabels()
    figure.legend(*part.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _draw_arrivals(axes: Axes, line: RFLine, first: int, stop: int) -> None:
    """Draw samples `first` to `stop` of a line above a row of its bubbles' arrivals."""
    samples, volts = np.arange(first, stop), line.volts[first:stop]
    axes.plot(samples, volts, color=INK, linewidth=0.8, label="RF line")
    loudest = float(np.abs(volts).max())
    here = line.arrival_sample[(line.arrival_sample >= first) & (line.arrival_sample < stop)]
    height = np.full(len(here), -1.5 * loudest)
    axes.plot(here, height, "^", color=BLUE, markersize=5, label="arrival of an echo")
    axes.set(ylabel="RF (V)", xlim=(first, stop - 1), ylim=(-1.9 * loudest, 1.7 * loudest))
    axes.grid(False)


def _part_to_show(line: RFLine, pulse_s: float) -> tuple[int, int]:
    """Ends of the part with most arrivals among those that begin with a first echo in silence."""
    length = min(round((_ZOOM_S + pulse_s) * line.sampling_rate_hz), len(line.volts))
    arrivals = np.sort(line.arrival_sample)
    silence = (_SILENCE_S + pulse_s) * line.sampling_rate_hz
    alone = arrivals[np.diff(arrivals, prepend=-np.inf) > silence]
    last = np.searchsorted(arrivals, alone + 0.6 * length)  # room for the last echo
    start = alone[(last - np.searchsorted(arrivals, alone)).argmax()]
    first = min(max(int(start) - length // 10, 0), len(line.volts) - length)
    return first, first + length


def _mark_lag(axes: Axes, line: RFLine, lag_samples: float, first: int) -> None:
    """Draw how far behind its arrival the first echo shown peaks."""
    start = float(line.arrival_sample[line.arrival_sample >= first].min())
    low, high = axes.get_ylim()
    peak, height = start + lag_samples, 0.82 * high
    arrow = {"arrowstyle": "-|>", "color": BLUE, "shrinkA": 0, "shrinkB": 0, "linewidth": 0.9}
    axes.annotate("", (peak, height), (start, height), arrowprops=arrow)
    bottoms = (low * 1.5 / 1.9, 0.0)  # at the marker, and in the echo
    axes.vlines((start, peak), bottoms, height, color=BLUE, linewidth=0.7, linestyle=":")
    words = f"echoes peak about {lag_samples:.0f} samples after their arrival"
    axes.text(start + 4, 1.04 * height, words, color=BLUE, fontsize=7, va="bottom")


def _draw_band(axes: Axes, setup: Setup) -> None:
    """Draw transmit and receive response, in dB below their maximum."""
    frequency_hz = np.linspace(0, _HARMONICS * setup.carrier_hz, 500)
    responses = {"transmit": (setup.probe.transmit, "--"), "receive": (setup.probe.receive, "-.")}
    for name, (response, line) in responses.items():
        level_db, label = _decibels(response(frequency_hz)), f"{name} response"
        axes.plot(1e-6 * frequency_hz, level_db, line, color=ORANGE, linewidth=0.9, label=label)


def _decibels(spectrum: ArrayLike) -> Floats:
    """Return the magnitude of a spectrum in dB below its maximum."""
    magnitude = np.abs(spectrum)
    level_db: Floats = 20 * np.log10(np.maximum(magnitude / magnitude.max(), 1e-9))
    return level_db


def _draw_autocorrelation(axes: Axes, setup: Setup) -> None:
    """Draw what compression makes of the received pulse."""
    pulse = matched_filter(setup)
    compressed = np.correlate(pulse, pulse, "full")
    lag_us = 1e6 * (np.arange(len(compressed)) - len(pulse) + 1) / setup.sampling_rate_hz
    axes.plot(lag_us, compressed / compressed.max(), color=INK, linewidth=0.9)
    reach_us = 1e6 * setup.sent.duration_s + 1
    axes.set(xlabel="lag (µs)", xlim=(-reach_us, reach_us))
    axes.set_title("autocorrelation of the received pulse")


def times_us(samples: int, setup: Setup) -> Floats:
    """Times (samples,) in µs at the simulation rate."""
    return np.asarray(np.arange(samples) * (1e6 / setup.simulation_rate_hz), dtype=np.float64)


def draw_spectrum(axes: Axes, signal: Floats, rate_hz: float, **looks: Any) -> None:
    """Draw the magnitude of a signal's (n,) spectrum in dB below its own maximum."""
    samples = max(_FFT_SAMPLES, len(signal))
    frequency_mhz = 1e-6 * np.fft.rfftfreq(samples, 1 / rate_hz)
    axes.plot(frequency_mhz, _decibels(np.fft.rfft(signal, samples)), **looks)


def finish_spectrum(axes: Axes, setup: Setup) -> None:
    """Mark the fundamental and its second harmonic, and name the axes."""
    drive_mhz = 1e-6 * setup.carrier_hz
    for order, name, side in ((1, "fundamental", "right"), (2, "second harmonic", "left")):
        axes.axvline(order * drive_mhz, color=MUTED, linewidth=0.8, linestyle=":")
        axes.text(order * drive_mhz, 4, name, color=MUTED, fontsize=7, ha=side)
    axes.set(
        xlabel="frequency (MHz)",
        ylabel="level (dB)",
        xlim=(0, _HARMONICS * drive_mhz),
        ylim=(_LOWEST_DB, 2),
    )
