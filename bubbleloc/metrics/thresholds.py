"""Scores at every tolerance and threshold, and the choice of one threshold per tolerance.

:func:`bubbleloc.metrics.tolerance_sweep` scores a batch of signals. Of the split on which
thresholds are chosen only means are kept, of the one that is scored only what the chosen
thresholds give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bubbleloc.errors import InputError
from bubbleloc.metrics.spool import Spool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLDS: tuple[float, ...] = (
    *(10.0 ** (exponent / 2) for exponent in range(-10, -2)),
    *(step / 20 for step in range(2, 19)),
)
"""Published thresholds on the network output: 10^-5, 10^-4.5 … 10^-1.5, then 0.1, 0.15 … 0.9."""

TOLERANCES: tuple[int, ...] = tuple(range(10))
"""Published localization tolerances in samples."""

QUOTED_TOLERANCE = 4
"""Samples; the tolerance that both studies quote."""


@dataclass(frozen=True)
class Sweep:
    """Scores of n signals at every tolerance and threshold; score arrays are (n, T, K).

    Precision and recall are those that enter the F1: never zero, but at least 1e-3.
    """

    f1: Floats
    precision: Floats
    recall: Floats
    thresholds: Floats
    tolerances: Ints

    def __len__(self) -> int:
        return len(self.f1)

    @classmethod
    def concatenate(cls, sweeps: Sequence[Sweep]) -> Sweep:
        """Join the sweeps of consecutive batches of signals, all on the same grid."""
        if not sweeps:
            raise InputError("no sweeps to concatenate: score at least one batch of signals first")
        for sweep in sweeps[1:]:
            _require_same_grid(sweeps[0], sweep)
        return replace(sweeps[0], **_joined(sweeps))


@dataclass(frozen=True)
class MeanSweep:
    """Means over n signals at every tolerance and threshold, and the median F1: (T, K) each."""

    f1: Floats
    f1_median: Floats
    precision: Floats
    recall: Floats
    thresholds: Floats
    tolerances: Ints
    signals: int

    def __len__(self) -> int:
        return self.signals

    @classmethod
    def of(cls, sweeps: Iterable[Sweep]) -> MeanSweep:
        """Reduce the sweeps of consecutive batches of signals, all on the same grid, one by one."""
        first: Sweep | None = None
        total, f1 = np.zeros(()), Spool()
        for sweep in sweeps:
            first = first or sweep
            _require_same_grid(first, sweep)
            total = total + np.sum((sweep.f1, sweep.precision, sweep.recall), axis=1)
            f1.append(sweep.f1)
        if first is None or len(f1) == 0:
            raise InputError("no signals to choose thresholds on: the selection split is empty")
        mean_f1, precision, recall = total / len(f1)
        return cls(
            f1=mean_f1,
            f1_median=f1.median(),
            precision=precision,
            recall=recall,
            thresholds=first.thresholds,
            tolerances=first.tolerances,
            signals=len(f1),
        )


@dataclass(frozen=True)
class Scores:
    """Scores of n signals at one threshold per tolerance; score arrays are (n, T)."""

    f1: Floats
    precision: Floats
    recall: Floats
    thresholds: Floats
    tolerances: Ints

    def __len__(self) -> int:
        return len(self.f1)

    @classmethod
    def concatenate(cls, scores: Sequence[Scores]) -> Scores:
        """Join the scores of consecutive batches of signals, all at the same thresholds."""
        if not scores:
            raise InputError("no scores to concatenate: score at least one batch of signals first")
        return replace(scores[0], **_joined(scores))


def best_thresholds(selection: Sweep | MeanSweep) -> Floats:
    """Threshold of highest mean F1 over the signals, per tolerance: (T,).

    `selection` must come from the split on which thresholds are chosen, never from the test split.
    """
    if len(selection) == 0:
        raise InputError("no signals to choose thresholds on: the selection split is empty")
    mean_f1 = selection.f1 if isinstance(selection, MeanSweep) else selection.f1.mean(axis=0)
    best: Floats = selection.thresholds[mean_f1.argmax(axis=1)]
    return best


def scores_at(sweep: Sweep, thresholds: ArrayLike) -> Scores:
    """Pick from `sweep` the scores at one threshold per tolerance, (T,), of its own grid."""
    chosen = np.asarray(thresholds, dtype=np.float64)
    if chosen.shape != sweep.tolerances.shape:
        raise InputError(
            f"{chosen.size} thresholds for {sweep.tolerances.size} tolerances: give one for each"
        )
    index = np.abs(sweep.thresholds - chosen[:, None]).argmin(axis=1)
    on_grid = np.isclose(sweep.thresholds[index], chosen, rtol=1e-6, atol=0.0)
    if not on_grid.all():
        raise InputError(
            f"threshold {chosen[~on_grid][0]:g} is not in the sweep: "
            "score the test split with the thresholds of the selection split"
        )
    row = np.arange(len(index))
    return Scores(
        f1=sweep.f1[:, row, index],
        precision=sweep.precision[:, row, index],
        recall=sweep.recall[:, row, index],
        thresholds=sweep.thresholds[index],
        tolerances=sweep.tolerances,
    )


def _joined(batches: Sequence[Sweep] | Sequence[Scores]) -> dict[str, Any]:
    """Score arrays of consecutive batches of signals as those of one."""
    return {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("f1", "precision", "recall")
    }


def _require_same_grid(first: Sweep, other: Sweep) -> None:
    if not (
        np.array_equal(first.thresholds, other.thresholds)
        and np.array_equal(first.tolerances, other.tolerances)
    ):
        raise InputError("sweeps of different thresholds or tolerances cannot be joined")
