"""Batches of RF lines for training: random crops, and Lightning's view of a dataset folder."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from bubbleloc.arrays import Ints
from bubbleloc.console.settings.training import Augmentation, Loader
from bubbleloc.data.dataset import AUGMENTATION, Lines, open_split
from bubbleloc.data.noise import NO_AUGMENTATION, NO_NOISE, Noise, augment
from bubbleloc.data.stream import StreamedLines
from bubbleloc.errors import InputError

log = logging.getLogger(__name__)


class Crop(NamedTuple):
    """Samples ``start`` … ``start + samples`` of a line.

    ``draw`` chooses its noise, see `Lines.volts`: epoch, and place in the epoch.
    """

    signal: int
    start: int
    samples: int
    draw: tuple[int, ...] = ()


class Line(TypedDict):
    """A whole line, rf (1, L) volts, with the bubbles of one crop, from sample ``start`` () on.

    Attributes:
        count: bubbles per sample of the crop, (1, crop).
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


class CropDataset(Dataset[Line]):
    """Lines with the bubbles of one `Crop`, by which they are addressed.

    Args:
        augmentation: changes every line at random, by the same key as its noise.
    """

    def __init__(self, lines: Lines, augmentation: Augmentation = NO_AUGMENTATION) -> None:
        self.lines, self.augmentation = lines, augmentation
        self._index = {signal: index for index, signal in enumerate(lines.signals)}

    def __getitem__(self, crop: Crop) -> Line:
        index = self._index[crop.signal]
        volts = self.lines.volts(index, *crop.draw)
        if self.augmentation != NO_AUGMENTATION:
            rng = self.lines.rng(AUGMENTATION, index, *crop.draw)
            volts = augment(volts, self.augmentation, rng)
        bubbles = self.lines.bubbles(index)
        inside = bubbles[bubbles.within(crop.start, crop.samples)]
        count = self.lines.count(index)[crop.start : crop.start + crop.samples]
        arrival_sample, radius_um = inside.arrival_sample - crop.start, 1e6 * inside.radius_m
        return Line(
            rf=torch.from_numpy(volts).unsqueeze(0),
            count=torch.from_numpy(count).unsqueeze(0),
            start=torch.tensor(crop.start),
            arrival_sample=torch.from_numpy(arrival_sample.astype(np.float32)),
            radius_um=torch.from_numpy(radius_um.astype(np.float32)),
        )


def check_crops(loader: Loader, samples: int) -> None:
    """Say where crops are longer than lines of so many samples, which are then taken whole.

    Raises:
        InputError: the shortest crop is longer than the crop.
    """
    crop, shortest = loader.crop, loader.shortest_crop
    if crop and shortest and shortest > crop:
        raise InputError(
            f"loader.shortest_crop={shortest}: the longest crops have {crop} samples; give fewer"
        )
    lengths = {"crop": crop, "shortest_crop": shortest}
    if longer := [f"loader.{k}={v}" for k, v in lengths.items() if v and v > samples]:
        log.info("%s: lines have %d samples and are taken whole", " and ".join(longer), samples)


class CropSampler(Sampler[Crop]):
    """Random crops, equally many of each line, keyed by seed and epoch.

    An epoch therefore has the same crops and noise in the same order whether or not training was
    interrupted before it, and whatever the number of reading processes. Where several processes
    train together, each draws all crops and takes its share: one batch of each make up the batch
    that a single process would take. Shares are of one size, for which a few crops come twice.

    Args:
        loader: lengths and number of the crops; one longer than a line is the whole line. With a
            shortest crop, every batch has a length of its own, log-uniform from that to twice the
            crop; lengths beyond the crop become it.
        rank, processes: whose share to take, and of how many.
    """

    def __init__(
        self, lines: Lines, loader: Loader, seed: int, *, rank: int = 0, processes: int = 1
    ) -> None:
        self.lines, self.loader, self.seed = lines, loader, seed
        self.rank, self.processes, self.epoch = rank, processes, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are drawn next; the training loop calls it."""
        self.epoch = epoch
        self.lines.begin(epoch)

    def __len__(self) -> int:
        return -(-len(self.lines) * self.loader.crops_per_signal // self.processes)

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.epoch,)))
        signals = rng.permutation(np.repeat(self.lines.signals, self.loader.crops_per_signal))
        lengths = self._lengths(rng, len(self) * self.processes)
        samples = lengths[: signals.size]
        last = self.lines.samples - samples
        # Starts beyond either end are moved to it, because fewer crops reach the samples there;
        # half a crop of such starts keeps all weights between 0.5 and 1.5.
        beyond = np.where(last > 0, samples // 2, 0)
        starts = np.clip(rng.integers(-beyond, last + beyond, endpoint=True), 0, last)
        for place in range(self.rank, lengths.size, self.processes):
            signal, start = (int(drawn[place % signals.size]) for drawn in (signals, starts))
            length = int(lengths[place])
            start = min(start, self.lines.samples - length)  # of a crop that comes twice
            yield Crop(signal, start, length, (self.epoch, place))

    def _lengths(self, rng: np.random.Generator, crops: int) -> Ints:
        """Samples of each crop, the same within a batch."""
        longest = min(self.loader.crop or self.lines.samples, self.lines.samples)
        shortest, batch_size = self.loader.shortest_crop, self.loader.batch_size
        if shortest is None:
            return np.full(crops, longest)
        low, high = np.log([min(shortest, longest), 2 * longest])
        drawn = np.exp(rng.uniform(low, high, -(-crops // batch_size)))
        return np.repeat(np.minimum(drawn, longest).astype(np.int64), batch_size)[:crops]


class RFDataModule(L.LightningDataModule):
    """Random crops of the split "train" and whole lines of the split "val", see `open_split`.

    Args:
        folder: dataset folder.
        loader: how to read it.
        stream: lines to train on in place of the split "train".
        noise: added to all lines: drawn anew for every crop, the same every time in validation.
        augmentation: of the crops.
        seed: of the crops, their noise and their augmentation.
    """

    def __init__(
        self,
        folder: Path,
        loader: Loader,
        *,
        noise: Noise = NO_NOISE,
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
        stream: StreamedLines | None = None,
    ) -> None:
        super().__init__()
        self.loader, self.augmentation, self.seed = loader, augmentation, seed
        self.train = stream or open_split(folder, "train", noise, seed)
        self.val = open_split(folder, "val", noise)
        if len(self.val) < self.val.signals_in_file:
            log.info("no val.h5 in %s: %d signals of train.h5 validate", folder, len(self.val))

    def train_dataloader(self) -> DataLoader[Line]:
        """Return batches of random crops."""
        rank, processes = self._share()
        self.train.begin(self.trainer.current_epoch if self.trainer else 0)
        streams, workers = isinstance(self.train, StreamedLines), self.loader.workers
        return DataLoader(
            CropDataset(self.train, self.augmentation),
            self.loader.batch_size // processes,
            sampler=CropSampler(self.train, self.loader, self.seed, rank=rank, processes=processes),
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0 and not streams,
        )

    def val_dataloader(self) -> DataLoader[Line]:
        """Return batches of whole lines."""
        rank, processes = self._share()
        if len(self.val) < processes:
            raise InputError(
                f"{len(self.val)} validation signals for {processes} processes: add some"
            )
        share = [Crop(signal, 0, self.val.samples) for signal in self.val.signals[rank::processes]]
        lines, workers = CropDataset(self.val), self.loader.workers
        return DataLoader(lines, 16, sampler=share, collate_fn=collate, num_workers=workers)

    def _share(self) -> tuple[int, int]:
        """Return the number of this process and how many train together."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
