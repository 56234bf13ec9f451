"""Lightning's view of a dataset folder."""

import logging
from dataclasses import dataclass
from pathlib import Path

import lightning as L
from torch.utils.data import DataLoader, Subset

from bubbleloc.data.augmentation import NO_AUGMENTATION, Augmentation
from bubbleloc.data.crops import CropDataset, CropSampler
from bubbleloc.data.dataset import Line, collate
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.splits import open_split
from bubbleloc.data.stream import StreamedLines
from bubbleloc.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoaderSettings:
    """How training reads a dataset; the fields are the settings under ``loader``.

    Attributes:
        batch_size: crops per optimiser step, of all processes together.
        crop: samples of a crop; None for whole lines.
        shortest_crop: of crops of random length, see `CropSampler`; None for one length.
        crops_per_signal: per epoch.
        workers: processes that read data.
    """

    batch_size: int = 16
    crop: int | None = 2048
    shortest_crop: int | None = None
    crops_per_signal: int = 4
    workers: int = 0


class RFDataModule(L.LightningDataModule):
    """Random crops of the split "train" and whole lines of the split "val", see `open_split`.

    Args:
        folder: dataset folder.
        settings: how to read it.
        stream: lines to train on in place of the split "train".
        noise: added to all lines: drawn anew for every crop, the same every time in validation.
        augmentation: of the crops.
        seed: of the crops, their noise and their augmentation.
    """

    def __init__(
        self,
        folder: Path,
        settings: LoaderSettings,
        *,
        noise: Noise = NO_NOISE,
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
        stream: StreamedLines | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.augmentation, self.seed = settings, augmentation, seed
        self.train = stream or open_split(folder, "train", noise, seed)
        self.val = open_split(folder, "val", noise)
        if settings.crop is not None and settings.crop > self.train.samples:
            raise InputError(
                f"loader.crop={settings.crop}: lines of {folder} have {self.train.samples} "
                "samples; give fewer, or null for whole lines"
            )
        longest = settings.crop or self.train.samples
        if (settings.shortest_crop or 0) > longest:
            raise InputError(
                f"loader.shortest_crop={settings.shortest_crop}: the longest crops have {longest} "
                "samples; give fewer"
            )
        if stream is None and self.val.path == self.train.path:
            log.info("no val.h5 in %s: %d signals of train.h5 validate", folder, len(self.val))

    def train_dataloader(self) -> DataLoader[Line]:
        """Return batches of random crops."""
        loader = self.settings
        rank, processes = self._share()
        self.train.begin(self.trainer.current_epoch if self.trainer else 0)
        return DataLoader(
            CropDataset(self.train, self.augmentation),
            batch_size=loader.batch_size // processes,
            sampler=CropSampler(
                self.train,
                loader.crop,
                loader.crops_per_signal,
                self.seed,
                shortest_crop=loader.shortest_crop,
                batch_size=loader.batch_size,
                rank=rank,
                processes=processes,
            ),
            collate_fn=collate,
            num_workers=loader.workers,
            persistent_workers=loader.workers > 0 and not isinstance(self.train, StreamedLines),
        )

    def val_dataloader(self) -> DataLoader[Line]:
        """Return batches of whole lines."""
        rank, processes = self._share()
        if len(self.val) < processes:
            raise InputError(
                f"{len(self.val)} validation signals for {processes} processes: add some"
            )
        share = Subset(self.val, range(rank, len(self.val), processes))
        return DataLoader(
            share, batch_size=16, collate_fn=collate, num_workers=self.settings.workers
        )

    def _share(self) -> tuple[int, int]:
        """Return the number of this process and how many train together."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
