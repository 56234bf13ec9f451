"""What the report of one run is made from, and its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bubbleloc.metrics import Sweep, best_thresholds
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method
from bubbleloc.metrics.statistics import summarize
from bubbleloc.report.certainty import Certainty
from bubbleloc.report.figures.line import Example
from bubbleloc.tables import with_intervals
from bubbleloc.units import Scale


@dataclass(frozen=True)
class Evaluation:
    """All that the report of a run is made from.

    Attributes:
        scale: what a sample of the test lines is worth in µm and wavelengths.
        selection: sweep of the split on which thresholds are chosen.
        selection_split: its name, ``train`` (as published) or ``val``.
        scores: tidy scores of the network and the baselines on the test signals, see
            `bubbleloc.metrics.scores`.
        test_fingerprint: any text that is equal for equal test data and no other.
        facts: what to tell the reader about the run, name → value.
        checkpoint: fingerprint of the checkpoint that was scored.
        one_to_one: one-to-one scores with a column `method`, see `bubbleloc.metrics.one_to_one`.
        outcomes: of the network at the quoted tolerance, see `bubbleloc.metrics.breakdown`.
        noise: tidy scores at several levels of noise, with a column `noise` in front.
        examples: test signals to show.
        certainty: of a network with a head of emitters.
    """

    scale: Scale
    selection: Sweep
    selection_split: str
    scores: pd.DataFrame
    test_fingerprint: str
    facts: Mapping[str, str]
    checkpoint: str = ""
    one_to_one: pd.DataFrame | None = None
    outcomes: pd.DataFrame = field(default_factory=pd.DataFrame)
    noise: pd.DataFrame | None = None
    examples: Sequence[Example] = ()
    certainty: Certainty | None = None


def summary_table(scores: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Median and mean F1 of the network with intervals, and the means of the baselines.

    A row per tolerance, and per level of noise where `scores` has a column `noise`.
    """
    by = [name for name in ("noise", "tolerance") if name in scores]
    network = of_method(scores)
    table = summarize(network, by=tuple(by))
    threshold = network.groupby(by, sort=False)["threshold"].first().to_numpy()
    table.insert(len(by), "threshold", threshold)
    for name in reversed(list(scale.units)[1:]):
        table.insert(len(by), name, scale.units[name] * table["tolerance"])
    for method in baselines_in(scores):
        means = of_method(scores, method).groupby(by, sort=False)["f1"].mean()
        table[f"{method}_mean"] = means.to_numpy()
    return table


def shown_summary(summary: pd.DataFrame) -> pd.DataFrame:
    """Render the summary as a page shows it."""
    headings = {"tolerance": "± samples", "um": "µm", "wavelengths": "λ"}
    headings |= {f"{method}_mean": name for method, name in BASELINES.items()}
    return with_intervals(summary.drop(columns="signals")).rename(columns=headings)


def sweep_table(sweep: Sweep) -> pd.DataFrame:
    """Mean and median F1, mean precision and recall, a row per tolerance × threshold."""
    t, k = sweep.f1.shape[1:]
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


def threshold_table(evaluation: Evaluation) -> pd.DataFrame:
    """Chosen threshold per tolerance, with its mean F1 on the split it was chosen on."""
    selection = evaluation.selection
    return pd.DataFrame(
        {
            "tolerance": selection.tolerances,
            "threshold": best_thresholds(selection),
            "f1": selection.f1.mean(axis=0).max(axis=1),
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
