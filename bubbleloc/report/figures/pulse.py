"""The pulse of a setup, its spectrum in the band of the transducer, and how well it compresses."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bubbleloc.arrays import Floats
from bubbleloc.physics import Setup, matched_filter, propagate, unit_pulse
from bubbleloc.physics.band import levels
from bubbleloc.physics.waveforms import waveform_of
from bubbleloc.report.figures import style
from bubbleloc.report.figures.style import BLUE, INK, MUTED, ORANGE

_LOWEST_DB = -50.0
_HARMONICS = 4.5
"""Spectra reach to this multiple of the drive frequency."""
_FFT_SAMPLES = 2**14  # more than any signal has, so that spectra are smooth curves
_PALE = "#c4c4c4"


@style.house_style
def pulse_figure(setup: Setup, pressure_pa: float, depth_m: float) -> Figure:
    """Drive, pulse as transmitted and at a depth, their spectra in the band, autocorrelation."""
    figure = style.new_figure(height=6.4)
    rows = figure.add_gridspec(4, 1, height_ratios=(0.7, 1, 1.2, 0.8))
    top, bottom, drive, long = (figure.add_subplot(rows[place]) for place in (1, 2, 0, 3))
    sent, transmitted = waveform_of(setup), pressure_pa * unit_pulse(setup)[0]
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
    drive.set_title(
        f"{sent.name}: {1e-3 * pressure_pa:.0f} kPa at {1e-6 * setup.frequency_hz:g} MHz"
    )
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


def _draw_band(axes: Axes, setup: Setup) -> None:
    """Draw transmit and receive response, in dB below their maximum."""
    frequency_hz = np.linspace(0, _HARMONICS * setup.frequency_hz, 500)
    probe = setup.transducer
    for response, line, name in (
        (probe.transmit, "--", "transmit"),
        (probe.receive, "-.", "receive"),
    ):
        magnitude = np.abs(response(frequency_hz))
        level_db = 20 * np.log10(np.maximum(magnitude / magnitude.max(), 1e-9))
        axes.plot(
            1e-6 * frequency_hz,
            level_db,
            line,
            color=ORANGE,
            linewidth=0.9,
            label=f"{name} response",
        )


def _draw_autocorrelation(axes: Axes, setup: Setup) -> None:
    """Draw what compression makes of the received pulse."""
    pulse = matched_filter(setup)
    compressed = np.correlate(pulse, pulse, "full")
    lag_us = 1e6 * (np.arange(len(compressed)) - len(pulse) + 1) / setup.sampling_rate_hz
    axes.plot(lag_us, compressed / compressed.max(), color=INK, linewidth=0.9)
    reach_us = 1e6 * waveform_of(setup).duration_s + 1
    axes.set(xlabel="lag (µs)", xlim=(-reach_us, reach_us))
    axes.set_title("autocorrelation of the received pulse")


def times_us(samples: int, setup: Setup) -> Floats:
    """Times (samples,) in µs at the simulation rate."""
    return np.asarray(np.arange(samples) * (1e6 / setup.simulation_rate_hz), dtype=np.float64)


def draw_spectrum(axes: Axes, signal: Floats, rate_hz: float, **looks: Any) -> None:
    """Draw the magnitude of a signal's (n,) spectrum in dB below its own maximum."""
    samples = max(_FFT_SAMPLES, len(signal))
    magnitude = np.abs(np.fft.rfft(signal, samples))
    level_db = 20 * np.log10(np.maximum(magnitude / magnitude.max(), 1e-9))
    axes.plot(1e-6 * np.fft.rfftfreq(samples, 1 / rate_hz), level_db, **looks)


def finish_spectrum(axes: Axes, setup: Setup) -> None:
    """Mark the fundamental and its second harmonic, and name the axes."""
    drive_mhz = 1e-6 * setup.frequency_hz
    for order, name, side in ((1, "fundamental", "right"), (2, "second harmonic", "left")):
        axes.axvline(order * drive_mhz, color=MUTED, linewidth=0.8, linestyle=":")
        axes.text(order * drive_mhz, 4, name, color=MUTED, fontsize=7, ha=side)
    axes.set(
        xlabel="frequency (MHz)",
        ylabel="level (dB)",
        xlim=(0, _HARMONICS * drive_mhz),
        ylim=(_LOWEST_DB, 2),
    )
