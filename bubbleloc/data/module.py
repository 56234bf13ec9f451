"""Lightning's view of a dataset folder."""

from dataclasses import dataclass
from pathlib import Path

import lightning as L
from torch.utils.data import DataLoader

from bubbleloc.data.dataset import CropDataset, CropSampler, Line, RFDataset
from bubbleloc.errors import InputError


@dataclass(frozen=True)
class LoaderSettings:
    """How training reads a dataset; the fields are the settings under ``loader``.

    Attributes:
        batch_size: crops per optimiser step.
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

    Args:
        folder: dataset folder.
        settings: how to read it.
        halo: half the network's receptive field, context that crops carry.
        noise: level of the published noise recipe.
        seed: of the crops and of the noise.
    """

    def __init__(
        self,
        folder: Path,
        settings: LoaderSettings,
        *,
        halo: int,
        noise: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings, self.halo, self.seed = settings, halo, seed
        self.train = RFDataset(Path(folder) / "train.h5", noise, seed)
        self.val = RFDataset(Path(folder) / "val.h5", noise, seed + 1)

    def train_dataloader(self) -> DataLoader[Line]:
        """Return batches of random crops."""
        sampler = CropSampler(
            self.train, self.settings.crop, self.halo, self.settings.crops_per_signal, self.seed
        )
        return DataLoader(
            CropDataset(self.train, self.halo),
            batch_size=self.settings.batch_size,
            sampler=sampler,
            num_workers=self.settings.workers,
            persistent_workers=self.settings.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Line]:
        """Return batches of whole lines."""
        return DataLoader(self.val, batch_size=16, num_workers=self.settings.workers)
