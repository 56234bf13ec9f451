"""One-to-one scores over many lines, and where bubbles are found, missed or imagined.

Peaks are picked once per line, above the lowest threshold; a higher threshold then only drops the
less confident ones. So the network's outputs need not be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bubbleloc.detections import Detections, Matching, Scale, match_detections, pick_peaks
from bubbleloc.errors import InputError
from bubbleloc.metrics import THRESHOLDS

Floats = NDArray[np.float64]

PEAK_THRESHOLDS: tuple[float, ...] = THRESHOLDS[4:]
"""Confidences tried for one-to-one scores: 0.001, 0.003 … 0.1, 0.15 … 0.9; lower is ripple."""


@dataclass(frozen=True)
class Found:
    """Peaks and true arrivals of a set of lines, in the same order."""

    peaks: Sequence[Detections]
    arrival_sample: Sequence[Floats]

    def __post_init__(self) -> None:
        if len(self.peaks) != len(self.arrival_sample) or not self.peaks:
            raise InputError(
                f"{len(self.peaks)} lines of peaks for {len(self.arrival_sample)} lines of truth: "
                "give one of each for every signal"
            )

    def match(self, line: int, threshold: float, tolerance: float) -> tuple[Detections, Matching]:
        """Peaks of one line above `threshold`, matched with its bubbles."""
        peaks = self.peaks[line]
        kept = peaks.confidence > threshold
        peaks = Detections(peaks.sample[kept], peaks.confidence[kept])
        return peaks, match_detections(peaks, self.arrival_sample[line], tolerance)


def pick_all_peaks(prediction: ArrayLike) -> list[Detections]:
    """Peaks of each line of a batch of network outputs, (n, L), above the lowest threshold."""
    return [pick_peaks(line, PEAK_THRESHOLDS[0]) for line in np.asarray(prediction)]


def best_peak_thresholds(selection: Found, tolerances: Sequence[int]) -> Floats:
    """Threshold of highest mean one-to-one F1 over the lines, per tolerance: (T,)."""
    mean_f1 = [
        [
            np.mean([selection.match(i, level, reach)[1].f1 for i in range(len(selection.peaks))])
            for level in PEAK_THRESHOLDS
        ]
        for reach in tolerances
    ]
    return np.array(PEAK_THRESHOLDS)[np.argmax(mean_f1, axis=1)]


def matched_scores(
    test: Found, thresholds: ArrayLike, tolerances: Sequence[int], scale: Scale
) -> pd.DataFrame:
    """One-to-one scores, a row per signal × tolerance, at the threshold of that tolerance.

    Columns: signal, tolerance, threshold, matched (pairs), and those of ``Matching.scores``.
    """
    levels = np.asarray(thresholds, dtype=np.float64)
    rows = []
    for i in range(len(test.peaks)):
        for reach, level in zip(tolerances, levels, strict=True):
            matching = test.match(i, level, reach)[1]
            row = {"signal": i, "tolerance": reach, "threshold": level}
            rows.append(row | {"matched": len(matching.true)} | matching.scores(scale))
    return pd.DataFrame(rows)


def matched_summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Row per tolerance: ratios averaged over signals, errors over all pairs of all signals."""
    rows = []
    for tolerance, group in scores.groupby("tolerance"):
        weight = group["matched"] / max(group["matched"].sum(), 1)
        row = {"tolerance": tolerance, "threshold": group["threshold"].iloc[0]}
        for name in ("precision", "recall", "f1", "jaccard", "efficiency"):
            row[name] = group[name].mean()
        for unit in ("samples", "um", "wavelengths"):
            row[f"rmse_{unit}"] = np.sqrt((weight * group[f"rmse_{unit}"] ** 2).sum(min_count=1))
            row[f"bias_{unit}"] = (weight * group[f"bias_{unit}"]).sum(min_count=1)
        rows.append(row)
    return pd.DataFrame(rows)


def outcomes(test: Found, threshold: float, tolerance: float, scale: Scale) -> pd.DataFrame:
    """Everything found, missed and imagined, a row per bubble or false detection.

    Columns: signal, sample (of the bubble, or of the false detection), outcome (``found``,
    ``missed``, ``false``), error_samples (of what is found), depth_mm, and density: other bubbles
    of that line per wavelength of depth, counted within half a wavelength either side.
    """
    half = 0.5 / scale.wavelengths_per_sample
    parts = []
    for i, truth in enumerate(test.arrival_sample):
        peaks, matching = test.match(i, threshold, tolerance)
        is_found = np.isin(np.arange(len(truth)), matching.true)
        is_false = ~np.isin(np.arange(len(peaks)), matching.detected)
        error = np.full(len(truth), np.nan)
        error[matching.true] = matching.error_samples
        sample = np.concatenate([truth, peaks.sample[is_false]])
        near = np.searchsorted(np.sort(truth), [sample - half, sample + half])
        itself = np.arange(len(sample)) < len(truth)
        part = {
            "signal": i,
            "sample": sample,
            "outcome": np.where(itself, "missed", "false"),
            "error_samples": np.concatenate([error, np.full(is_false.sum(), np.nan)]),
            "depth_mm": scale.depth_mm(sample),
            "density": near[1] - near[0] - itself,
        }
        part["outcome"][: len(truth)][is_found] = "found"
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def rates_along(outcome: pd.DataFrame, column: str, edges: ArrayLike) -> pd.DataFrame:
    """Precision, recall and F1 of all outcomes together, in bins of `column` between `edges`.

    Columns: low, high, found, missed, false, precision, recall, f1; NaN where a bin is empty.
    """
    limits = np.asarray(edges, dtype=np.float64)
    counts = {
        name: np.histogram(outcome.loc[outcome["outcome"] == name, column], limits)[0]
        for name in ("found", "missed", "false")
    }
    table = pd.DataFrame({"low": limits[:-1], "high": limits[1:], **counts})
    table["precision"] = table["found"] / (table["found"] + table["false"])
    table["recall"] = table["found"] / (table["found"] + table["missed"])
    table["f1"] = 2 * table["found"] / (2 * table["found"] + table["false"] + table["missed"])
    return table


def error_counts(outcome: pd.DataFrame, tolerance: float, width: float = 0.25) -> pd.DataFrame:
    """Histogram of the errors of what is found: columns low, high (samples), bubbles."""
    edges = np.arange(-tolerance - width / 2, tolerance + width, width)
    counts = np.histogram(outcome["error_samples"].dropna(), edges)[0]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "bubbles": counts})
