"""Scores at every tolerance and threshold, and the choice of one threshold per tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError

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
class Scores:
    """Scores of n signals at one threshold per tolerance; score arrays are (n, T).

    Precision and recall are those that enter the F1: never zero, but at least 1e-3.
    """

    f1: Floats
    precision: Floats
    recall: Floats
    thresholds: Floats
    tolerances: Ints

    def __len__(self) -> int:
        return len(self.f1)


class Sweep(Scores):
    """Scores of n signals at every tolerance and every threshold; score arrays are (n, T, K)."""

    @classmethod
    def concatenate(cls, sweeps: Sequence[Self]) -> Self:
        """Join the sweeps of consecutive batches of signals, all on the same grid."""
        f1, precision, recall = (
            np.concatenate([getattr(sweep, name) for sweep in sweeps])
            for name in ("f1", "precision", "recall")
        )
        return cls(f1, precision, recall, sweeps[0].thresholds, sweeps[0].tolerances)


def best_thresholds(selection: Sweep) -> Floats:
    """Threshold of highest mean F1 over the signals, per tolerance: (T,).

    `selection` must come from the split on which thresholds are chosen, never from the test split.

    Raises:
        InputError: no signals.
    """
    if len(selection) == 0:
        raise InputError("no signals to choose thresholds on: the selection split is empty")
    best: Floats = selection.thresholds[selection.f1.mean(axis=0).argmax(axis=1)]
    return best


def scores_at(sweep: Sweep, thresholds: ArrayLike) -> Scores:
    """Pick from `sweep` the scores at one threshold per tolerance, (T,), of its own grid.

    Raises:
        InputError: another number of thresholds, or one that is not in the sweep.
    """
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
    f1, precision, recall = (
        scores[:, row, index] for scores in (sweep.f1, sweep.precision, sweep.recall)
    )
    return Scores(f1, precision, recall, sweep.thresholds[index], sweep.tolerances)
