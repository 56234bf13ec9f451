"""Is one run better than another? Summaries, paired tests and effect sizes on the same signals.

Every function takes tidy scores: a row per run × signal × tolerance, with columns `run`, `signal`,
`tolerance` and `f1`.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError

_NUMBERS_AT_A_TIME = 2**16
"""Drawn by the bootstrap, so that resamples of many signals do not fill the memory."""

_DIGITS = 7
"""Decimals of F1 that count; files hold eight significant digits."""

_STATISTICS: dict[str, Callable[..., Any]] = {"median": np.median, "mean": np.mean}


def summarize(
    scores: pd.DataFrame, by: tuple[str, ...] = ("run", "tolerance"), resamples: int = 2000
) -> pd.DataFrame:
    """Median and mean F1 with 95 % confidence intervals, a row per group of `by`.

    The intervals are percentile bootstraps over signals with a fixed seed, so that a table does
    not change from one call to the next. A single signal has no interval (NaN).
    """
    rows = []
    for key, group in scores.groupby(list(by), sort=False, observed=True):
        f1 = group["f1"].to_numpy(dtype=np.float64)
        row: dict[str, object] = dict(zip(by, key, strict=True))
        row["signals"] = len(f1)
        for name, statistic in _STATISTICS.items():
            row[name] = float(statistic(f1))
            row[f"{name}_low"], row[f"{name}_high"] = _interval(f1, statistic, resamples)
        rows.append(row)
    return pd.DataFrame(rows)


def compare_pairs(scores: pd.DataFrame) -> pd.DataFrame:
    """Wilcoxon signed-rank test of every pair of runs at every tolerance.

    Columns: tolerance, run_a, run_b, signals, median_difference and mean_difference (a − b),
    `effect` (matched-pairs rank-biserial correlation, −1…1, positive where a is better; Kerby
    2014), `p` (two-sided) and `p_holm` (Holm's correction over all rows of the table).

    Raises:
        InputError: two runs were not scored on the same signals and tolerances.
    """
    runs = list(dict.fromkeys(scores["run"]))
    if len(runs) < 2:
        raise InputError("a paired test needs two runs or more: name another run to compare with")
    wide = scores.pivot(index=["tolerance", "signal"], columns="run", values="f1")
    if wide.isna().to_numpy().any():
        raise InputError(
            "the runs were scored on different signals or tolerances: evaluate all of them on "
            "the same test data"
        )
    rows = []
    for tolerance, table in wide.groupby(level="tolerance"):
        for a, b in combinations(runs, 2):
            difference = (table[a] - table[b]).to_numpy(dtype=np.float64)
            effect, p = signed_rank(difference)
            rows.append(
                {
                    "tolerance": tolerance,
                    "run_a": a,
                    "run_b": b,
                    "signals": len(difference),
                    "median_difference": float(np.median(difference)),
                    "mean_difference": float(np.mean(difference)),
                    "effect": effect,
                    "p": p,
                }
            )
    pairs = pd.DataFrame(rows)
    pairs["p_holm"] = multipletests(pairs["p"], method="holm")[1]
    return pairs


def signed_rank(difference: Floats) -> tuple[float, float]:
    """Matched-pairs rank-biserial correlation and two-sided Wilcoxon p of paired differences.

    Zero differences are dropped, as Wilcoxon did; where all are zero the effect is 0 and p is 1.
    Differences that only rounding tells apart (0.3 − 0.2 and 0.2 − 0.1) are ties. p is exact for
    up to 13 differences, and up to 50 without ties; then it is that of the normal approximation.
    """
    rounded = np.round(difference, _DIGITS)
    changed = rounded[rounded != 0]
    if changed.size == 0:
        return 0.0, 1.0
    rank = stats.rankdata(np.abs(changed))
    effect = float(rank @ np.sign(changed) / rank.sum())
    return effect, float(stats.wilcoxon(changed).pvalue)


def _interval(f1: Floats, statistic: Callable[..., Any], resamples: int) -> tuple[float, float]:
    if f1.size < 2:
        return float("nan"), float("nan")
    result = stats.bootstrap(
        (f1,),
        statistic,
        n_resamples=resamples,
        batch=max(1, _NUMBERS_AT_A_TIME // f1.size),
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
