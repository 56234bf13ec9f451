"""Fourier ring correlation: down to which size two halves of the tracks show the same."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal.windows import tukey

from bubbleloc.arrays import Floats

FIXED = 1 / 7
"""Correlation that is enough at any number of pixels."""

TAPERED = 0.25  # share of each side of a map that fades to its mean: edges have no match


@dataclass(frozen=True, eq=False)
class RingCorrelation:
    """Correlation of two maps by spatial frequency, (n,) each (Nieuwenhuizen et al. 2013).

    Attributes:
        per_mm: frequency of the rings.
        correlation: of the two maps within each ring.
        half_bit: correlation at which the sum of both holds half a bit per pixel (van Heel and
            Schatz, J. Struct. Biol. 151, 2005, of half the pixels of a ring: the others repeat
            them).
        pixel_um: side of a pixel.
    """

    per_mm: Floats
    correlation: Floats
    half_bit: Floats
    pixel_um: float

    def resolution_um(self, threshold: Floats | float = FIXED) -> float:
        """Length of the wave at which the correlation first falls below a threshold, in µm.

        Two pixels where it never does; NaN where it is below from the longest wave on.
        """
        above = self.correlation - threshold
        if above[0] < 0:
            return np.nan
        below = np.flatnonzero(above < 0)
        if not below.size:
            return 2 * self.pixel_um
        i = int(below[0])
        share = above[i - 1] / (above[i - 1] - above[i])
        return 1e3 / float(self.per_mm[i - 1] + share * (self.per_mm[i] - self.per_mm[i - 1]))

    def to_table(self) -> pd.DataFrame:
        """Return a row per ring: ``per_mm``, ``correlation``, ``threshold``, ``half_bit``."""
        columns = {"per_mm": self.per_mm, "correlation": self.correlation}
        return pd.DataFrame(columns | {"threshold": FIXED, "half_bit": self.half_bit})


def ring_correlation(one: Floats, other: Floats, pixel_m: float) -> RingCorrelation:
    """Correlate two maps (H, W) of independent halves of the tracks in rings of their spectra.

    Rings are as wide as the frequency steps of the shorter side, and lie between one step and the
    highest frequency of the pixels.
    """
    window = np.multiply.outer(*(tukey(n, 2 * TAPERED) for n in one.shape))
    first, second = (np.fft.fft2((half - half.mean()) * window) for half in (one, other))
    along, across = (np.fft.fftfreq(n, 1e3 * pixel_m) for n in one.shape)
    step_per_mm = 1 / (1e3 * pixel_m * min(one.shape))
    ring = np.rint(np.hypot(along[:, None], across) / step_per_mm).astype(np.int64).ravel()
    count = min(one.shape) // 2 + 1

    def within(values: Floats) -> Floats:
        return np.bincount(ring, values.ravel()).astype(np.float64)[1:count]

    pixels = within(np.ones(one.shape)) / 2
    power = np.sqrt(within(np.abs(first) ** 2) * within(np.abs(second) ** 2))
    shared = within((first * second.conj()).real)
    correlation = np.divide(shared, power, out=np.zeros_like(power), where=power > 0)
    root = np.sqrt(pixels)
    half_bit = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
    per_mm = step_per_mm * np.arange(1, count)
    return RingCorrelation(per_mm, correlation, half_bit, 1e6 * pixel_m)
