"""Where bubbles are found, missed or imagined, and how far off, over many lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.metrics.spool import Spool
from bubbleloc.physics.scale import Scale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("found", "missed", "false")  # of outcomes
DENSITIES = 16  # other bubbles within half a wavelength: 0, 1 … 15
_ERROR_BIN = 0.25  # samples


@dataclass(frozen=True)
class Outcomes:
    """All bubbles of a line and its false detections, (m,) each, and the errors of its pairs.

    Attributes:
        sample: of the bubble, or of the false detection.
        kind: what it is, a place in `KINDS`.
        density: other bubbles of the line within half a wavelength of depth, either side.
        error_samples: detected − true position, (pairs,).
    """

    sample: Floats
    kind: Ints
    density: Ints
    error_samples: Floats


def outcomes(peaks: Detections, arrival_sample: Floats, tolerance: float, scale: Scale) -> Outcomes:
    """Match the peaks of a line with its bubbles and say what became of each."""
    matching = match_detections(peaks, arrival_sample, tolerance)
    is_false = np.ones(len(peaks), dtype=bool)
    is_false[matching.detected] = False
    sample = np.concatenate([arrival_sample, peaks.sample[is_false]])
    is_bubble = np.arange(len(sample)) < len(arrival_sample)
    kind = np.where(is_bubble, KINDS.index("missed"), KINDS.index("false"))
    kind[matching.true] = KINDS.index("found")
    half = 0.5 / scale.wavelengths_per_sample
    low, high = np.searchsorted(np.sort(arrival_sample), [sample - half, sample + half])
    return Outcomes(sample, kind, high - low - is_bubble, matching.error_samples)


class Breakdown:
    """Outcomes at one threshold and tolerance, counted line by line.

    Depths are kept on disk: how deep the bins of a table reach is known at the end only.
    """

    def __init__(self, threshold: float, tolerance: int, scale: Scale) -> None:
        self.threshold, self.tolerance, self.scale = threshold, tolerance, scale
        self._density_edges = np.linspace(-0.5, DENSITIES - 0.5, DENSITIES + 1)
        self._by_density = np.zeros((len(KINDS), DENSITIES), dtype=np.int64)
        half = _ERROR_BIN / 2
        self._error_edges = np.arange(-tolerance - half, tolerance + _ERROR_BIN, _ERROR_BIN)
        self._by_error = np.zeros(len(self._error_edges) - 1, dtype=np.int64)
        self._depths_mm = [Spool() for _ in KINDS]
        self._deepest_mm = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._depths_mm))

    def add(self, peaks: Detections, arrival_sample: Floats) -> None:
        """Count the outcomes of a line."""
        line = outcomes(peaks.above(self.threshold), arrival_sample, self.tolerance, self.scale)
        self._by_density += count_kinds(line.kind, line.density, self._density_edges)
        self._by_error += np.histogram(line.error_samples, self._error_edges)[0]
        depth_mm = self.scale.depth_mm(line.sample)
        for kind, depths_mm in enumerate(self._depths_mm):
            depths_mm.append(depth_mm[line.kind == kind])
        self._deepest_mm = float(depth_mm.max(initial=self._deepest_mm))

    def along_density(self) -> pd.DataFrame:
        """Rates, see `rates`, by the number of other bubbles within half a wavelength."""
        return rates(self._by_density, self._density_edges)

    def along_depth(self, bins: int = 12) -> pd.DataFrame:
        """Rates, see `rates`, in bins of depth in mm."""
        edges = np.linspace(0, self._deepest_mm, bins + 1)
        counts = np.zeros((len(KINDS), bins), dtype=np.int64)
        for count, depths_mm in zip(counts, self._depths_mm, strict=True):
            for piece in depths_mm.pieces():
                count += np.histogram(piece, edges)[0]
        return rates(counts, edges)

    def errors(self) -> pd.DataFrame:
        """Histogram of the errors of what is found: columns low, high (samples), bubbles."""
        edges = self._error_edges
        return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "bubbles": self._by_error})


def count_kinds(kind: ArrayLike, values: ArrayLike, edges: Floats) -> Ints:
    """Histogram of `values` between `edges`, (b + 1,), for each of the `KINDS`: (3, b)."""
    kinds, numbers = np.asarray(kind), np.asarray(values)
    return np.array([np.histogram(numbers[kinds == k], edges)[0] for k in range(len(KINDS))])


def rates(counts: Ints, edges: Floats) -> pd.DataFrame:
    """Precision, recall and F1 of `counts`, (3, b), of each kind of outcome in each bin.

    Columns: low, high, found, missed, false, precision, recall, f1; NaN where a bin is empty.
    """
    of_kinds = dict(zip(KINDS, counts, strict=True))
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], **of_kinds})
    table["precision"] = table["found"] / (table["found"] + table["false"])
    table["recall"] = table["found"] / (table["found"] + table["missed"])
    table["f1"] = 2 * table["found"] / (2 * table["found"] + table["false"] + table["missed"])
    return table
