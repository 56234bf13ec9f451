"""One-to-one scores over many lines: thresholds, a row per line × tolerance, and their summary.

Peaks are picked once per line, above the lowest threshold; a higher threshold then only drops the
less confident ones.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import Matching, match_detections
from bubbleloc.metrics.thresholds import THRESHOLDS, TOLERANCES
from bubbleloc.units import SYMBOLS, Scale

PEAK_THRESHOLDS: tuple[float, ...] = THRESHOLDS[4:]
"""Confidences tried for one-to-one scores: 0.001, 0.003 … 0.1, 0.15 … 0.9; lower is ripple."""

PAIR_TOLERANCES = TOLERANCES[1:]
"""Positions are not rounded here, so no pair is at distance zero."""


def mean_of_lines(values: Floats, pairs: Floats) -> float:
    """Return the mean of values (n,), whatever the numbers of pairs (n,)."""
    return float(values.mean())


def mean_of_pairs(values: Floats, pairs: Floats) -> float:
    """Return the mean of the means (n,) of lines over all their pairs (n,); NaN without a pair."""
    paired = pairs > 0
    return float(np.average(values[paired], weights=pairs[paired])) if paired.any() else np.nan


def root_mean_square_of_pairs(values: Floats, pairs: Floats) -> float:
    """Return the RMSE of all pairs from those of the lines; NaN without a pair."""
    return float(np.sqrt(mean_of_pairs(values**2, pairs)))


class Metric(NamedTuple):
    """A score of the pairs of detections and bubbles.

    Attributes:
        heading: what tables call it.
        of: the function that gives its value for one line.
        of_lines: the function that makes one value from those of n lines and their numbers of
            pairs, (n,) each.
        is_distance: whether it is in samples; tables give it in every unit of the scale.
    """

    heading: str
    of: Callable[[Matching, Scale], float]
    of_lines: Callable[[Floats, Floats], float] = mean_of_lines
    is_distance: bool = False


METRICS: dict[str, Metric] = {
    "precision": Metric("precision", lambda pairs, _: pairs.precision),
    "recall": Metric("recall", lambda pairs, _: pairs.recall),
    "f1": Metric("F1", lambda pairs, _: pairs.f1),
    "jaccard": Metric("Jaccard", lambda pairs, _: pairs.jaccard),
    "efficiency": Metric("efficiency", Matching.efficiency),
    "rmse": Metric(
        "RMSE", lambda pairs, _: pairs.rmse_samples, root_mean_square_of_pairs, is_distance=True
    ),
    "bias": Metric("bias", lambda pairs, _: pairs.bias_samples, mean_of_pairs, is_distance=True),
}
"""By the name of their column, of a distance without its unit."""


class Column(NamedTuple):
    """A column of a table of one-to-one scores: a metric, a distance in one of its units."""

    heading: str
    metric: Metric
    factor: float


def columns(scale: Scale) -> dict[str, Column]:
    """Return the columns of `METRICS` by name, those of a distance such as ``rmse_um``."""
    table = {}
    for name, metric in METRICS.items():
        if metric.is_distance:
            for unit, factor in scale.units.items():
                heading = f"{metric.heading} ({SYMBOLS[unit]})"
                table[f"{name}_{unit}"] = Column(heading, metric, factor)
        else:
            table[name] = Column(metric.heading, metric, 1.0)
    return table


def scores_of(pairs: Matching, scale: Scale) -> dict[str, float]:
    """Return all metrics of one line by the names of their `columns`."""
    return {
        name: column.factor * column.metric.of(pairs, scale)
        for name, column in columns(scale).items()
    }


def choose_peak_thresholds(
    peaks: Sequence[Detections], arrival_sample: Sequence[Floats], tolerances: Sequence[int]
) -> dict[int, float]:
    """Tolerance → threshold of highest mean one-to-one F1 over the lines of a selection split."""
    f1 = np.zeros((len(tolerances), len(PEAK_THRESHOLDS)))  # summed over the lines
    for detections, true in zip(peaks, arrival_sample, strict=True):
        for column, level in enumerate(PEAK_THRESHOLDS):
            kept = detections.above(level)
            f1[:, column] += [match_detections(kept, true, reach).f1 for reach in tolerances]
    best = (PEAK_THRESHOLDS[column] for column in f1.argmax(axis=1))
    return dict(zip(tolerances, best, strict=True))


def one_to_one_scores(
    detections: Sequence[Detections],
    arrival_sample: Sequence[Floats],
    thresholds: Mapping[int, float | None],
    scale: Scale,
) -> pd.DataFrame:
    """One-to-one scores of lines at one threshold per tolerance, a row per line × tolerance.

    Columns: signal, tolerance, threshold (NaN where all detections count), matched (pairs), and
    those of `METRICS`.
    """
    rows = []
    for signal, (of_line, true) in enumerate(zip(detections, arrival_sample, strict=True)):
        for reach, level in thresholds.items():
            pairs = match_detections(of_line.above(level), true, reach)
            row: dict[str, float] = {"signal": signal, "tolerance": reach}
            row["threshold"] = np.nan if level is None else level
            row["matched"] = len(pairs.error_samples)
            rows.append(row | scores_of(pairs, scale))
    return pd.DataFrame(rows)


def one_to_one_summary(scores: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Return a row per tolerance: ratios averaged over lines, errors over all pairs of all lines.

    Columns: those of `one_to_one_scores` but signal and matched.
    """
    rows = []
    for tolerance, at in scores.groupby("tolerance", sort=False):
        row: dict[str, object] = {"tolerance": tolerance, "threshold": at["threshold"].iloc[0]}
        pairs = at["matched"].to_numpy(dtype=np.float64)
        for name, column in columns(scale).items():
            row[name] = column.metric.of_lines(at[name].to_numpy(), pairs)
        rows.append(row)
    return pd.DataFrame(rows)
