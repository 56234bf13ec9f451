"""Score one method: the selection split chooses its thresholds, the test split its scores.

A method answers the batches of a split. A network and the baselines beside it are all
scored by `score_method`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
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
)
from bubbleloc.metrics.scores import score_table
from bubbleloc.models.answers import Answer, answer
from bubbleloc.nn import Localizer

Batches = Iterable[tuple[Batch, Answer]]
"""Batches of a split in their order, each with a method's answer."""
Method = Callable[[Split], Batches]


@dataclass(frozen=True)
class Pass:
    """What is kept of one pass over a split.

    Attributes:
        sweep: scores of its n lines at every tolerance and threshold.
        found: bubbles of each line, down to the least sure; empty if they were not asked for.
        arrival_sample: arrivals of the bubbles of each line, likewise.
        expected: sum of the output of each line, of a head of emitters its number of bubbles.
        threshold: above which they are reported; None where one must be chosen.
    """

    sweep: Sweep
    found: list[Detections]
    expected: list[float]
    arrival_sample: list[Floats]
    threshold: float | None = None


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
    if tested.threshold is None:
        thresholds = choose_peak_thresholds(chosen.found, chosen.arrival_sample, one_to_one)
    else:
        thresholds = dict.fromkeys(one_to_one, tested.threshold)
    paired = one_to_one_scores(tested.found, tested.arrival_sample, thresholds, test.scale)
    return MethodScores(
        selection=chosen.sweep,
        scores=score_table(name, scores, test.bubble_counts, test.pressure_pa),
        one_to_one=paired.assign(method=name),
        test=tested,
    )


def read_outputs(batches: Batches, pick: bool = True) -> Pass:
    """Sweep the outputs on all batches of a split and, with `pick`, find their bubbles."""
    sweeps, found, arrival_sample, expected = [], [], [], []
    threshold = None
    for batch, said in batches:
        sweeps.append(tolerance_sweep(said.output, batch.count))
        expected += said.output.sum(axis=1).tolist()
        threshold = None if said.needs_threshold else 0.0
        if pick:
            found += said.detections()
            arrival_sample += [bubbles.arrival_sample for bubbles in batch.bubbles]
    if not sweeps:
        raise InputError("the split is empty: simulate at least one signal for it first")
    return Pass(Sweep.concatenate(sweeps), found, expected, arrival_sample, threshold)


def predict(
    split: Split, network: Localizer, batch_size: int = 16
) -> Iterator[tuple[Batch, Answer]]:
    """Apply a network to all lines of a split, with a progress bar."""
    batches = -(-len(split) // batch_size)
    what = printable(f"predict {split.path}")
    bar = tqdm(split.batches(batch_size), what, total=batches, unit="batch")
    for batch in bar:
        yield batch, answer(network, batch.rf)
