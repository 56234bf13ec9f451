"""How much of the vessels is filled, and when."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from bubbleloc.arrays import Floats

FILLED = 0.9
"""Share of the vessels at which a map counts as filled."""

POINTS = 100  # of a curve


@dataclass(frozen=True, eq=False)
class Saturation:
    """Share of the pixels of vessels that a track has crossed until a time, (n,) each."""

    time_s: Floats
    share: Floats
    filled_s: float
    """Time at which the share is `FILLED`; NaN if that is not reached."""

    def to_table(self) -> pd.DataFrame:
        """Return a row per time: ``time_s``, ``share``."""
        return pd.DataFrame({"time_s": self.time_s, "share": self.share})


def saturation(first_s: Floats, vessels: NDArray[np.bool_], until_s: float) -> Saturation:
    """Measure how the known vessels fill.

    Args:
        first_s: time of the first track in each pixel (H, W), infinite where there is none.
        vessels: which pixels are of vessels (H, W).
        until_s: how long the recording is.

    Returns:
        NaN where no pixel is of a vessel.
    """
    at = np.sort(first_s[vessels])
    time_s = np.linspace(0, until_s, POINTS)
    if not at.size:
        return Saturation(time_s, np.full(POINTS, np.nan), np.nan)
    share = np.searchsorted(at, time_s, side="right") / len(at)
    last = at[int(np.ceil(FILLED * len(at))) - 1]
    return Saturation(time_s, share, float(last) if last <= until_s else np.nan)


def saturation_fit(first_s: Floats, until_s: float) -> Saturation:
    """Estimate how vessels fill that are not known: the share of what would be filled at last.

    The number of pixels that are filled is taken to rise as A·(1 − exp(−(t/τ)^k)), k ≤ 1: some
    wait longer for their first bubble than others. Pixels that wait longer than the recording
    is are hardly counted, so that the true time is later than the one that is found.

    Raises:
        RuntimeError: the fit does not converge.
    """
    at = np.sort(first_s[np.isfinite(first_s)])
    time_s = np.linspace(0, until_s, POINTS)
    filled = np.searchsorted(at, time_s, side="right").astype(np.float64)
    if not filled.any():
        return Saturation(time_s, np.zeros(POINTS), np.nan)

    def rise(t: Floats, total: float, tau: float, power: float) -> Floats:
        return np.asarray(total * -np.expm1(-((t / tau) ** power)))

    start, most = (filled[-1], until_s / 2, 1.0), (np.inf, np.inf, 1.0)
    (total, tau, power), _ = curve_fit(rise, time_s, filled, p0=start, bounds=(0, most))
    filled_s = tau * np.log(1 / (1 - FILLED)) ** (1 / power)
    return Saturation(time_s, filled / total, float(filled_s))
