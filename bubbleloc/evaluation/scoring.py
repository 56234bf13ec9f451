"""Score one method: the selection split chooses its thresholds, the test split its scores.

A method turns the batches of a split into outputs. A network and the baselines beside it are all
scored by `score_method`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.arrays import Floats
from bubbleloc.data.dataset import Batch
from bubbleloc.data.splits import Split
from bubbleloc.errors import InputError, printable
from bubbleloc.metrics import Sweep, best_thresholds, scores_at, tolerance_sweep
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.one_to_one import (
    choose_peak_thresholds,
    one_to_one_scores,
    pick_all_peaks,
)
from bubbleloc.metrics.scores import score_table
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import apply

Outputs = NDArray[np.floating]
Batches = Iterable[tuple[Batch, Outputs]]
"""Batches of a split in their order, each with a method's outputs (b, L)."""
Method = Callable[[Split], Batches]


@dataclass(frozen=True)
class Pass:
    """What is kept of one pass over a split.

    Attributes:
        sweep: scores of its n lines at every tolerance and threshold.
        peaks: all peaks of each line; empty if they were not asked for.
        arrival_sample: arrivals of the bubbles of each line, likewise.
    """

    sweep: Sweep
    peaks: list[Detections]
    arrival_sample: list[Floats]


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method on the test split, at thresholds chosen on the selection split.

    Attributes:
        selection: sweep of the selection split.
        scores: tidy scores, see `bubbleloc.metrics.scores`.
        one_to_one: one-to-one scores with a column `method`; empty if not asked for.
        test: pass over the test split.
    """

    selection: Sweep
    scores: pd.DataFrame
    one_to_one: pd.DataFrame
    test: Pass


def score_method(
    name: str, method: Method, selection: Split, test: Split, one_to_one: Sequence[int] = ()
) -> MethodScores:
    """Choose the thresholds of a method on one split and score it on the other.

    Args:
        one_to_one: tolerances in samples to score one to one at, too.
    """
    chosen = read_outputs(method(selection), pick=len(one_to_one) > 0)
    tested = read_outputs(method(test), pick=len(one_to_one) > 0)
    scores = scores_at(tested.sweep, best_thresholds(chosen.sweep))
    thresholds = choose_peak_thresholds(chosen.peaks, chosen.arrival_sample, one_to_one)
    paired = one_to_one_scores(tested.peaks, tested.arrival_sample, thresholds, test.scale)
    return MethodScores(
        selection=chosen.sweep,
        scores=score_table(name, scores, test.bubbles, test.pressure_pa),
        one_to_one=paired.assign(method=name),
        test=tested,
    )


def read_outputs(batches: Batches, pick: bool = True) -> Pass:
    """Sweep the outputs on all batches of a split and, with `pick`, pick their peaks."""
    sweeps, peaks, arrival_sample = [], [], []
    for batch, output in batches:
        sweeps.append(tolerance_sweep(output, batch.count))
        if pick:
            peaks += pick_all_peaks(output)
            arrival_sample += batch.arrival_sample
    if not sweeps:
        raise InputError("the split is empty: simulate at least one signal for it first")
    return Pass(Sweep.concatenate(sweeps), peaks, arrival_sample)


def predict(
    split: Split, network: Localizer, batch_size: int = 16
) -> Iterator[tuple[Batch, Outputs]]:
    """Apply a network to all lines of a split, with a progress bar."""
    batches = -(-len(split) // batch_size)
    what = printable(f"predict {split.path}")
    bar = tqdm(split.batches(batch_size), what, total=batches, unit="batch")
    for batch in bar:
        yield batch, apply(network, batch.rf)
