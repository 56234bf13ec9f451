"""One-to-one scores over many lines, which come one by one and are not kept.

Peaks are picked once per line, above the lowest threshold; a higher threshold then only drops the
less confident ones. Every tally of a pass over the lines gets the same peaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.spool import Spool
from bubbleloc.metrics.thresholds import THRESHOLDS
from bubbleloc.physics.scale import Scale

Floats = NDArray[np.float64]

PEAK_THRESHOLDS: tuple[float, ...] = THRESHOLDS[4:]
"""Confidences tried for one-to-one scores: 0.001, 0.003 … 0.1, 0.15 … 0.9; lower is ripple."""

_RATIOS = ("precision", "recall", "f1", "jaccard", "efficiency")


class Tally(Protocol):
    """Anything that is fed with the lines of a split one by one."""

    def add(self, peaks: Detections, arrival_sample: Floats) -> None:
        """Count a line: all its peaks above the lowest threshold, and its bubbles."""


def pick_all_peaks(prediction: ArrayLike) -> list[Detections]:
    """Peaks of each line of a batch of network outputs, (n, L), above the lowest threshold."""
    return [pick_peaks(line, PEAK_THRESHOLDS[0]) for line in np.asarray(prediction)]


class PeakChoice:
    """One-to-one F1 at every tolerance and threshold, to choose thresholds on a selection split."""

    def __init__(self, tolerances: Sequence[int]) -> None:
        self.tolerances = tuple(tolerances)
        self._f1 = np.zeros((len(self.tolerances), len(PEAK_THRESHOLDS)))  # sums over the lines

    def add(self, peaks: Detections, arrival_sample: Floats) -> None:
        """Score a line."""
        for level, f1 in zip(PEAK_THRESHOLDS, self._f1.T, strict=True):
            kept = peaks.above(level)
            f1 += [match_detections(kept, arrival_sample, reach).f1 for reach in self.tolerances]

    def thresholds(self) -> dict[int, float]:
        """Tolerance → threshold of highest mean F1 over the lines."""
        best = (PEAK_THRESHOLDS[place] for place in self._f1.argmax(axis=1))
        return dict(zip(self.tolerances, best, strict=True))


class MatchedScores:
    """One-to-one scores of lines at one threshold per tolerance: means, and every line's on disk.

    Args:
        thresholds: tolerance → threshold on the confidence, for T tolerances.
        scale: what a sample is worth in µm and wavelengths.
    """

    def __init__(self, thresholds: Mapping[int, float], scale: Scale) -> None:
        self.thresholds, self.scale = dict(thresholds), scale
        self._names = ["matched", *match_detections([], [], 0).scores(scale)]
        self._rows = Spool()  # (T, names) for each line
        self._ratios = np.zeros((len(self.thresholds), len(_RATIOS)))  # sums over the lines
        self._errors = np.zeros((len(self.thresholds), 3))  # pairs, their errors, squared errors

    def add(self, peaks: Detections, arrival_sample: Floats) -> None:
        """Score a line."""
        rows = np.empty((len(self.thresholds), len(self._names)))
        for i, (reach, level) in enumerate(self.thresholds.items()):
            matching = match_detections(peaks.above(level), arrival_sample, reach)
            error, scores = matching.error_samples, matching.scores(self.scale)
            rows[i] = [len(error), *scores.values()]
            self._ratios[i] += [scores[name] for name in _RATIOS]
            self._errors[i] += len(error), error.sum(), (error**2).sum()
        self._rows.append(rows[None])

    def tables(self) -> Iterator[pd.DataFrame]:
        """Yield a row per line × tolerance, some lines at a time.

        Columns: signal, tolerance, threshold, matched (pairs), and those of ``Matching.scores``.
        """
        first, t = 0, len(self.thresholds)
        for piece in self._rows.pieces():
            table = pd.DataFrame(piece.reshape(-1, len(self._names)), columns=self._names)
            table["matched"] = table["matched"].astype(np.int64)
            table.insert(0, "signal", np.repeat(np.arange(first, first + len(piece)), t))
            table.insert(1, "tolerance", np.tile(list(self.thresholds), len(piece)))
            table.insert(2, "threshold", np.tile(list(self.thresholds.values()), len(piece)))
            yield table
            first += len(piece)

    def summary(self) -> pd.DataFrame:
        """Row per tolerance: ratios averaged over lines, errors over all pairs of all lines."""
        table = pd.DataFrame(list(self.thresholds.items()), columns=["tolerance", "threshold"])
        table[list(_RATIOS)] = self._ratios / max(len(self._rows), 1)
        pairs, error, squared = self._errors.T
        with np.errstate(invalid="ignore"):  # without a pair there is no error: NaN
            rmse, bias = np.sqrt(squared / pairs), error / pairs
        units = (1.0, self.scale.um_per_sample, self.scale.wavelengths_per_sample)
        for name, unit in zip(("samples", "um", "wavelengths"), units, strict=True):
            table[f"rmse_{name}"], table[f"bias_{name}"] = unit * rmse, unit * bias
        return table
