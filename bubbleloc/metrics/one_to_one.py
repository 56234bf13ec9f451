"""One-to-one scores over many lines: thresholds, a row per line × tolerance, and their summary.

Peaks are picked once per line, above the lowest threshold; a higher threshold then only drops the
less confident ones.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.thresholds import THRESHOLDS, TOLERANCES
from bubbleloc.units import Scale

PEAK_THRESHOLDS: tuple[float, ...] = THRESHOLDS[4:]
"""Confidences tried for one-to-one scores: 0.001, 0.003 … 0.1, 0.15 … 0.9; lower is ripple."""

PAIR_TOLERANCES = TOLERANCES[1:]
"""Positions are not rounded here, so no pair is at distance zero."""

_RATIOS = ["precision", "recall", "f1", "jaccard", "efficiency"]


def choose_peak_thresholds(
    peaks: Sequence[Detections], arrival_sample: Sequence[Floats], tolerances: Sequence[int]
) -> dict[int, float]:
    """Tolerance → threshold of highest mean one-to-one F1 over the lines of a selection split."""
    f1 = np.zeros((len(tolerances), len(PEAK_THRESHOLDS)))  # summed over the lines
    for found, true in zip(peaks, arrival_sample, strict=True):
        for column, level in enumerate(PEAK_THRESHOLDS):
            kept = found.above(level)
            f1[:, column] += [match_detections(kept, true, reach).f1 for reach in tolerances]
    best = (PEAK_THRESHOLDS[place] for place in f1.argmax(axis=1))
    return dict(zip(tolerances, best, strict=True))


def one_to_one_scores(
    peaks: Sequence[Detections],
    arrival_sample: Sequence[Floats],
    thresholds: Mapping[int, float],
    scale: Scale,
) -> pd.DataFrame:
    """One-to-one scores of lines at one threshold per tolerance, a row per line × tolerance.

    Columns: signal, tolerance, threshold, matched (pairs), and those of ``Matching.scores``.
    """
    rows = []
    for signal, (found, true) in enumerate(zip(peaks, arrival_sample, strict=True)):
        for reach, level in thresholds.items():
            matching = match_detections(found.above(level), true, reach)
            place = {"signal": signal, "tolerance": reach, "threshold": level}
            pairs = len(matching.error_samples)
            rows.append({**place, "matched": pairs, **matching.scores(scale)})
    return pd.DataFrame(rows)


def one_to_one_summary(scores: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Row per tolerance: ratios averaged over lines, errors over all pairs of all lines."""
    rows = []
    for (tolerance, threshold), at in scores.groupby(["tolerance", "threshold"], sort=False):
        pairs = at["matched"].sum()
        with np.errstate(invalid="ignore"):  # without a pair there is no error: NaN
            bias = (at["matched"] * at["bias_samples"]).sum() / pairs
            rmse = np.sqrt((at["matched"] * at["rmse_samples"] ** 2).sum() / pairs)
        row = {"tolerance": tolerance, "threshold": threshold, **at[_RATIOS].mean()}
        for name, unit in scale.units.items():
            row |= {f"rmse_{name}": unit * rmse, f"bias_{name}": unit * bias}
        rows.append(row)
    return pd.DataFrame(rows)
