"""Score one method: the selection split chooses its thresholds, the test split its scores.

A method answers the batches of a split. A network and the baselines beside it are all
scored by `score_method`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd
from tqdm import tqdm

from bubbleloc.arrays import Floats
from bubbleloc.data.dataset import Batch, RFDataset
from bubbleloc.errors import InputError, printable
from bubbleloc.metrics import Scores, Sweep, best_thresholds, scores_at, tolerance_sweep
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.one_to_one import choose_peak_thresholds, one_to_one_scores
from bubbleloc.models.answers import Answer, answer
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import evaluating

Batches = Iterable[tuple[Batch, Answer]]
"""Batches of a split in their order, each with a method's answer."""
Method = Callable[[RFDataset], Batches]


@dataclass(frozen=True)
class Pass:
    """What is kept of one pass over a split.

    Attributes:
        sweep: scores of its n lines at every tolerance and threshold.
        detections: those of each line, down to the least sure; empty if they were not asked for.
        expected: see `Answer.expected`, of each line.
        arrival_sample: the true arrivals of each line; empty if they were not asked for.
        needs_threshold: whether only detections above a threshold count, which must be chosen.
    """

    sweep: Sweep
    detections: list[Detections]
    expected: list[float]
    arrival_sample: list[Floats]
    needs_threshold: bool


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method on the test split, at thresholds chosen on the selection split.

    Attributes:
        selection: the sweep of the selection split.
        scores: those of the test signals.
        one_to_one: one-to-one scores, see `bubbleloc.metrics.one_to_one`; empty if not asked for.
        test: the pass over the test split.
    """

    selection: Sweep
    scores: Scores
    one_to_one: pd.DataFrame
    test: Pass


def score_method(
    method: Method, selection: RFDataset, test: RFDataset, one_to_one: Sequence[int] = ()
) -> MethodScores:
    """Choose the thresholds of a method on one split and score it on the other.

    Args:
        one_to_one: tolerances in samples to score one to one at, too.
    """
    chosen = read_outputs(method(selection), pick=len(one_to_one) > 0)
    tested = read_outputs(method(test), pick=len(one_to_one) > 0)
    thresholds: Mapping[int, float | None] = dict.fromkeys(one_to_one)
    if tested.needs_threshold:
        thresholds = choose_peak_thresholds(chosen.detections, chosen.arrival_sample, one_to_one)
    return MethodScores(
        selection=chosen.sweep,
        scores=scores_at(tested.sweep, best_thresholds(chosen.sweep)),
        one_to_one=one_to_one_scores(
            tested.detections, tested.arrival_sample, thresholds, test.scale
        ),
        test=tested,
    )


def read_outputs(batches: Batches, pick: bool = True) -> Pass:
    """Sweep the outputs on all batches of a split and, with `pick`, find their bubbles."""
    sweeps, detections, arrival_sample, expected = [], [], [], []
    needs_threshold = True
    for batch, answered in batches:
        sweeps.append(tolerance_sweep(answered.output, batch.count))
        expected += answered.expected.tolist()
        needs_threshold = answered.needs_threshold
        if pick:
            detections += answered.detections()
            arrival_sample += [bubbles.arrival_sample for bubbles in batch.bubbles]
    if not sweeps:
        raise InputError("the split is empty: simulate at least one signal for it first")
    sweep = Sweep.concatenate(sweeps)
    return Pass(sweep, detections, expected, arrival_sample, needs_threshold)


def predict(
    split: RFDataset,
    network: Localizer,
    batch_size: int = 16,
    network_samples: Fraction = Fraction(1),
) -> Batches:
    """Apply a network to all lines of a split, see `answer`, with a progress bar."""
    batches = -(-len(split) // batch_size)
    what = printable(f"predict {split.path}")
    bar = tqdm(split.batches(batch_size), what, total=batches, unit="batch")
    with evaluating(network):
        for batch in bar:
            yield batch, answer(network, batch.rf, network_samples)
