"""Splits of a dataset folder: the lines that training and evaluation read, with their noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data.dataset import Batch, RFDataset
from bubbleloc.data.noise import NO_NOISE, Noise
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

    def batches(self, size: int = 16) -> Iterator[Batch]:
        """Yield the lines of the split with their truth, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            signals = self.signals[start : start + size]
            yield Batch(
                rf=np.stack([self.lines.volts(signal) for signal in signals]),
                count=np.stack([self.lines.count(signal) for signal in signals]),
                arrival_sample=[self.lines.arrival_sample(signal) for signal in signals],
            )

    def volts(self, index: int) -> Float32s:
        """RF line (L,) of the split's signal `index`, with its noise."""
        return self.lines.volts(self.signals[index])

    def count(self, index: int) -> Float32s:
        """Bubbles per sample, (L,)."""
        return self.lines.count(self.signals[index])

    def arrival_sample(self, index: int) -> Floats:
        """Arrival samples of the bubbles, not rounded."""
        return self.lines.arrival_sample(self.signals[index])

    @property
    def path(self) -> Path:
        """The dataset file."""
        return self.lines.path

    @property
    def samples(self) -> int:
        """Samples of a line."""
        return self.lines.samples

    @property
    def pressure_pa(self) -> Floats:
        """Transmitted pressure amplitude of each signal, (n,)."""
        return self.lines.pressure_pa[list(self.signals)]

    @property
    def bubbles(self) -> Ints:
        """Number of bubbles in each signal, (n,)."""
        return np.diff(self.lines.offset)[list(self.signals)]

    @property
    def scale(self) -> Scale:
        """What a sample is worth; λ is that of the published pulse unless the dataset says so."""
        physics = settings_of(self.path).get("physics")
        frequency_hz = (physics if isinstance(physics, dict) else {}).get("frequency_hz")
        return Scale(
            self.lines.sampling_rate_hz,
            self.lines.speed_of_sound_m_s,
            frequency_hz or Setup.frequency_hz,
        )

    @property
    def key(self) -> str:
        """Text that is equal for equal lines with equal noise, and no other."""
        noise = self.lines.noise
        of_lines = f"{fingerprint(self.path)} noise {noise.level:g}"
        if noise.snr_db is not None:
            of_lines += f" snr {noise.snr_db:g} dB"
        whole = len(self) == len(self.lines)
        return of_lines if whole else f"{of_lines} of {len(self)} held out"

    def __str__(self) -> str:
        held_out = "" if len(self) == len(self.lines) else f" of {len(self.lines)}"
        return f"{self.path}, {len(self)}{held_out} signals"


def open_split(
    folder: Path, name: str, noise: Noise = NO_NOISE, noise_seed: int | None = None
) -> Split:
    """Open a split of a dataset folder.

    Where an imported dataset has no ``val.h5``, a random fifth of ``train.h5``, the same for all
    runs, is its split "val" and the rest its split "train".

    Args:
        noise_seed: None for that of evaluations.

    Raises:
        InputError: missing, incomplete or unreadable.
    """
    folder = Path(folder)
    train = folder / "train.h5"
    divided = name != "test" and not (folder / "val.h5").exists() and is_imported(train)
    seed = _NOISE_SEEDS[name] if noise_seed is None else noise_seed
    lines = RFDataset(train if divided else folder / f"{name}.h5", noise, seed)
    if not divided:
        return Split(lines, range(len(lines)))
    training, held_out = _divide(lines)
    return Split(lines, held_out if name == "val" else training)


def _divide(lines: RFDataset) -> tuple[Sequence[int], Sequence[int]]:
    """Return the signals to train on and a random fifth to validate on."""
    if lines.signals < 2:
        raise InputError(f"{lines.path} has one signal and no val.h5 beside it; import more")
    order = np.random.default_rng(HELD_OUT_SEED).permutation(lines.signals).tolist()
    validating = max(1, round(HELD_OUT * lines.signals))
    return sorted(order[validating:]), sorted(order[:validating])
