"""What networks read: RF lines with their count grid, whole or as random crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.store import open_dataset
from bubbleloc.errors import InputError


class Line(TypedDict):
    """One item: rf (1, L) volts, count (1, L) bubbles per sample, rms () of the whole line.

    ``valid`` (1, L) is 1 where a crop's output counts, 0 on its halo.
    """

    rf: Tensor
    count: Tensor
    rms: Tensor
    valid: Tensor


@dataclass(frozen=True)
class Batch:
    """Lines of a split with their truth: rf (b, L) volts, count (b, L) bubbles per sample.

    ``arrival_sample`` holds the arrival samples of each line's bubbles, not rounded.
    """

    rf: Float32s
    count: Float32s
    arrival_sample: list[Floats]


class RFDataset(Dataset[Line]):
    """The signals of a dataset file.

    The file is opened on first use, once in every worker process.

    Args:
        path: dataset file.
        noise: added to every line; keyed by signal, so that a signal has the same noise every
            time.
        noise_seed: another seed gives other noise.
    """

    def __init__(self, path: Path, noise: Noise = NO_NOISE, noise_seed: int = 0) -> None:
        self.path, self.noise, self.noise_seed = Path(path), noise, noise_seed
        self._file: h5py.File | None = None
        with open_dataset(self.path) as file:
            if not file["done"][:].all():
                raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
            self.signals, self.samples = (int(size) for size in file["rf"].shape)
            self.sampling_rate_hz = float(file.attrs["sampling_rate_hz"])
            self.speed_of_sound_m_s = float(file.attrs["speed_of_sound_m_s"])
            self.pressure_pa: Floats = file["pressure_pa"][:]
            self.offset: Ints = file["bubbles/offset"][:]

    def __len__(self) -> int:
        return self.signals

    def __getitem__(self, index: int) -> Line:
        rf = torch.from_numpy(self.volts(index)).unsqueeze(0)
        return Line(
            rf=rf,
            count=torch.from_numpy(self.count(index)).unsqueeze(0),
            rms=rf.square().mean().sqrt(),
            valid=torch.ones_like(rf),
        )

    def volts(self, index: int) -> Float32s:
        """Return an RF line, (L,) volts, with its noise."""
        volts: Float32s = self.file["rf"][index]
        if not np.isfinite(volts).all():
            raise InputError(f"{self.path}: signal {index} has NaN or infinite volts; remove it")
        key = np.random.SeedSequence(self.noise_seed, spawn_key=(index,))
        return self.noise(volts, np.random.default_rng(key), self.sampling_rate_hz)

    def arrival_sample(self, index: int) -> Floats:
        """Return the arrival samples of a signal's bubbles, not rounded."""
        rows = slice(self.offset[index], self.offset[index + 1])
        arrivals: Floats = self.file["bubbles/arrival_sample"][rows]
        return arrivals

    def count(self, index: int) -> Float32s:
        """Return the bubbles per sample (L,), each bubble at its rounded arrival sample."""
        samples = np.rint(self.arrival_sample(index)).astype(np.int64)
        if samples.size and not 0 <= samples.min() <= samples.max() < self.samples:
            raise InputError(
                f"{self.path}: signal {index} has an arrival outside its {self.samples} samples; "
                "correct bubbles/arrival_sample"
            )
        return np.bincount(samples, minlength=self.samples).astype(np.float32)

    @property
    def file(self) -> h5py.File:
        """The open file of this process."""
        if self._file is None:
            self._file = open_dataset(self.path)
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}  # an open file cannot travel to a worker


@dataclass(frozen=True)
class Crop:
    """Where a crop lies: ``samples`` samples of a signal from ``start``."""

    signal: int
    start: int
    samples: int


class CropDataset(Dataset[Line]):
    """Crops of the lines of a dataset, addressed by `Crop`.

    Args:
        halo: samples at either end of a crop whose output is not scored, because the network
            lacks context there; the ends of the line itself are always scored.
    """

    def __init__(self, lines: RFDataset, halo: int) -> None:
        self.lines, self.halo = lines, halo

    def __getitem__(self, crop: Crop) -> Line:
        line = self.lines[crop.signal]
        stop = crop.start + crop.samples
        line["valid"][:, : crop.start + self.halo if crop.start > 0 else 0] = 0
        line["valid"][:, stop - self.halo if stop < self.lines.samples else stop :] = 0
        window = slice(crop.start, stop)
        return Line(
            rf=line["rf"][:, window],
            count=line["count"][:, window],
            rms=line["rms"],
            valid=line["valid"][:, window],
        )


class CropSampler(Sampler[Crop]):
    """Random crops, each signal equally often, keyed by seed and epoch.

    An epoch therefore has the same crops in the same order whether or not training was
    interrupted before it, and whatever the number of reading processes. Where several processes
    train together, each draws all crops and takes its share: one batch of each make up the batch
    that a single process would take. Shares are of one size, for which a few crops come twice.

    Args:
        crop: samples of a crop that are scored; None for whole lines.
        halo: context added on either side.
        signals: those to draw from; None for all.
        rank, processes: whose share to take, and of how many.
    """

    def __init__(
        self,
        lines: RFDataset,
        crop: int | None,
        halo: int,
        crops_per_signal: int,
        seed: int,
        signals: Sequence[int] | None = None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.signals = np.arange(lines.signals) if signals is None else np.asarray(signals)
        self.line_samples = lines.samples
        self.crops_per_signal, self.halo, self.seed = crops_per_signal, halo, seed
        whole = crop is None or crop + 2 * halo >= lines.samples
        self.samples = lines.samples if crop is None or whole else crop + 2 * halo
        self.rank, self.processes, self.epoch = rank, processes, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are drawn next; the training loop calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.signals.size * self.crops_per_signal // self.processes)

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.epoch,)))
        signals = rng.permutation(np.repeat(self.signals, self.crops_per_signal))
        last = self.line_samples - self.samples
        # Starts beyond either end are moved to it, because only crops at an end score the samples
        # there; half a crop of such starts keeps all weights between 0.5 and 1.5.
        beyond = max(0, self.samples // 2 - self.halo)
        starts = rng.integers(-beyond, last + beyond, signals.size, endpoint=True)
        starts = np.clip(starts, 0, last)
        share = np.arange(self.rank, len(self) * self.processes, self.processes) % signals.size
        for signal, start in zip(signals[share], starts[share], strict=True):
            yield Crop(int(signal), int(start), self.samples)
