"""Scores of several methods on the same signals, as one tidy table.

In memory a row is one method × signal × tolerance, with the `COLUMNS` below. Public files have a
row per signal × tolerance instead, with the scores of the network, and the F1 of every other
method in a column of its own, such as ``random_f1``.
"""

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

_MEASURED = ["threshold", "f1", "precision", "recall"]
_SIGNAL = ["bubbles", "pressure_pa"]
COLUMNS = ["method", "signal", "tolerance", *_MEASURED, *_SIGNAL]


def score_table(method: str, scores: Scores, bubbles: Ints, pressure_pa: Floats) -> pd.DataFrame:
    """Tidy scores of one method on n signals.

    Args:
        bubbles, pressure_pa: number of bubbles and transmitted pressure of each signal, (n,).
    """
    n, t = scores.f1.shape
    values: dict[str, object] = {
        "method": method,
        "signal": np.repeat(np.arange(n), t),
        "tolerance": np.tile(scores.tolerances, n),
        "threshold": np.tile(scores.thresholds, n),
        "f1": scores.f1.ravel(),
        "precision": scores.precision.ravel(),
        "recall": scores.recall.ravel(),
        "bubbles": np.repeat(bubbles, t),
        "pressure_pa": np.repeat(np.asarray(pressure_pa, dtype=np.float64), t),
    }
    return pd.DataFrame(values, columns=COLUMNS)


def baselines_in(scores: pd.DataFrame) -> list[str]:
    """Methods of a tidy table other than the network, in their order."""
    return [method for method in scores["method"].unique() if method != NETWORK]


def of_method(scores: pd.DataFrame, method: str = NETWORK) -> pd.DataFrame:
    """Rows of one method, without the column `method`."""
    return scores[scores["method"] == method].drop(columns="method")


def to_public(scores: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores with the columns of ``f1_test.csv``: one F1 column per baseline."""
    network = of_method(scores).reset_index(drop=True)
    baselines = {
        f"{method}_f1": of_method(scores, method)["f1"].to_numpy()
        for method in baselines_in(scores)
    }
    columns = [name for name in network if name not in _SIGNAL]
    return network.assign(**baselines)[[*columns, *baselines, *_SIGNAL]]


def from_public(table: pd.DataFrame) -> pd.DataFrame:
    """Read ``f1_test.csv`` back as tidy scores; of baselines it holds the F1 alone."""
    columns = {method: f"{method}_f1" for method in BASELINES if f"{method}_f1" in table}
    network = table.drop(columns=list(columns.values()))
    tables = [network.assign(method=NETWORK)]
    for method, column in columns.items():
        unknown = {name: np.nan for name in _MEASURED if name in network}
        tables.append(network.assign(method=method, **unknown | {"f1": table[column]}))
    scores = pd.concat(tables, ignore_index=True)
    return scores[["method", *network.columns]]
