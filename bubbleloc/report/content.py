"""What a report is made from, and the tables in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bubbleloc.detections import Scale
from bubbleloc.figures.line import Example
from bubbleloc.figures.scores import rival_name, rivals
from bubbleloc.matched import Found
from bubbleloc.metrics import Sweep, scores_at
from bubbleloc.report.tables import with_intervals
from bubbleloc.statistics import summarize

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """All that the report of a run is made from.

    Attributes:
        selection: sweep of the split on which thresholds are chosen.
        selection_split: its name, ``train`` (as published) or ``val``.
        test: sweep of the test split, n signals.
        random_f1: what noise reaches on the test signals, (n, T), see ``metrics.random_floor``.
        bubbles: number of bubbles in each test signal, (n,).
        pressure_pa: transmitted pressure amplitude of each test signal, (n,).
        test_fingerprint: any text that is equal for equal test data and no other.
        facts: what to tell the reader about the run, name → value.
        examples: test signals to show.
        baselines: name → F1 of a classical method on the test signals, (n, T), at its own best
            thresholds of the selection split.
        selection_found: peaks and bubbles of the selection split, for one-to-one scores.
        test_found: those of the test split; one-to-one scores need both.
        rivals_found: name → both of a method to beat, random output included.
        noise_scores: test scores at several levels of added noise, as `signal_scores` gives them
            and with a column `noise`.
        scale: what a sample is worth in µm and wavelengths.
    """

    selection: Sweep
    selection_split: str
    test: Sweep
    random_f1: Floats
    bubbles: NDArray[np.int64]
    pressure_pa: Floats
    test_fingerprint: str
    facts: Mapping[str, str]
    examples: Sequence[Example] = ()
    baselines: Mapping[str, Floats] = field(default_factory=dict)
    selection_found: Found | None = None
    test_found: Found | None = None
    rivals_found: Mapping[str, tuple[Found, Found]] = field(default_factory=dict)
    noise_scores: pd.DataFrame | None = None
    scale: Scale = field(default_factory=Scale)


def signal_scores(evaluation: Evaluation, thresholds: Floats) -> pd.DataFrame:
    """Tidy test scores: a row per signal × tolerance, at the threshold of that tolerance."""
    at = scores_at(evaluation.test, thresholds)
    n, t = at.f1.shape
    return pd.DataFrame(
        {
            "signal": np.repeat(np.arange(n), t),
            "tolerance": np.tile(at.tolerances, n),
            "threshold": np.tile(at.thresholds, n),
            "f1": at.f1.ravel(),
            "precision": at.precision.ravel(),
            "recall": at.recall.ravel(),
            "random_f1": np.ravel(evaluation.random_f1),
            **{f"{name}_f1": np.ravel(f1) for name, f1 in evaluation.baselines.items()},
            "bubbles": np.repeat(evaluation.bubbles, t),
            "pressure_pa": np.repeat(np.asarray(evaluation.pressure_pa, dtype=np.float64), t),
        }
    )


def summary_table(
    scores: pd.DataFrame, scale: Scale, by: tuple[str, ...] = ("tolerance",)
) -> pd.DataFrame:
    """Median and mean F1 with intervals, threshold and floor; a row per tolerance, or per `by`."""
    table = summarize(scores, by=by)
    means = scores.groupby(list(by), sort=False)[["threshold", *rivals(scores)]].mean()
    means = means.reset_index(drop=True)
    after = len(by)
    table.insert(after, "um", scale.um_per_sample * table["tolerance"])
    table.insert(after + 1, "wavelengths", scale.wavelengths_per_sample * table["tolerance"])
    table.insert(after + 2, "threshold", means["threshold"])
    for column in rivals(scores):
        table[f"{column.removesuffix('_f1')}_mean"] = means[column]
    return table


def shown_summary(summary: pd.DataFrame) -> pd.DataFrame:
    """Render the summary as a page shows it."""
    headings = {"tolerance": "± samples", "um": "µm", "wavelengths": "λ"}
    for column in map(str, summary.columns):
        if column.endswith("_mean"):
            headings[column] = rival_name(column.removesuffix("_mean") + "_f1")
    return with_intervals(summary.drop(columns="signals")).rename(columns=headings)


def sweep_table(sweep: Sweep) -> pd.DataFrame:
    """Mean and median F1, mean precision and recall, a row per tolerance × threshold."""
    t, k = len(sweep.tolerances), len(sweep.thresholds)
    return pd.DataFrame(
        {
            "tolerance": np.repeat(sweep.tolerances, k),
            "threshold": np.tile(sweep.thresholds, t),
            "f1": sweep.f1.mean(axis=0).ravel(),
            "f1_median": np.median(sweep.f1, axis=0).ravel(),
            "precision": sweep.precision.mean(axis=0).ravel(),
            "recall": sweep.recall.mean(axis=0).ravel(),
        }
    )


def threshold_table(evaluation: Evaluation, chosen: Floats) -> pd.DataFrame:
    """Chosen threshold per tolerance, with its mean F1 on the split it was chosen on."""
    return pd.DataFrame(
        {
            "tolerance": evaluation.selection.tolerances,
            "threshold": chosen,
            "f1": scores_at(evaluation.selection, chosen).f1.mean(axis=0),
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
