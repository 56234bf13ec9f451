"""Steps that turn the samples of a file into RF lines; none of them shifts time."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfiltfilt

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError

Samples = NDArray[Any]  # (lines, samples) of float64 or complex128

LEAST_APART = 0.2  # parts of the rate between a band and its fold
FADE_S = 0.5e-6  # at the ends of a region


@dataclass(frozen=True)
class Step:
    """Something that is done to samples (lines, samples), and how a log tells it."""

    text: str
    apply: Callable[[Samples], Samples]


def undo_gain(gain: Floats, source: str) -> Step:
    """Divide samples by the gain (samples,) that the receiver applied to them.

    Raises:
        InputError: a gain that is not above 0.
    """
    if not (np.isfinite(gain).all() and (gain > 0).all()):
        raise InputError(f"the gain in {source} must be above 0 for every sample")
    low, high = 20 * np.log10([gain.min(), gain.max()])
    return Step(f"gain of {low:.1f} to {high:.1f} dB undone ({source})", lambda v: v / gain)


def iq_to_rf(
    modulation_hz: float, rate_hz: float, carrier_start_s: float
) -> tuple[Step, int, float]:
    """Turn complex samples back to RF lines, at a rate that holds their whole band.

    Args:
        modulation_hz: frequency that was shifted to 0.
        rate_hz: of the complex samples.
        carrier_start_s: time of the first sample on the clock of the demodulator.

    Returns:
        The step, the RF samples per complex sample, and the rate of the RF lines.

    Raises:
        InputError: a frequency or rate that is not above 0.
    """
    if not (modulation_hz > 0 and rate_hz > 0):
        raise InputError(
            f"complex samples with a modulation of {modulation_hz:g} Hz, sampled at "
            f"{rate_hz:g} Hz: give modulation_hz= and sampling_rate_hz=, in Hz"
        )
    up = ceil(max(2.5 * (modulation_hz + rate_hz / 2), 4 * modulation_hz) / rate_hz - 1e-9)

    def apply(iq: Samples) -> Samples:
        fine = resample_poly(iq, up, 1, axis=1)
        time_s = carrier_start_s + np.arange(fine.shape[1]) / (up * rate_hz)
        return np.real(fine * np.exp(2j * np.pi * modulation_hz * time_s))

    text = f"IQ at {modulation_hz / 1e6:g} MHz to RF at {up * rate_hz / 1e6:g} MHz"
    return Step(text, apply), up, up * rate_hz


def pairs_to_iq(carrier_hz: float, cycles: int) -> Step:
    """Make complex samples of pairs that are a quarter of the carrier's period apart.

    The first of a pair is the in-phase part, the second, with its sign changed, the quadrature
    part a quarter of a period later; it is interpolated to the time of the first.

    Args:
        cycles: periods of the carrier from one pair to the next.
    """
    up = 4 * cycles  # quarters of a period between pairs

    def apply(volts: Samples) -> Samples:
        length = volts.shape[1] // 2
        late = resample_poly(-volts[:, 1 : 2 * length : 2], up, 1, axis=1, padtype="line")
        quadrature = np.concatenate([late[:, :1], late], axis=1)[:, : up * length : up]
        return volts[:, : 2 * length : 2] + 1j * quadrature

    return Step(f"pairs of samples, a quarter of 1/{carrier_hz / 1e6:g} MHz apart, to IQ", apply)


def undersampled_to_iq(carrier_hz: float, rate_hz: float) -> Step:
    """Make complex samples of RF that was sampled too slowly for it, but not for its band.

    The negative frequencies fold to a place of their own, and are filtered out.

    Raises:
        InputError: they fold onto the band.
    """
    folded = -2 * carrier_hz / rate_hz
    apart = abs(folded - round(folded))  # of the folded carrier, in parts of the rate
    if apart < LEAST_APART:
        raise InputError(
            f"RF of {carrier_hz / 1e6:g} MHz, sampled at {rate_hz / 1e6:g} MHz, folds onto "
            "itself: record at 4/3 or at least 2.75 times its frequency"
        )
    sections = butter(5, apart, output="sos")  # halfway: `butter` counts in halves of the rate

    def apply(volts: Samples) -> Samples:
        time_s = np.arange(volts.shape[1]) / rate_hz
        return 2 * sosfiltfilt(sections, volts * np.exp(-2j * np.pi * carrier_hz * time_s), axis=1)

    text = f"RF sampled at {rate_hz / 1e6:.4g} MHz, below twice its band, to IQ at "
    return Step(f"{text}{carrier_hz / 1e6:g} MHz", apply)


def band_pass(low_hz: float, high_hz: float, rate_hz: float) -> Step:
    """Keep a band: a Butterworth filter that runs forth and back, and so delays nothing.

    Raises:
        InputError: no band, or one that does not end below half the rate.
    """
    band = f"band_mhz=[{low_hz / 1e6:g},{high_hz / 1e6:g}]"
    if not 0 < low_hz < high_hz:
        raise InputError(f"{band}: give two frequencies above 0, the smaller first")
    if high_hz >= rate_hz / 2:
        raise InputError(f"{band} must end below half the sampling rate, {rate_hz / 2e6:g} MHz")
    sections = butter(2, (low_hz, high_hz), "bandpass", fs=rate_hz, output="sos")
    text = f"band-pass of {low_hz / 1e6:g} to {high_hz / 1e6:g} MHz, without delay"
    return Step(text, lambda volts: sosfiltfilt(sections, volts, axis=1))


def region(first: int, last: int, rate_hz: float) -> Step:
    """Keep samples `first` to `last`, faded at both ends, so that cut echoes make no edge."""
    count = last - first
    end = (np.minimum(np.arange(count), np.arange(count)[::-1]) + 0.5) / (FADE_S * rate_hz)
    fade = np.sin(np.pi / 2 * np.minimum(end, 1)) ** 2
    text = f"samples {first} to {last - 1} kept, {1e6 * FADE_S:g} µs faded at both ends"
    return Step(text, lambda volts: volts[:, first:last] * fade)


def rate_ratio(rate_hz: float, wanted_hz: float) -> Fraction:
    """Return the samples at a wanted rate per sample of lines, as `resample` takes it.

    At the end of a line, it is at most a hundredth of a sample off.
    """
    return Fraction(wanted_hz / rate_hz).limit_denominator(1000)


def resample(volts: Float32s, ratio: Fraction) -> Float32s:
    """Change the rate of RF lines (n, L) by a ratio; sample 0 stays where it is.

    Ends are continued by a line through them, so that an offset does not ring there.
    """
    if ratio == 1:
        return volts
    up, down = ratio.numerator, ratio.denominator
    return np.asarray(resample_poly(volts, up, down, axis=1, padtype="line"), dtype=np.float32)
