"""RF lines with their true bubbles and their noise, and those of a dataset file."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data import universal
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.store import (
    SPLITS,
    fingerprint,
    is_imported,
    open_dataset,
    receive_response,
    scale_of,
)
from bubbleloc.errors import InputError, printable
from bubbleloc.physics import P4_1, Bubbles
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.physics.transducer import Response
from bubbleloc.units import Scale

NOISE, AUGMENTATION = 1, 2  # first part of random keys: what the numbers are for
HELD_OUT = 0.2  # of the training signals, where an imported dataset has no validation split
HELD_OUT_SEED = 0  # the same for all runs, so that they are compared on the same signals


class Lines(ABC):
    """RF lines of one length with their true bubbles, from a file or from a simulation meanwhile.

    Args:
        samples: of every line.
        scale: what one of them is worth.
        signals: number of every line in its split; it chooses the noise of the line.
        noise: added to every line, see `volts`.
        split: whose noise it is; no two splits share noise.
        seed: another seed gives other noise.
        receive: response of the transducer, which some noise passes.
    """

    def __init__(
        self,
        samples: int,
        scale: Scale,
        signals: Sequence[int],
        *,
        noise: Noise,
        split: str,
        seed: int,
        receive: Response,
    ) -> None:
        self.samples, self.scale, self.signals = samples, scale, signals
        self.noise, self.split, self.seed, self._receive = noise, split, seed, receive

    def __len__(self) -> int:
        return len(self.signals)

    def begin(self, epoch: int) -> None:  # noqa: B027
        """Make the lines of an epoch ready; those of a file always are."""

    @abstractmethod
    def raw_volts(self, index: int) -> Float32s:
        """Return an RF line, (L,) volts, without noise."""

    @abstractmethod
    def bubbles(self, index: int) -> Bubbles:
        """Return the true bubbles of a line; of an imported one radii may be unknown."""

    @property
    @abstractmethod
    def pressure_pa(self) -> Floats:
        """Amplitude of the pulse at the transducer, (n,)."""

    def volts(self, index: int, *draw: int) -> Float32s:
        """Return an RF line, (L,) volts, with its noise.

        Args:
            draw: numbers that choose the noise, such as epoch and place in it; without them, a
                signal has the same noise every time.
        """
        rng = self.rng(NOISE, index, *draw)
        return self.noise(self.raw_volts(index), rng, self.scale.sampling_rate_hz, self._receive)

    def count(self, index: int) -> Float32s:
        """Return the bubbles per sample (L,), each bubble at its rounded arrival sample."""
        return self.bubbles(index).count(self.samples)

    def rng(self, purpose: int, index: int, *draw: int) -> np.random.Generator:
        """Return the random numbers of a line for one purpose; ``draw`` as in `volts`."""
        key = (purpose, SPLITS.index(self.split), self.signals[index], *draw)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


@dataclass(frozen=True)
class Batch:
    """Lines, rf (b, L) volts, with the true bubbles of each."""

    rf: Float32s
    bubbles: list[Bubbles]

    @property
    def count(self) -> Float32s:
        """Bubbles per sample of each line, (b, L)."""
        return np.stack([of_line.count(self.rf.shape[1]) for of_line in self.bubbles])


class RFDataset(Lines):
    """The signals of a dataset file, or some of them.

    The file is opened on first use, once in every worker process.

    Args:
        path: dataset file.
        noise, split, seed: see `Lines`.
        signals: which signals of the file; None for all.

    Raises:
        InputError: the file is missing, unreadable, or lacks signals.
    """

    def __init__(
        self,
        path: Path,
        noise: Noise = NO_NOISE,
        split: str = "test",
        seed: int = 0,
        signals: Sequence[int] | None = None,
    ) -> None:
        self.path = Path(path)
        with open_dataset(self.path) as file:
            if not file["done"][:].all():
                raise InputError(f"{path} is incomplete; run bubbleloc simulate to finish it")
            self.signals_in_file, samples = (int(size) for size in file["rf"].shape)
            super().__init__(
                samples,
                scale_of(file),
                list(range(self.signals_in_file) if signals is None else signals),
                noise=noise,
                split=split,
                seed=seed,
                receive=receive_response(file) if noise.is_received else P4_1.receive,
            )
            self._pressure_pa: Floats = file["pressure_pa"][:][self.signals]
            self._offset: Ints = file["bubbles/offset"][:]
            self.is_told = "told" in file
            if self.is_told and noise != NO_NOISE:
                raise InputError(f"{path}: its lines draw their noise themselves; leave out noise")

    def volts(self, index: int, *draw: int) -> Float32s:
        """Return an RF line, see `Lines.volts`; of a setup of its own, as `universal.heard`."""
        if not self.is_told:
            return super().volts(index, *draw)
        line = universal.Line(self.raw_volts(index), self.file["told"][self.signals[index]])
        return universal.heard(line, self.rng(NOISE, index, *draw))

    def raw_volts(self, index: int) -> Float32s:
        """Return an RF line, (L,) volts, without noise.

        Raises:
            InputError: it has values that are not finite.
        """
        signal = self.signals[index]
        volts: Float32s = self.file["rf"][signal]
        if not np.isfinite(volts).all():
            raise InputError(f"{self.path}: signal {signal} has NaN or infinite volts; remove it")
        return volts

    def bubbles(self, index: int) -> Bubbles:
        """Return the true bubbles of a line; of an imported one radii may be unknown."""
        signal = self.signals[index]
        return self._truth[slice(*self._offset[signal : signal + 2])]

    @functools.cached_property
    def _truth(self) -> Bubbles:
        """The bubbles of all signals of the file in a row, read once."""
        truth = Bubbles(*(self.file[f"bubbles/{field}"][:] for field in BUBBLE_FIELDS))
        outside = np.flatnonzero(~truth.within(0, self.samples))
        if outside.size:
            signal = np.searchsorted(self._offset, outside[0], "right") - 1
            raise InputError(
                f"{self.path}: signal {signal} has an arrival outside its {self.samples} samples; "
                "correct bubbles/arrival_sample"
            )
        return truth

    @property
    def pressure_pa(self) -> Floats:
        """Amplitude of the pulse at the transducer, (n,)."""
        return self._pressure_pa

    @property
    def bubble_counts(self) -> Ints:
        """Number of bubbles of each signal, (n,)."""
        return np.diff(self._offset)[self.signals]

    def batches(self, size: int = 16) -> Iterator[Batch]:
        """Yield the lines with their truth, in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            block = range(start, min(start + size, len(self)))
            rf = np.stack([self.volts(index) for index in block])
            yield Batch(rf, [self.bubbles(index) for index in block])

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

    @functools.cached_property
    def file(self) -> h5py.File:
        """The open file of this process."""
        return open_dataset(self.path)

    def __getstate__(self) -> dict[str, Any]:
        # an open file cannot travel to a worker
        return {name: value for name, value in self.__dict__.items() if name != "file"}


def open_split(folder: Path, name: str, noise: Noise = NO_NOISE, seed: int = 0) -> RFDataset:
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
        return RFDataset(train.with_name(f"{name}.h5"), noise, name, seed)
    training, held_out = _divided(train)
    return RFDataset(train, noise, name, seed, held_out if name == "val" else training)


def _divided(path: Path) -> tuple[Sequence[int], Sequence[int]]:
    """Return the signals to train on and a random fifth to validate on."""
    with open_dataset(path) as file:
        signals = len(file["rf"])
    if signals < 2:
        raise InputError(f"{path} has one signal and no val.h5 beside it; import more")
    order = np.random.default_rng(HELD_OUT_SEED).permutation(signals).tolist()
    validating = max(1, round(HELD_OUT * signals))
    return sorted(order[validating:]), sorted(order[:validating])
