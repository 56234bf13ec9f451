"""Splits of a dataset folder: the lines that training and evaluation read, with their noise."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bubbleloc.data.dataset import Batch, RFDataset
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.store import fingerprint, is_imported, open_dataset
from bubbleloc.errors import InputError, printable

HELD_OUT = 0.2  # of the training signals, where an imported dataset has no validation split
HELD_OUT_SEED = 0  # the same for all runs, so that they are compared on the same signals


class Split(RFDataset):
    """The signals of a split, read batch by batch."""

    def batches(self, size: int = 16) -> Iterator[Batch]:
        """Yield the lines with their truth, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            block = range(start, min(start + size, len(self)))
            yield Batch(
                rf=np.stack([self.volts(index) for index in block]),
                count=np.stack([self.count(index) for index in block]),
                bubbles=[self.bubbles(index) for index in block],
            )

    @property
    def key(self) -> str:
        """Text that is equal for equal lines with equal noise, and no other."""
        of_lines = f"{fingerprint(self.path)} noise {self.noise}"
        if self.noise != NO_NOISE:
            of_lines += f" of {self.split}"
        whole = len(self) == self.signals_in_file
        return of_lines if whole else f"{of_lines} of {len(self)} held out"

    def __str__(self) -> str:
        held_out = "" if len(self) == self.signals_in_file else f" of {self.signals_in_file}"
        return printable(f"{self.path}, {len(self)}{held_out} signals")


def open_split(folder: Path, name: str, noise: Noise = NO_NOISE, seed: int = 0) -> Split:
    """Open a split of a dataset folder.

    Where an imported dataset has no ``val.h5``, a random fifth of ``train.h5``, the same for all
    runs, is its split "val" and the rest its split "train".

    Args:
        seed: of the noise; only training changes it.

    Raises:
        InputError: missing, incomplete or unreadable.
    """
    train = Path(folder) / "train.h5"
    if name == "test" or train.with_name("val.h5").exists() or not is_imported(train):
        return Split(train.with_name(f"{name}.h5"), noise, name, seed)
    training, held_out = _divided(train)
    return Split(train, noise, name, seed, held_out if name == "val" else training)


def _divided(path: Path) -> tuple[Sequence[int], Sequence[int]]:
    """Return the signals to train on and a random fifth to validate on."""
    with open_dataset(path) as file:
        signals = len(file["rf"])
    if signals < 2:
        raise InputError(f"{path} has one signal and no val.h5 beside it; import more")
    order = np.random.default_rng(HELD_OUT_SEED).permutation(signals).tolist()
    validating = max(1, round(HELD_OUT * signals))
    return sorted(order[validating:]), sorted(order[:validating])
