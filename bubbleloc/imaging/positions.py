"""Bubbles that a method found in a frame: where they are, and how certain that is."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.errors import InputError

POSITION_COLUMNS = [
    *("frame", "x_mm", "z_mm", "x_sigma_mm", "z_sigma_mm"),
    *("probability", "height"),
]
"""Of a table of positions."""


def _unknown() -> Floats:
    return np.asarray(np.nan)


@dataclass(frozen=True, eq=False)
class Positions:
    """Bubbles found in one frame, (n,) float64 each; what a method does not tell is NaN.

    Attributes:
        x_m: lateral position.
        z_m: depth.
        x_sigma_m, z_sigma_m: standard deviations of the position.
        probability: probability that there is a bubble.
        height: strength of the bubble in the units of the method; stronger is more certain.
    """

    x_m: Floats
    z_m: Floats
    x_sigma_m: Floats = field(default_factory=_unknown)
    z_sigma_m: Floats = field(default_factory=_unknown)
    probability: Floats = field(default_factory=_unknown)
    height: Floats = field(default_factory=_unknown)

    def __post_init__(self) -> None:
        size = np.size(self.x_m)
        for row in fields(self):
            values = np.asarray(getattr(self, row.name), dtype=np.float64)
            if values.shape not in ((), (size,)):
                raise InputError(f"positions: {row.name} of shape {values.shape}, x_m of {size}")
            object.__setattr__(self, row.name, np.broadcast_to(values, size))

    def __len__(self) -> int:
        return self.x_m.size

    def __getitem__(self, chosen: slice | Ints | NDArray[np.bool_]) -> Self:
        return type(self)(*(getattr(self, row.name)[chosen] for row in fields(self)))

    @property
    def confidence(self) -> Floats:
        """What sorts them by certainty, (n,): the probability, or else the height."""
        return np.where(np.isnan(self.probability), self.height, self.probability)

    def above(self, threshold: float | None) -> Self:
        """Return those of a confidence above ``threshold``; all where there is none."""
        return self if threshold is None else self[self.confidence > threshold]

    def to_table(self, frame: int) -> pd.DataFrame:
        """Return a row per bubble with the columns `POSITION_COLUMNS`."""
        values = {
            "frame": np.full(len(self), frame),
            "x_mm": 1e3 * self.x_m,
            "z_mm": 1e3 * self.z_m,
            "x_sigma_mm": 1e3 * self.x_sigma_m,
            "z_sigma_mm": 1e3 * self.z_sigma_m,
            "probability": self.probability,
            "height": self.height,
        }
        return pd.DataFrame(values)[POSITION_COLUMNS]


FrameMethod = Callable[[Float32s], Positions]
"""Finds the bubbles in the RF lines (E, L) of a frame."""
