"""A pass over a split: outputs and counts come batch by batch, and nothing of them is kept.

A method is scored in two passes, one over the selection split, which chooses its thresholds, and
one over the test split, which is scored at these alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data.splits import Split
from bubbleloc.metrics import tolerance_sweep
from bubbleloc.metrics.one_to_one import PeakChoice, Tally, pick_all_peaks
from bubbleloc.metrics.thresholds import (
    Floats,
    MeanSweep,
    Scores,
    Sweep,
    best_thresholds,
    scores_at,
)
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import apply

Outputs = NDArray[np.floating]
Batches = Iterable[tuple[Outputs, Outputs]]
"""Outputs and bubble counts, both (b, L), in the order of a split."""


@dataclass(frozen=True)
class Chosen:
    """What the selection split says about a method: mean scores, and the best thresholds.

    Attributes:
        peak_thresholds: tolerance → threshold for one-to-one scores.
    """

    sweep: MeanSweep
    peak_thresholds: Mapping[int, float]

    @property
    def thresholds(self) -> Floats:
        """Threshold per tolerance of the sweep, (T,)."""
        return best_thresholds(self.sweep)


def choose(batches: Batches, split: Split, one_to_one: Sequence[int] = ()) -> Chosen:
    """Choose thresholds; those of one-to-one scores at the tolerances `one_to_one`."""
    peaks = PeakChoice(one_to_one)
    sweep = MeanSweep.of(sweeps(batches, split, peaks if one_to_one else None))
    return Chosen(sweep, peaks.thresholds())


def score(batches: Batches, split: Split, thresholds: Floats, tally: Tally | None = None) -> Scores:
    """Score a split at one threshold per tolerance, and let `tally` count its peaks."""
    return Scores.concatenate(
        [scores_at(sweep, thresholds) for sweep in sweeps(batches, split, tally)]
    )


def sweeps(batches: Batches, split: Split, tally: Tally | None = None) -> Iterator[Sweep]:
    """Yield the sweep of each batch, and feed `tally` with the peaks and bubbles of its lines."""
    line = 0
    for output, count in batches:
        if tally is not None:
            for place, peaks in enumerate(pick_all_peaks(output), line):
                tally.add(peaks, split.arrival_sample(place))
        line += len(output)
        yield tolerance_sweep(output, count)


def predict(
    network: Localizer, split: Split, batch_size: int = 16
) -> Iterator[tuple[Outputs, Outputs]]:
    """Yield the network's output and the true bubble count, both (batch, L), in order."""
    total = -(-len(split) // batch_size)
    batches = split.batches(batch_size)
    for batch in tqdm(batches, desc=f"predict {split.path}", unit="batch", total=total):
        yield apply(network, batch.rf), batch.count
