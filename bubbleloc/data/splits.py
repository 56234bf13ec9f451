"""The lines that an evaluation scores: a split of a dataset folder, with its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.noise import REFERENCE_V, Noise
from bubbleloc.data.store import fingerprint, is_imported, settings_of
from bubbleloc.errors import InputError
from bubbleloc.physics import Setup
from bubbleloc.physics.scale import Scale

HELD_OUT = 0.2  # of the training signals, where an imported dataset has no validation split
HELD_OUT_SEED = 0  # the same for all runs, so that they are compared on the same signals
_NOISE_SEEDS = {"train": 1, "val": 1, "test": 2}  # selection and test have noise of their own


@dataclass(frozen=True)
class Split:
    """Signals of a dataset file, all of them or those that training left out."""

    lines: RFDataset
    signals: Sequence[int]

    def __len__(self) -> int:
        return len(self.signals)

    def volts(self, index: int) -> NDArray[np.float32]:
        """RF line (L,) of the split's signal `index`, with its noise."""
        return self.lines.volts(self.signals[index])

    def count(self, index: int) -> NDArray[np.float32]:
        """Bubbles per sample, (L,)."""
        return self.lines.count(self.signals[index])

    def arrival_sample(self, index: int) -> NDArray[np.float64]:
        """Arrival samples of the bubbles, not rounded."""
        return self.lines.arrival_sample(self.signals[index])

    @property
    def bubbles(self) -> NDArray[np.int64]:
        """Number of bubbles in each signal, (n,)."""
        return np.diff(self.lines.offset)[list(self.signals)]

    @property
    def scale(self) -> Scale:
        """What a sample is worth; λ is that of the published pulse unless the dataset says so."""
        physics = settings_of(self.lines.path).get("physics")
        frequency_hz = (physics if isinstance(physics, dict) else {}).get("frequency_hz")
        return Scale(
            self.lines.sampling_rate_hz,
            self.lines.speed_of_sound_m_s,
            frequency_hz or Setup.frequency_hz,
        )

    @property
    def key(self) -> str:
        """Text that is equal for equal lines with equal noise, and no other."""
        of_lines = f"{fingerprint(self.lines.path)} noise {self.lines.noise:g}"
        if self.lines.snr_db is not None:
            of_lines += f" snr {self.lines.snr_db:g} dB"
        whole = len(self) == len(self.lines)
        return of_lines if whole else f"{of_lines} of {len(self)} held out"

    def __str__(self) -> str:
        held_out = "" if len(self) == len(self.lines) else f" of {len(self.lines)}"
        return f"{self.lines.path}, {len(self)}{held_out} signals"


def open_split(folder: Path, name: str, noise: Noise) -> Split:
    """Open a split of a dataset folder.

    Where an imported dataset has no ``val.h5``, training held a fifth of ``train.h5`` out; that
    fifth is `val` here too, and the rest is `train`.

    Raises:
        InputError: missing, incomplete or unreadable.
    """
    path, train = folder / f"{name}.h5", folder / "train.h5"
    divided = not (folder / "val.h5").exists() and is_imported(train) and name in ("train", "val")
    chosen = train if divided else path
    lines = RFDataset(chosen, noise.level, _NOISE_SEEDS[name], noise.snr_db)
    if not divided:
        return Split(lines, range(len(lines)))
    training, held_out = hold_out(lines)
    return Split(lines, held_out if name == "val" else training)


def describe(noise: Noise) -> str:
    """Say how much noise is added."""
    if noise.snr_db is not None:
        return f"white, at a signal-to-noise ratio of {noise.snr_db:g} dB"
    return f"{noise.level:g} (standard deviation {noise.level * REFERENCE_V:g} V)"


def hold_out(lines: RFDataset) -> tuple[Sequence[int], Sequence[int]]:
    """Return the signals to train on and a random fifth to validate on."""
    if lines.signals < 2:
        raise InputError(f"{lines.path} has one signal and no val.h5 beside it; import more")
    order = np.random.default_rng(HELD_OUT_SEED).permutation(lines.signals).tolist()
    validating = max(1, round(HELD_OUT * lines.signals))
    return sorted(order[validating:]), sorted(order[:validating])
