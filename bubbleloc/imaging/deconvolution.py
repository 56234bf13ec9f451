"""Lines in which the mean echo of a bubble has become a short pulse at its arrival."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft
from scipy.stats import norm

from bubbleloc.arrays import Complexes, Float32s, Floats
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.echoes import WEAKEST, Echo, compensated

EPSILONS = (1e-5, 1e-4, 1e-3)  # of the filters, the sharpest first
NOISES = 5  # standard deviations of noise, at least, of the weakest bubble
QUIETER = 0.8  # of the noise, at most, must be left for a filter to be worth its wider pulses
SEEN = 4  # every which sample the noise is measured in
PHASES = 8  # per sample, of a pulse between samples
TAIL = 1e-2  # of the peak of a pulse: where it stays below, it is left out
LONG = 16  # lengths of an echo that a pulse may have


@dataclass(frozen=True, eq=False)
class Pulse:
    """What a filter makes of the mean echo.

    Attributes:
        fine: (n,) ``PHASES`` values per sample; the arrival, and the peak of 1, in the middle.
    """

    fine: Floats

    @property
    def half(self) -> int:
        """Samples from the middle to either end."""
        return len(self.fine) // 2 // PHASES

    @property
    def half_width(self) -> float:
        """Samples from the peak to where it has fallen to a half."""
        after = self.fine[len(self.fine) // 2 :]
        return float(np.argmax(after < 0.5) / PHASES)

    @property
    def bend(self) -> float:
        """Minus the second derivative at the peak, per sample²."""
        before, top, after = self.fine[len(self.fine) // 2 + PHASES * np.array([-1, 0, 1])]
        return float(2 * top - before - after)

    @cached_property
    def table(self) -> Float32s:
        """The pulse (PHASES + 1, 2·half + 2) at samples around an arrival.

        Row p, column i is its value at i − half − p / PHASES samples from the arrival.
        """
        before = np.arange(PHASES + 1)[:, None]
        at = PHASES * np.arange(2 * self.half + 2) - before + PHASES
        return np.pad(self.fine, PHASES)[at].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Deconvolved:
    """Filtered lines.

    Attributes:
        lines: (E, n); a bubble of the mean echo is a pulse of peak 1.
        pulse: that pulse.
    """

    lines: Float32s
    pulse: Pulse

    @property
    def noise(self) -> float:
        """Standard deviation of the mean over elements, by the median of the lines' magnitude.

        Where bubbles crowd, they count as noise, until they are taken from the lines.
        """
        median = float(np.median(np.abs(self.lines[:, ::SEEN])))
        return median / norm.ppf(0.75) / len(self.lines) ** 0.5

    @property
    def weakest(self) -> float:
        """Part of the mean echo that a bubble must have to stand out."""
        return max(WEAKEST, NOISES * self.noise)


@dataclass(frozen=True, eq=False)
class Deconvolution:
    """Wiener's filter of an array's lines by the mean echo: H*/(|H|² + ε·max|H|²).

    Echoes are compensated for spreading first. The smaller ε, the sharper are the pulses, and the
    louder is the noise. The sharpest of `EPSILONS` is taken in which the noise hides no bubble of
    `WEAKEST` times the mean echo, unless the next one is hardly quieter: the lines are full of
    bubbles then, not of noise.

    Attributes:
        region: of the echoes that the filtered lines hold.
    """

    array: Array
    region: Region
    echo: Echo

    def __call__(self, rf: Float32s) -> Deconvolved:
        """Filter lines (E, L) into those (E, n) of `lines_array`."""
        spectrum = fft.rfft(self._piece(rf), self._length, axis=1)
        first, stop = self._window
        samples = stop - first - len(self.echo.volts)
        best = None
        for inverse, pulse in zip(self._filters, self.pulses, strict=True):
            lines = fft.irfft(spectrum * inverse, self._length, axis=1)[:, :samples]
            sharp = Deconvolved(np.ascontiguousarray(lines), pulse)
            if best is not None and sharp.noise > QUIETER * best.noise:
                break
            best = sharp
            if best.weakest == WEAKEST:
                break
        assert best is not None
        return best

    @cached_property
    def lines_array(self) -> Array:
        """The array of the filtered lines, which start later."""
        return self.array.later(-self._window[0])

    @cached_property
    def pulses(self) -> list[Pulse]:
        """One per filter."""
        length = fft.next_fast_len(LONG * len(self.echo.volts), real=True)
        return [_pulse(fft.rfft(self.echo.volts, length), epsilon) for epsilon in EPSILONS]

    @cached_property
    def _filters(self) -> list[Complexes]:
        spectrum = fft.rfft(self.echo.volts, self._length)
        return [_inverse(spectrum, epsilon).astype(np.complex64) for epsilon in EPSILONS]

    @cached_property
    def _window(self) -> tuple[int, int]:
        """First sample of the lines that is filtered, and the one after the last."""
        first, last = self.array.sample_range(self.region)
        half = max(pulse.half for pulse in self.pulses)
        return first - half, last + half + 1 + len(self.echo.volts)

    @cached_property
    def _length(self) -> int:
        """Of the transform of a line: the filter, longer than the pulse, is circular."""
        first, stop = self._window
        return int(fft.next_fast_len(stop - first + len(self.echo.volts), real=True))

    def _piece(self, rf: Float32s) -> Float32s:
        """The window of lines, compensated; what lies outside a line is zero."""
        first, stop = self._window
        start, end = max(first, 0), min(stop, rf.shape[1])
        piece = np.zeros((len(rf), stop - first), np.float32)
        if start < end:
            array = self.array.later(self.echo.centre)
            cut = compensated(rf[:, start:end], array, self.echo.distance_m, start)
            piece[:, start - first : end - first] = cut
        return piece


def _inverse(spectrum: Complexes, epsilon: float) -> Complexes:
    """The filter, scaled such that the pulse of the echo has a peak of 1."""
    power = np.abs(spectrum) ** 2
    inverse = np.conj(spectrum) / (power + epsilon * power.max())
    return np.asarray(inverse / fft.irfft(spectrum * inverse)[0])


def _pulse(spectrum: Complexes, epsilon: float) -> Pulse:
    length = PHASES * 2 * (len(spectrum) - 1)
    fine = PHASES * fft.irfft(spectrum * _inverse(spectrum, epsilon), length)
    fine = np.roll(fine, length // 2)
    far = np.abs(np.flatnonzero(np.abs(fine) > TAIL) - length // 2).max()
    half = PHASES * -(-far // PHASES)
    return Pulse(fine[length // 2 - half : length // 2 + half + 1])
