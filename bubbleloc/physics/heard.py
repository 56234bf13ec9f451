"""The mean echo of the bubbles of a recording, heard where they are alone in a line.

Echoes are found by their envelope, aligned, and averaged. Their shape follows, but not when they
arrived: the sooner after its arrival an echo has risen, the shorter its rise. This is a rule of
thumb over many setups, see `benchmarks/heard.py`.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.signal import find_peaks

from bubbleloc.arrays import Complexes, Float32s, Floats
from bubbleloc.physics.told import Told, guessed

PER_PERIOD = 32  # samples of an echo
BEFORE, AFTER, RISE = 5, 9, 3  # periods before and after an echo's peak; of its rise, at most
LOUD = 8.0  # times the median of a line's envelope: echoes that stand out
QUIET, LATER = 0.12, 0.4  # of an echo's peak: the most before its rise, and after as long
ALIKE = 0.8  # correlation with the mean echo, at least
FEWEST = 12  # echoes that tell a mean one
PASSES = 4  # of aligning echoes to their mean
BAND = (0.2, 2.2)  # in centre frequencies
LOW, HIGH = 0.05, 0.2  # of its peak: between them lies the foot of an echo
# periods from the arrival to the peak: a constant, and parts of the rises from these levels
ONSET = (0.01, 2.88, -1.76)
BLOCK = 16  # lines at a time


class Heard(NamedTuple):
    """The mean echo, and the number of echoes that it is the mean of."""

    told: Told
    echoes: int


def heard(volts: Float32s, sampling_rate_hz: float) -> Heard | None:
    """Return the mean echo of bubbles that are alone in lines (n, L); None of too few.

    Its arrival is estimated.

    Raises:
        InputError: nothing stands out of the spectrum of the lines.
    """
    found = mean_of_lone(volts, sampling_rate_hz)
    if found is None:
        return None
    mean, echoes, centre_hz = found
    return Heard(_from_arrival(mean, centre_hz), echoes)


def mean_of_lone(volts: Float32s, sampling_rate_hz: float) -> tuple[Complexes, int, float] | None:
    """Return the mean of echoes that are alone in lines (n, L); None of too few.

    Returns:
        The analytic mean (samples,) at `PER_PERIOD`, of how many, and their centre in Hz.
    """
    centre_hz = guessed(volts, sampling_rate_hz).centre_hz
    blocks = (volts[first : first + BLOCK] for first in range(0, len(volts), BLOCK))
    found = [echo for block in blocks for echo in _alone(block, sampling_rate_hz / centre_hz)]
    if len(found) < FEWEST:
        return None
    mean, echoes = _mean(np.array(found))
    return (mean, echoes, centre_hz) if echoes >= FEWEST else None


def _alone(volts: Float32s, per_period: float) -> Iterator[Complexes]:
    """Yield echoes (samples,), analytic and of height 1, around their peaks.

    Args:
        per_period: samples of the lines (n, L) per period of the echoes.
    """
    before, after, rise = (periods * PER_PERIOD for periods in (BEFORE, AFTER, RISE))
    for line in _analytic(volts, per_period):
        envelope = np.abs(line)
        peaks, _ = find_peaks(envelope, height=LOUD * np.median(envelope))
        for peak in peaks[(peaks >= before) & (peaks < len(line) - after)].tolist():
            height = envelope[peak]
            around = envelope[peak - before : peak + after] / height
            is_highest = around.max() <= 1
            is_quiet = around[: before - rise].max() < QUIET
            if is_highest and is_quiet and around[before + rise :].max() < LATER:
                yield line[peak - before : peak + after] / height


def _analytic(volts: Float32s, per_period: float) -> Complexes:
    """Return lines (n, L) in the band of their echoes, at `PER_PERIOD`, silence around them."""
    around = math.ceil(max(BEFORE, AFTER) * per_period)
    level = volts - volts.mean(axis=1, keepdims=True)
    length = fft.next_fast_len(volts.shape[1] + 2 * around, real=True)
    lines = np.zeros((len(volts), length))
    lines[:, around : around + volts.shape[1]] = level
    spectrum = fft.rfft(lines)
    longer = round(length * PER_PERIOD / per_period)
    bins = min(spectrum.shape[1], longer // 2)
    wide = np.zeros((len(volts), longer), np.complex128)
    wide[:, :bins] = (
        2 * (spectrum * _band(np.arange(spectrum.shape[1]) * per_period / length))[:, :bins]
    )
    return np.asarray(fft.ifft(wide, overwrite_x=True))


def _band(frequency: Floats) -> Floats:
    """The gain at frequencies in centre frequencies, with soft edges."""
    low, high = BAND
    rises, falls = (frequency - low) / 0.03, (frequency - high) / 0.05
    return np.asarray(1 / ((1 + np.exp(-rises)) * (1 + np.exp(np.minimum(falls, 500.0)))))


def _mean(echoes: Complexes) -> tuple[Complexes, int]:
    """Return the mean of echoes (n, samples) that are alike, aligned, and their number."""
    size, fine = 2 * echoes.shape[1], 8 * echoes.shape[1]
    spectra = fft.fft(echoes, size)
    norm = np.linalg.norm(spectra, axis=1)
    turn = 2j * np.pi * fft.fftfreq(size)

    def likeness(other: Complexes) -> tuple[Floats, Floats]:
        """How alike each is to another one, and by how many samples it is later."""
        product = spectra * np.conj(other) / (norm[:, None] * np.linalg.norm(other))
        shifted = np.zeros((len(spectra), fine), np.complex128)
        shifted[:, : size // 2] = product[:, : size // 2]  # analytic: no negative frequencies
        lags = fft.ifft(shifted, overwrite_x=True).real * fine
        at = lags.argmax(axis=1)
        return lags.max(axis=1), np.where(at < fine // 2, at, at - fine) * size / fine

    candidates = spectra[:: max(1, len(spectra) // 32)]
    mean = max(candidates, key=lambda one: float(np.median(likeness(one)[0])))
    is_alike = np.ones(len(spectra), bool)
    for _ in range(PASSES):
        alike, late = likeness(mean)
        is_alike = alike > ALIKE
        if not is_alike.any():
            break
        mean = (spectra * np.exp(turn * late[:, None]))[is_alike].mean(axis=0)
    return fft.ifft(mean)[: echoes.shape[1]], int(is_alike.sum())


def onset(echo: Complexes) -> float:
    """Return where an analytic echo (n,) at `PER_PERIOD` seems to arrive, in samples."""
    peak, (low, high) = rises(echo)
    constant, of_low, of_high = ONSET
    return peak - (constant * PER_PERIOD + of_low * low + of_high * high)


def rises(echo: Complexes) -> tuple[int, tuple[float, float]]:
    """Return the peak of an analytic echo (n,), and the samples to it from `LOW` and `HIGH`."""
    envelope = np.abs(echo)
    peak = int(envelope.argmax())
    relative = envelope / envelope[peak]
    return peak, (_rise(relative, peak, LOW), _rise(relative, peak, HIGH))


def _rise(envelope: Floats, peak: int, level: float) -> float:
    """Return the samples from a level to the peak."""
    below = np.flatnonzero(envelope[:peak] <= level)
    if not len(below):
        return float(peak)
    last = int(below[-1])
    part = (level - envelope[last]) / (envelope[last + 1] - envelope[last])
    return float(peak - last - part)


def _from_arrival(mean: Complexes, centre_hz: float) -> Told:
    """Return a mean echo (n,) from its arrival on, its end faded."""
    first = max(onset(mean), 0.0)
    size = 2 * len(mean)
    turn = np.exp(2j * np.pi * fft.fftfreq(size) * first)
    samples = len(mean) - math.ceil(first)
    echo = fft.ifft(fft.fft(mean, size) * turn).real[:samples]
    to_end = np.minimum(np.arange(samples)[::-1] / (2 * PER_PERIOD), 1)
    return Told(echo * np.sin(np.pi / 2 * to_end) ** 2, PER_PERIOD * centre_hz)
