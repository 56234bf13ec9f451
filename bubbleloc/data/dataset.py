"""RF lines with their bubble counts, read from a dataset file."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, default_collate

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.store import SPLITS, open_dataset, receive_response, scale_of
from bubbleloc.errors import InputError
from bubbleloc.physics import Bubbles
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.physics.transducer import P4_1

NOISE, AUGMENTATION = 1, 2  # first part of random keys: what the numbers are for


class Line(TypedDict):
    """A line, rf (1, L) volts, with its bubbles.

    For training on crops: the bubbles of one crop alone, from sample ``start`` () on.

    Attributes:
        count: bubbles per sample, (1, L) or (1, crop).
        arrival_sample: arrivals of the bubbles, counted from ``start`` on, (E,). In batches, lines
            with fewer bubbles end with NaN.
        radius_um: radii of the bubbles, likewise; NaN where unknown.
    """

    rf: Tensor
    count: Tensor
    start: Tensor
    arrival_sample: Tensor
    radius_um: Tensor


def collate(lines: Sequence[Line]) -> Line:
    """Return lines as one batch."""
    batch: Line = default_collate([{**line, "arrival_sample": 0, "radius_um": 0} for line in lines])
    batch["arrival_sample"] = _padded([line["arrival_sample"] for line in lines])
    batch["radius_um"] = _padded([line["radius_um"] for line in lines])
    return batch


def _padded(rows: list[Tensor]) -> Tensor:
    return pad_sequence(rows, batch_first=True, padding_value=np.nan)


@dataclass(frozen=True)
class Batch:
    """Lines with their truth: rf (b, L) volts, count (b, L) bubbles per sample.

    ``bubbles`` holds those of each line.
    """

    rf: Float32s
    count: Float32s
    bubbles: list[Bubbles]


class RFDataset(Dataset[Line]):
    """The signals of a dataset file, or some of them.

    The file is opened on first use, once in every worker process.

    Args:
        path: dataset file.
        noise: added to every line, see `volts`.
        split: whose noise it is; no two splits share noise.
        seed: another seed gives other noise.
        signals: which signals of the file; None for all.
    """

    def __init__(
        self,
        path: Path,
        noise: Noise = NO_NOISE,
        split: str = "test",
        seed: int = 0,
        signals: Sequence[int] | None = None,
    ) -> None:
        self.path, self.noise, self.split, self.seed = Path(path), noise, split, seed
        self._file: h5py.File | None = None
        with open_dataset(self.path) as file:
            if not file["done"][:].all():
                raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
            self.signals_in_file, self.samples = (int(size) for size in file["rf"].shape)
            self.signals = list(range(self.signals_in_file) if signals is None else signals)
            self.scale = scale_of(file)
            self._receive = receive_response(file) if noise.is_received else P4_1.receive
            self.pressure_pa: Floats = file["pressure_pa"][:][self.signals]
            self._offset: Ints = file["bubbles/offset"][:]

    def __len__(self) -> int:
        return len(self.signals)

    def begin(self, epoch: int) -> None:
        """Prepare the lines of an epoch; those of a file are always there."""

    def __getitem__(self, index: int) -> Line:
        return self.line(index, self.volts(index), 0, self.samples)

    def line(self, index: int, volts: Float32s, start: int, samples: int) -> Line:
        """Return a line as ``volts`` (L,) with the bubbles of ``samples`` from ``start`` on."""
        bubbles = self.bubbles(index)
        count = bubbles.count(self.samples)[start : start + samples]
        inside = bubbles[bubbles.within(start, samples)]
        arrival_sample, radius_um = inside.arrival_sample - start, 1e6 * inside.radius_m
        return Line(
            rf=torch.from_numpy(volts).unsqueeze(0),
            count=torch.from_numpy(count).unsqueeze(0),
            start=torch.tensor(start),
            arrival_sample=torch.from_numpy(arrival_sample.astype(np.float32)),
            radius_um=torch.from_numpy(radius_um.astype(np.float32)),
        )

    @property
    def bubble_counts(self) -> Ints:
        """Number of bubbles of each signal, (n,)."""
        return np.diff(self._offset)[self.signals]

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the lines."""
        return self.scale.sampling_rate_hz

    def volts(self, index: int, *draw: int) -> Float32s:
        """Return an RF line, (L,) volts, with its noise.

        Args:
            draw: numbers that choose the noise, such as epoch and place in it; without them, a
                signal has the same noise every time.
        """
        rng = self.rng(NOISE, index, *draw)
        return self.noise(self.raw_volts(index), rng, self.sampling_rate_hz, self._receive)

    def raw_volts(self, index: int) -> Float32s:
        """Return an RF line, (L,) volts, without noise."""
        signal = self.signals[index]
        volts: Float32s = self.file["rf"][signal]
        if not np.isfinite(volts).all():
            raise InputError(f"{self.path}: signal {signal} has NaN or infinite volts; remove it")
        return volts

    def rng(self, purpose: int, index: int, *draw: int) -> np.random.Generator:
        """Return the random numbers of a line for one purpose; ``draw`` as in `volts`."""
        key = (purpose, SPLITS.index(self.split), self.signals[index], *draw)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def bubbles(self, index: int) -> Bubbles:
        """Return the bubbles of a signal; of an imported file radii may be unknown."""
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

    def count(self, index: int) -> Float32s:
        """Return the bubbles per sample (L,), each bubble at its rounded arrival sample."""
        return self.bubbles(index).count(self.samples)

    @property
    def file(self) -> h5py.File:
        """The open file of this process."""
        if self._file is None:
            self._file = open_dataset(self.path)
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}  # an open file cannot travel to a worker
