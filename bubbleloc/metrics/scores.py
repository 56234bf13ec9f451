"""Scores of several methods on the same signals: one table, alike in memory and in files.

A row is one signal × tolerance. It has the columns ``signal``, ``tolerance``, ``threshold`` and the
`METRICS` of the network, then threshold and metrics of every baseline with its name in front, such
as ``random_f1``, then ``bubbles`` and ``pressure_pa`` of the signal. Tables of several runs, levels
of noise or conditions say which in a column more.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from bubbleloc.arrays import Floats, Ints
from bubbleloc.metrics.thresholds import Scores

NETWORK = "network"
BASELINES = {
    "random": "random output",
    "matched_filter": "matched filter",
    "wiener": "Wiener",
    "sparse": "sparse (L1)",
}
"""Methods beside the network, and how figures and tables call them."""


class Metric(NamedTuple):
    """A score of the published kind, one value per signal, tolerance and threshold.

    Attributes:
        heading: what tables call it.
        of: the function that gives it; its array has the shape of ``Scores.f1``.
    """

    heading: str
    of: Callable[[Scores], Floats]


METRICS: dict[str, Metric] = {
    "f1": Metric("F1", lambda scores: scores.f1),
    "precision": Metric("precision", lambda scores: scores.precision),
    "recall": Metric("recall", lambda scores: scores.recall),
}
"""By the name of their column in every table of scores."""


def score_table(methods: Mapping[str, Scores], bubbles: Ints, pressure_pa: Floats) -> pd.DataFrame:
    """Return the table of n signals × T tolerances.

    Args:
        methods: scores by name of the method, those of `NETWORK` among them.
        bubbles, pressure_pa: number of bubbles and transmitted pressure of each signal, (n,).
    """
    n, t = methods[NETWORK].f1.shape
    columns: dict[str, Ints | Floats] = {
        "signal": np.repeat(np.arange(n), t),
        "tolerance": np.tile(methods[NETWORK].tolerances, n),
    }
    for method, scores in methods.items():
        prefix = "" if method == NETWORK else f"{method}_"
        columns[f"{prefix}threshold"] = np.tile(scores.thresholds, n)
        columns |= {
            f"{prefix}{name}": metric.of(scores).ravel() for name, metric in METRICS.items()
        }
    columns["bubbles"] = np.repeat(bubbles, t)
    columns["pressure_pa"] = np.repeat(np.asarray(pressure_pa, dtype=np.float64), t)
    return pd.DataFrame(columns)


def baselines_in(scores: pd.DataFrame) -> list[str]:
    """Return the names of the baselines that a table has scores of."""
    return [method for method in BASELINES if f"{method}_f1" in scores]
