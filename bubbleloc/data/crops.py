"""Random crops of RF lines for training."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Dataset, Sampler

from bubbleloc.arrays import Ints
from bubbleloc.data.augmentation import NO_AUGMENTATION, Augmentation
from bubbleloc.data.dataset import AUGMENTATION, Line, RFDataset


class Crop(NamedTuple):
    """Samples ``start`` … ``start + samples`` of a line of the file.

    ``draw`` chooses its noise, see `RFDataset.volts`: epoch, and place in the epoch.
    """

    signal: int
    start: int
    samples: int
    draw: tuple[int, ...] = ()


class CropDataset(Dataset[Line]):
    """Lines of a dataset with the bubbles of one `Crop`, by which they are addressed.

    Args:
        augmentation: changes every line at random, by the same key as its noise.
    """

    def __init__(self, lines: RFDataset, augmentation: Augmentation = NO_AUGMENTATION) -> None:
        self.lines, self.augmentation = lines, augmentation
        self._index = {signal: index for index, signal in enumerate(lines.signals)}

    def __getitem__(self, crop: Crop) -> Line:
        index = self._index[crop.signal]
        volts = self.lines.volts(index, *crop.draw)
        if self.augmentation != NO_AUGMENTATION:
            volts = self.augmentation(volts, self.lines.rng(AUGMENTATION, index, *crop.draw))
        return self.lines.line(index, volts, crop.start, crop.samples)


class CropSampler(Sampler[Crop]):
    """Random crops, equally many of each line, keyed by seed and epoch.

    An epoch therefore has the same crops and noise in the same order whether or not training was
    interrupted before it, and whatever the number of reading processes. Where several processes
    train together, each draws all crops and takes its share: one batch of each make up the batch
    that a single process would take. Shares are of one size, for which a few crops come twice.

    Args:
        crop: samples of a crop; None for whole lines.
        shortest_crop: every batch has crops of a length of its own, log-uniform from this to twice
            ``crop``; lengths beyond ``crop`` become ``crop``. None for one length.
        batch_size: crops per batch, of all processes together.
        rank, processes: whose share to take, and of how many.
    """

    def __init__(
        self,
        lines: RFDataset,
        crop: int | None,
        crops_per_signal: int,
        seed: int,
        *,
        shortest_crop: int | None = None,
        batch_size: int = 1,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.lines, self.crops_per_signal, self.seed = lines, crops_per_signal, seed
        self.longest, self.shortest = crop or lines.samples, shortest_crop
        self.batch_size, self.rank, self.processes = batch_size, rank, processes
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are drawn next; the training loop calls it."""
        self.epoch = epoch
        self.lines.begin(epoch)

    def __len__(self) -> int:
        return -(-len(self.lines) * self.crops_per_signal // self.processes)

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.epoch,)))
        signals = rng.permutation(np.repeat(self.lines.signals, self.crops_per_signal))
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
        if self.shortest is None:
            return np.full(crops, self.longest)
        low, high = np.log([self.shortest, 2 * self.longest])
        drawn = np.exp(rng.uniform(low, high, -(-crops // self.batch_size)))
        lengths = np.minimum(drawn, self.longest).astype(np.int64)
        return np.repeat(lengths, self.batch_size)[:crops]
