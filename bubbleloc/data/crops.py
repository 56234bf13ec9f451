"""Random crops of RF lines, with context on either side, for training."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset, Sampler

from bubbleloc.data.dataset import Line, RFDataset


@dataclass(frozen=True)
class Crop:
    """Where a crop lies: ``samples`` samples from ``start``, of a signal of the file.

    ``draw`` chooses its noise, see `RFDataset.volts`: epoch, and place in the epoch.
    """

    signal: int
    start: int
    samples: int
    draw: tuple[int, ...] = ()


class CropDataset(Dataset[Line]):
    """Crops of the lines of a dataset, addressed by `Crop`.

    Args:
        halo: samples at either end of a crop whose output is not scored, because the network
            lacks context there; the ends of the line itself are always scored.
    """

    def __init__(self, lines: RFDataset, halo: int) -> None:
        self.lines, self.halo = lines, halo
        self._index = {signal: index for index, signal in enumerate(lines.signals)}

    def __getitem__(self, crop: Crop) -> Line:
        line = self.lines.line(self._index[crop.signal], *crop.draw)
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
    """Random crops, equally many of each line, keyed by seed and epoch.

    An epoch therefore has the same crops and noise in the same order whether or not training was
    interrupted before it, and whatever the number of reading processes. Where several processes
    train together, each draws all crops and takes its share: one batch of each make up the batch
    that a single process would take. Shares are of one size, for which a few crops come twice.

    Args:
        crop: samples of a crop that are scored; None for whole lines.
        halo: context added on either side.
        rank, processes: whose share to take, and of how many.
    """

    def __init__(
        self,
        lines: RFDataset,
        crop: int | None,
        halo: int,
        crops_per_signal: int,
        seed: int,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.lines, self.crops_per_signal, self.halo, self.seed = (
            lines,
            crops_per_signal,
            halo,
            seed,
        )
        self.samples = min(lines.samples if crop is None else crop + 2 * halo, lines.samples)
        self.rank, self.processes, self.epoch = rank, processes, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose crops are drawn next; the training loop calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.lines) * self.crops_per_signal // self.processes)

    def __iter__(self) -> Iterator[Crop]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.epoch,)))
        signals = rng.permutation(np.repeat(self.lines.signals, self.crops_per_signal))
        last = self.lines.samples - self.samples
        # Starts beyond either end are moved to it, because only crops at an end score the samples
        # there; half a crop of such starts keeps all weights between 0.5 and 1.5.
        beyond = max(0, self.samples // 2 - self.halo)
        starts = rng.integers(-beyond, last + beyond, signals.size, endpoint=True)
        starts = np.clip(starts, 0, last)
        for place in range(self.rank, len(self) * self.processes, self.processes):
            signal, start = (int(drawn[place % signals.size]) for drawn in (signals, starts))
            yield Crop(signal, start, self.samples, (self.epoch, place))
