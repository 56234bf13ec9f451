"""How RF lines look: what tells the lines that a network knows from others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bubbleloc.arrays import Complexes, Float32s, Floats
from bubbleloc.nn.scaling import CUTOFF_HZ

# Where no source is named, a value was chosen by what `benchmarks/likeness.py` then told apart.
WINDOW_S = 16.384e-6  # of a spectrum: 1024 samples at 62.5 MHz; windows overlap by three quarters
SHORTEST_S = 2 * WINDOW_S  # of a line
FEWEST_LINES = 50  # that tell a range: the range of n draws holds (n − 1)/(n + 1) of others, 96 %
LEAST_HZ = CUTOFF_HZ  # networks do not see lower frequencies
NOISE_HZ = (6e6, 12e6)  # above the second harmonic that a P4-1 (1 to 4 MHz) receives
BANDS_HZ = 1e6 * np.arange(0.5, 6.0, 0.5)  # from drift to the noise: the band of a P4-1 and more
BAND_HZ = 0.5e6  # eight frequencies of a spectrum, so that its ripple averages out
FLOOR_DB = -50.0  # rounding to integers and leakage of the window lie below
PAIRS_HZ = (0.8e6, 2.6e6)  # around 1.7 MHz, whose sums are the second harmonic
BLOCK = 3  # neighbouring frequencies that are taken together, 0.18 MHz: fewer numbers to compare
MARGIN = 0.1  # of a range, on either side, for lines that are a little beyond those measured
FAINT = ("share_db@5", "share_db@5.5")  # features that faint noise raises, before `NOISY` ones
SHAPE = ("polarity", "direction")  # of echoes: likenesses, of which none is too high
NOISY = ("noise_db", "share_db@0.5")  # features that noise raises, and other pulses do not
SHRINK = 1.0  # of the covariance of bispectra towards a multiple of one, for few lines
SLACK = {"clipped": 3.0, "noise_db": 0.5, "share_db": 0.5}  # added to the margin of narrow ranges
Lines = Floats | Float32s
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Likeness:
    """Ranges of `features` over lines, and what to compare bispectra with.

    Attributes:
        ranges: the lowest and highest value of every feature.
        quiet: the ranges of the same lines without their noise; they hold for quiet lines.
        phases: the template (K,) of `bispectrum`, see `_templates`.
    """

    ranges: Ranges
    quiet: Ranges
    phases: Complexes

    @classmethod
    def of_lines(
        cls, blocks: Iterable[Lines], rate_hz: float, noisy: Iterable[Lines] | None = None
    ) -> Self | None:
        """Measure blocks of lines (n, L); None if they are too short or fewer than 50.

        Args:
            noisy: the lines with the noise of the training.
        """
        values, phases = _measure_all(blocks, rate_hz)
        if len(phases) < FEWEST_LINES:
            return None
        templates = _templates(phases)
        quiet = _ranges(values | _similar(phases, templates))
        # below zero, a line is more like its opposite, as one with a few weak echoes may be
        quiet |= {name: (max(0.0, quiet[name][0]), quiet[name][1]) for name in SHAPE}
        if noisy is None:
            return cls(quiet, quiet, templates)
        values, phases = _measure_all(noisy, rate_hz)
        ranges = _ranges(values | _similar(phases, templates))
        quiet |= {name: (quiet[name][0], ranges[name][1]) for name in FAINT if name in quiet}
        return cls(ranges, quiet, templates)

    def compare(
        self, blocks: Iterable[Lines], rate_hz: float
    ) -> tuple[dict[str, Floats], dict[str, Any]]:
        """Return the features (n,) of blocks of lines, and whether each is outside its range.

        Lines that are too short, constant or zero are left out.
        """
        features, phases = _measure_all(blocks, rate_hz)
        if not len(phases):
            return {}, {}
        features |= _similar(phases, self.phases)
        names = self.ranges.keys() & features.keys()
        is_noisy = self.is_noisy(features)
        both = (self.ranges, self.quiet)
        outside = {
            name: np.where(is_noisy, *(_outside(name, features[name], r) for r in both))
            for name in names
        }
        return features, outside

    def is_noisy(self, features: Mapping[str, Floats]) -> Any:
        """Return whether lines with `features` (n,) are noisier than the quiet ones."""
        raised = [_outside(name, features[name], self.quiet) for name in NOISY if name in features]
        return np.any(raised, axis=0)

    def plain(self) -> dict[str, Any]:
        """Return plain data, for a card."""
        ranges, quiet = (
            {name: [round(end, 3) for end in ends] for name, ends in part.items()}
            for part in (self.ranges, self.quiet)
        )
        phases = " ".join(f"{phase:.3f}" for phase in self.phases)
        return {"ranges": ranges, "quiet": quiet, "phases": phases}

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> Self:
        """Return what `plain` was made of.

        Raises:
            ValueError, LookupError, TypeError, AttributeError: other data.
        """
        ranges, quiet = (
            {str(name): _ends(pair) for name, pair in content[part].items()}
            for part in ("ranges", "quiet")
        )
        phases = np.array([complex(phase) for phase in content["phases"].split()])
        return cls(ranges, quiet, phases)


def _ends(pair: str | list[float]) -> tuple[float, float]:
    """Return the ends of a range; older cards hold the text ``low to high``."""
    low, high = pair.split(" to ") if isinstance(pair, str) else pair
    return float(low), float(high)


def _ranges(values: Mapping[str, Floats]) -> dict[str, tuple[float, float]]:
    return {name: (float(v.min()), float(v.max())) for name, v in values.items()}


def _outside(name: str, value: Floats, ranges: Ranges) -> Any:
    low, high = ranges[name]
    margin = MARGIN * (high - low) + SLACK.get(name.split("@")[0], 0.0)
    below = (value < low - margin) & (name not in ("clipped", "noise_db"))
    return below | ((value > high + margin) & (name not in SHAPE))


def _measure_all(blocks: Iterable[Lines], rate_hz: float) -> tuple[dict[str, Floats], Complexes]:
    parts = [part for part in (_measure(lines, rate_hz) for lines in blocks) if len(part[1])]
    if not parts:
        return {}, np.zeros((0, 0), dtype=complex)
    values = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    return values, np.concatenate([part[1] for part in parts])


def _measure(lines: Lines, rate_hz: float) -> tuple[dict[str, Floats], Complexes]:
    """Return features (n,) and bispectra (n, K) of the lines (n, L) that can be measured."""
    level: Floats = np.asarray(lines, dtype=np.float64)
    level = level - level.mean(axis=1, keepdims=True)
    level = level[np.abs(level).max(axis=1, initial=0.0) > 0]
    window = round(WINDOW_S * rate_hz)
    if level.shape[1] < 2 * window or not len(level):
        return {}, np.zeros((0, 0), dtype=complex)
    pieces = np.lib.stride_tricks.sliding_window_view(level, window, axis=1)[:, :: window // 4]
    pieces = (pieces - pieces.mean(axis=2, keepdims=True)) * np.hanning(window)
    spectra = np.fft.rfft(pieces, axis=2)
    frequency_hz: Floats = np.asarray(np.fft.rfftfreq(window, 1 / rate_hz), dtype=np.float64)
    return features(level, spectra, frequency_hz), bispectrum(spectra, frequency_hz)


def features(lines: Floats, spectra: Complexes, frequency_hz: Floats) -> dict[str, Floats]:
    """Return what is measured of lines (n, L) without offset, and of their pieces' spectra.

    ``low_mhz``, ``mid_mhz``, ``high_mhz``: below them lie 5, 50 and 95 % of the power;
    ``noise_db``: power of white noise of the density at 6 to 12 MHz; ``share_db@2.5``: power from
    2.5 MHz on, 0.5 MHz wide; both in dB of the line's power. ``crest_db``: peak over RMS.
    ``clipped``: samples within 1 % of the peak.
    """
    power = (np.abs(spectra) ** 2).mean(axis=1)
    power[:, frequency_hz < LEAST_HZ] = 0
    total = power.sum(axis=1)
    below = np.cumsum(power, axis=1) / total[:, None]
    values = {
        name: 1e-6 * frequency_hz[np.argmax(below >= share, axis=1)]
        for name, share in (("low_mhz", 0.05), ("mid_mhz", 0.5), ("high_mhz", 0.95))
    }
    top_hz = 0.9 * frequency_hz[-1]
    quiet = (frequency_hz >= NOISE_HZ[0]) & (frequency_hz <= min(NOISE_HZ[1], top_hz))
    if quiet.any():
        noise = np.median(power[:, quiet], axis=1) * np.sum(frequency_hz >= LEAST_HZ)
        values["noise_db"] = _decibel(noise / total)
    for low_hz in BANDS_HZ[top_hz >= BANDS_HZ + BAND_HZ]:
        band = (frequency_hz >= low_hz) & (frequency_hz < low_hz + BAND_HZ)
        values[f"share_db@{1e-6 * low_hz:g}"] = _decibel(power[:, band].sum(axis=1) / total)
    peak = np.abs(lines).max(axis=1, keepdims=True)
    rms = np.sqrt(np.mean(lines**2, axis=1))
    values["crest_db"] = 20 * np.log10(peak[:, 0] / rms)
    values["clipped"] = np.sum(np.abs(lines) > 0.99 * peak, axis=1).astype(np.float64)
    return values


def bispectrum(spectra: Complexes, frequency_hz: Floats) -> Complexes:
    """Return the normalized bispectrum (n, K) of pieces (n, pieces, frequencies) of lines.

    Its phase tells how the harmonics of an echo stand to each other, wherever the echo is: it turns
    with the shape of the pulse, with polarity and with the direction of time.
    """
    first, last = np.searchsorted(frequency_hz, PAIRS_HZ)
    blocks = (last - first) // BLOCK
    index = first + np.arange(blocks * BLOCK)
    loudness = np.sqrt((np.abs(spectra[:, :, : 2 * last]) ** 2).sum(axis=2, keepdims=True))
    spectra = spectra / np.where(loudness > 0, loudness, 1.0)  # near and far echoes count alike
    power = (np.abs(spectra) ** 2).mean(axis=1, keepdims=True)
    spectra = spectra / np.sqrt(power + 1e-6 * power.max(axis=2, keepdims=True))
    one, both = spectra[:, :, index], spectra[:, :, index[:, None] + index].conj()
    pairs = np.einsum("npi,npj,npij->nij", one, one, both) / spectra.shape[1]
    pairs = pairs.reshape(-1, blocks, BLOCK, blocks, BLOCK).mean(axis=(2, 4))
    upper = np.triu_indices(blocks)
    return np.asarray(pairs[:, upper[0], upper[1]])


def _templates(phases: Complexes) -> Complexes:
    """Return what tells bispectra (n, K) of lines from those of other polarity or direction.

    Real and imaginary parts are taken apart, because time backwards turns only the latter over.
    Each is the mean over the covariance: Fisher's discriminant between lines and their opposite.
    """
    phases = phases / _size(phases)

    def discriminant(values: Floats) -> Floats:
        covariance = np.cov(values.T)
        covariance += SHRINK * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        direction = np.linalg.solve(covariance, values.mean(axis=0))
        return np.asarray(direction / np.linalg.norm(direction))

    return np.asarray(discriminant(phases.real) + 1j * discriminant(phases.imag))


def _similar(phases: Complexes, templates: Complexes) -> dict[str, Floats]:
    """Return how alike bispectra (n, K) and templates (K,) are: real parts, and imaginary ones."""
    phases = phases / _size(phases)
    return {
        "polarity": np.asarray(phases.real @ templates.real),
        "direction": np.asarray(phases.imag @ templates.imag),
    }


def _size(phases: Complexes) -> Floats:
    size = np.linalg.norm(phases, axis=1, keepdims=True)
    return np.where(size > 0, size, 1.0)


def _decibel(ratio: Floats) -> Floats:
    return np.asarray(np.maximum(10 * np.log10(np.maximum(ratio, 1e-30)), FLOOR_DB))
