"""What a report is made from, and the tables in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bubbleloc.metrics.breakdown import Breakdown
from bubbleloc.metrics.detections import Detections
from bubbleloc.metrics.one_to_one import MatchedScores
from bubbleloc.metrics.spool import Spool
from bubbleloc.metrics.statistics import summarize
from bubbleloc.metrics.thresholds import MeanSweep, Scores, best_thresholds
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.line import Example
from bubbleloc.report.figures.scores import rival_name, rivals
from bubbleloc.report.tables import with_intervals

Floats = NDArray[np.float64]

_SIGNALS_AT_A_TIME = 512  # of which a table is made, to be written


@dataclass(frozen=True)
class OneToOne:
    """One-to-one scores of the test split, counted line by line.

    Attributes:
        scores: at every tolerance.
        breakdown: at one tolerance.
    """

    scores: MatchedScores
    breakdown: Breakdown

    @classmethod
    def of(cls, thresholds: Mapping[int, float], tolerance: int, scale: Scale) -> OneToOne:
        """Start counting at a threshold per tolerance, with a breakdown at one `tolerance`."""
        breakdown = Breakdown(thresholds[tolerance], tolerance, scale)
        return cls(MatchedScores(thresholds, scale), breakdown)

    def add(self, peaks: Detections, arrival_sample: Floats) -> None:
        """Count a line."""
        self.scores.add(peaks, arrival_sample)
        self.breakdown.add(peaks, arrival_sample)


@dataclass(frozen=True)
class NoiseCurve:
    """Test scores at several levels of added noise.

    Attributes:
        rows: a row per level × signal × tolerance, as `signal_scores` gives them and with a
            field `noise`; on disk.
        summary: a row per level × tolerance, likewise with a column `noise`.
    """

    rows: Spool
    summary: pd.DataFrame


@dataclass(frozen=True)
class Evaluation:
    """All that the report of a run is made from.

    Attributes:
        selection: mean sweep of the split on which thresholds are chosen.
        selection_split: its name, ``train`` (as published) or ``val``.
        test: scores of the n test signals at these thresholds.
        random_f1: what noise reaches on the test signals, (n, T), see ``metrics.random_floor``.
        bubbles: number of bubbles in each test signal, (n,).
        pressure_pa: transmitted pressure amplitude of each test signal, (n,).
        test_fingerprint: any text that is equal for equal test data and no other.
        facts: what to tell the reader about the run, name → value.
        scale: what a sample is worth in µm and wavelengths.
        examples: test signals to show.
        baselines: name → F1 of a classical method on the test signals, (n, T), at its own best
            thresholds of the selection split.
        one_to_one: one-to-one scores of the test signals.
        rivals_one_to_one: name → a row of mean one-to-one scores of a method to beat, at the
            tolerance of the breakdown; random output included.
        noise: test scores at several levels of added noise.
    """

    selection: MeanSweep
    selection_split: str
    test: Scores
    random_f1: Floats
    bubbles: NDArray[np.int64]
    pressure_pa: Floats
    test_fingerprint: str
    facts: Mapping[str, str]
    scale: Scale
    examples: Sequence[Example] = ()
    baselines: Mapping[str, Floats] = field(default_factory=dict)
    one_to_one: OneToOne | None = None
    rivals_one_to_one: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    noise: NoiseCurve | None = None


def signal_scores(
    evaluation: Evaluation, signals: slice = slice(None), tolerances: slice = slice(None)
) -> pd.DataFrame:
    """Tidy test scores: a row per signal × tolerance, of all of them or of some."""
    at, part = evaluation.test, (signals, tolerances)
    signal, tolerance = np.arange(len(at))[signals], at.tolerances[tolerances]
    n, t = len(signal), len(tolerance)
    pressure_pa = np.asarray(evaluation.pressure_pa[signals], dtype=np.float64)
    return pd.DataFrame(
        {
            "signal": np.repeat(signal, t),
            "tolerance": np.tile(tolerance, n),
            "threshold": np.tile(at.thresholds[tolerances], n),
            "f1": at.f1[part].ravel(),
            "precision": at.precision[part].ravel(),
            "recall": at.recall[part].ravel(),
            "random_f1": evaluation.random_f1[part].ravel(),
            **{f"{name}_f1": f1[part].ravel() for name, f1 in evaluation.baselines.items()},
            "bubbles": np.repeat(evaluation.bubbles[signals], t),
            "pressure_pa": np.repeat(pressure_pa, t),
        }
    )


def score_tables(evaluation: Evaluation) -> Iterator[pd.DataFrame]:
    """Yield the rows of `signal_scores`, some signals at a time."""
    for first in range(0, len(evaluation.test), _SIGNALS_AT_A_TIME):
        yield signal_scores(evaluation, slice(first, first + _SIGNALS_AT_A_TIME))


def scores_within(evaluation: Evaluation, tolerance: int) -> pd.DataFrame:
    """Rows of `signal_scores` at one tolerance."""
    place = list(evaluation.test.tolerances).index(tolerance)
    return signal_scores(evaluation, tolerances=slice(place, place + 1))


def summary_table(evaluation: Evaluation) -> pd.DataFrame:
    """Median and mean F1 with intervals, threshold and floor; a row per tolerance."""
    rows, scale = [], evaluation.scale
    for tolerance in evaluation.test.tolerances:
        scores = scores_within(evaluation, tolerance)
        row = summarize(scores, by=("tolerance",))
        row.insert(1, "um", scale.um_per_sample * row["tolerance"])
        row.insert(2, "wavelengths", scale.wavelengths_per_sample * row["tolerance"])
        row.insert(3, "threshold", scores["threshold"].iloc[0])
        for column in rivals(scores):
            row[f"{column.removesuffix('_f1')}_mean"] = scores[column].mean()
        rows.append(row)
    return pd.concat(rows, ignore_index=True)


def noise_curve(levels: Iterable[tuple[float, Evaluation]]) -> NoiseCurve:
    """Collect test scores at levels of noise, each at the thresholds chosen at that level."""
    rows, summaries = Spool(), []
    for level, evaluation in levels:
        for table in score_tables(evaluation):
            table.insert(0, "noise", level)
            rows.append(np.asarray(table.to_records(index=False)))
        summary = summary_table(evaluation)
        summary.insert(0, "noise", level)
        summaries.append(summary)
    return NoiseCurve(rows, pd.concat(summaries, ignore_index=True))


def shown_summary(summary: pd.DataFrame) -> pd.DataFrame:
    """Render the summary as a page shows it."""
    headings = {"tolerance": "± samples", "um": "µm", "wavelengths": "λ"}
    for column in map(str, summary.columns):
        if column.endswith("_mean"):
            headings[column] = rival_name(column.removesuffix("_mean") + "_f1")
    return with_intervals(summary.drop(columns="signals")).rename(columns=headings)


def sweep_table(sweep: MeanSweep) -> pd.DataFrame:
    """Mean and median F1, mean precision and recall, a row per tolerance × threshold."""
    t, k = sweep.f1.shape
    return pd.DataFrame(
        {
            "tolerance": np.repeat(sweep.tolerances, k),
            "threshold": np.tile(sweep.thresholds, t),
            "f1": sweep.f1.ravel(),
            "f1_median": sweep.f1_median.ravel(),
            "precision": sweep.precision.ravel(),
            "recall": sweep.recall.ravel(),
        }
    )


def threshold_table(evaluation: Evaluation) -> pd.DataFrame:
    """Chosen threshold per tolerance, with its mean F1 on the split it was chosen on."""
    selection = evaluation.selection
    return pd.DataFrame(
        {
            "tolerance": selection.tolerances,
            "threshold": best_thresholds(selection),
            "f1": selection.f1.max(axis=1),
            "split": evaluation.selection_split,
        }
    )


def line_table(example: Example) -> pd.DataFrame:
    """RF line, network output and true count of an example, a row per sample."""
    length = len(example.rf)
    nearest = np.clip(np.rint(example.arrival_sample).astype(np.int64), 0, length - 1)
    return pd.DataFrame(
        {
            "sample": np.arange(length),
            "rf_v": np.asarray(example.rf, dtype=np.float64),
            "prediction": np.asarray(example.prediction, dtype=np.float64),
            "bubbles": np.bincount(nearest, minlength=length),
        }
    )
