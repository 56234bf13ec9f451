"""Where bubbles are found or missed, where detections are false, and how far off, over all lines.

All functions share one table of outcomes: a row per bubble, and a row per false detection.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.units import Scale

KINDS = ("found", "missed", "false")
"""Outcomes: a bubble is found or missed, any other detection is false."""

DENSITIES = 16  # other bubbles within half a wavelength: 0, 1 … 14, 15 or more
_ERROR_BIN = 0.25  # samples


def outcomes(
    detections: Sequence[Detections],
    arrival_sample: Sequence[Floats],
    threshold: float | None,
    tolerance: float,
    scale: Scale,
) -> pd.DataFrame:
    """Match the detections above `threshold` of all lines with their bubbles; all without one.

    Columns: `sample` of the bubble or false detection, `kind` (of `KINDS`), `density` (other
    bubbles of the line within half a wavelength of depth, either side; left out where the
    wavelength is unknown) and `error_samples` (detected − true position, NaN unless found).
    """
    lines = zip(detections, arrival_sample, strict=True)
    tables = [_of_line(line.above(threshold), true, tolerance, scale) for line, true in lines]
    return pd.concat(tables, ignore_index=True)


def _of_line(
    detections: Detections, arrival_sample: Floats, tolerance: float, scale: Scale
) -> pd.DataFrame:
    matching = match_detections(detections, arrival_sample, tolerance)
    is_false = np.ones(len(detections), dtype=bool)
    is_false[matching.detected] = False
    sample = np.concatenate([arrival_sample, detections.sample[is_false]])
    is_bubble = np.arange(len(sample)) < len(arrival_sample)
    kind = np.where(is_bubble, "missed", "false")
    kind[matching.true] = "found"
    error = np.full(len(sample), np.nan)
    error[matching.true] = matching.error_samples
    columns = {"sample": sample, "error_samples": error, "kind": pd.Categorical(kind, KINDS)}
    if scale.frequency_hz is not None:
        half = 0.5 / scale.wavelengths_per_sample
        low, high = np.searchsorted(np.sort(arrival_sample), [sample - half, sample + half])
        columns["density"] = high - low - is_bubble
    return pd.DataFrame(columns)


def rates_along_density(table: pd.DataFrame) -> pd.DataFrame:
    """Rates, see `rates`, by the number of other bubbles within half a wavelength.

    The last bin, which ends at infinity, holds 15 or more.
    """
    edges = np.append(np.arange(DENSITIES) - 0.5, np.inf)
    return rates(table["kind"], table["density"], edges)


def rates_along_depth(table: pd.DataFrame, scale: Scale, bins: int = 12) -> pd.DataFrame:
    """Rates, see `rates`, in bins of depth in mm."""
    depth_mm = scale.depth_mm(table["sample"])
    return rates(table["kind"], depth_mm, np.linspace(0, depth_mm.max(initial=0), bins + 1))


def rates(kind: pd.Series, values: pd.Series | Floats, edges: Floats) -> pd.DataFrame:
    """Count each kind of outcome by `values` between `edges`; precision, recall and F1 per bin.

    Columns: low, high, found, missed, false, precision, recall, f1; NaN where a bin is empty.
    """
    kinds, numbers = np.asarray(kind), np.asarray(values)
    counts = {name: np.histogram(numbers[kinds == name], edges)[0] for name in KINDS}
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], **counts})
    table["precision"] = table["found"] / (table["found"] + table["false"])
    table["recall"] = table["found"] / (table["found"] + table["missed"])
    table["f1"] = 2 * table["found"] / (2 * table["found"] + table["false"] + table["missed"])
    return table


def error_histogram(table: pd.DataFrame, tolerance: int) -> pd.DataFrame:
    """Histogram of the errors of the bubbles found: columns low, high (samples), bubbles."""
    edges = np.arange(-tolerance - _ERROR_BIN / 2, tolerance + _ERROR_BIN, _ERROR_BIN)
    counts = np.histogram(table["error_samples"].dropna(), edges)[0]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "bubbles": counts})
