"""Lightning's view of a dataset folder."""

import logging
from dataclasses import dataclass
from pathlib import Path

import lightning as L
from torch.utils.data import DataLoader, Subset

from bubbleloc.data.dataset import CropDataset, CropSampler, Line, RFDataset
from bubbleloc.data.splits import hold_out
from bubbleloc.data.store import is_imported
from bubbleloc.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoaderSettings:
    """How training reads a dataset; the fields are the settings under ``loader``.

    Attributes:
        batch_size: crops per optimiser step, of all processes together.
        crop: samples of a crop that are scored; None for whole lines.
        crops_per_signal: per epoch.
        workers: processes that read data.
    """

    batch_size: int = 16
    crop: int | None = 2048
    crops_per_signal: int = 4
    workers: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "crop", "crops_per_signal"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise InputError(f"loader.{name}={value!r} must be a whole number above 0")


class RFDataModule(L.LightningDataModule):
    """Random crops of ``train.h5`` and whole lines of ``val.h5``.

    Where an imported dataset has no ``val.h5``, a fifth of ``train.h5`` is held out instead.

    Args:
        folder: dataset folder.
        settings: how to read it.
        halo: half the network's receptive field, context that crops carry.
        noise: level of the published noise recipe.
        snr_db: in place of ``noise``, white noise at this signal-to-noise ratio in dB.
        seed: of the crops and of the noise.
    """

    def __init__(
        self,
        folder: Path,
        settings: LoaderSettings,
        *,
        halo: int,
        noise: float = 0.0,
        snr_db: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings, self.halo, self.seed = settings, halo, seed
        train, val = Path(folder) / "train.h5", Path(folder) / "val.h5"
        self.train = RFDataset(train, noise, seed, snr_db)
        self.signals = self.held_out = None
        if not val.exists() and is_imported(train):
            self.signals, self.held_out = hold_out(self.train)
            log.info("no val.h5 in %s: %d signals of train.h5 validate", folder, len(self.held_out))
            val = train
        self.val = RFDataset(val, noise, seed + 1, snr_db)

    def train_dataloader(self) -> DataLoader[Line]:
        """Return batches of random crops."""
        crop, crops = self.settings.crop, self.settings.crops_per_signal
        rank, processes = self._share()
        sampler = CropSampler(
            self.train, crop, self.halo, crops, self.seed, self.signals, rank, processes
        )
        return DataLoader(
            CropDataset(self.train, self.halo),
            batch_size=self.settings.batch_size // processes,
            sampler=sampler,
            num_workers=self.settings.workers,
            persistent_workers=self.settings.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Line]:
        """Return batches of whole lines."""
        rank, processes = self._share()
        signals = range(len(self.val)) if self.held_out is None else self.held_out
        if len(signals) < processes:
            raise InputError(
                f"{len(signals)} validation signals for {processes} processes: add some"
            )
        lines = Subset(self.val, signals[rank::processes])
        return DataLoader(lines, batch_size=16, num_workers=self.settings.workers)

    def _share(self) -> tuple[int, int]:
        """Return the number of this process and how many train together."""
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
