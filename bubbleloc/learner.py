"""Training: Lightning does the loop, checkpoints, precision, devices and logging."""

import importlib.util
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import Tensor

from bubbleloc import runs
from bubbleloc.data.dataset import Line
from bubbleloc.data.module import LoaderSettings, RFDataModule
from bubbleloc.errors import InputError
from bubbleloc.losses import DualLoss
from bubbleloc.metrics import Sweep, tolerance_sweep
from bubbleloc.nn import Localizer
from bubbleloc.progress import TrainingProgress

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # no tips and inventories
warnings.filterwarnings("ignore", r".*LeafSpec.*|.*does not have many workers.*")

VALIDATION_TOLERANCE = 4  # samples; the one both studies quote
SCHEDULES = ("one_cycle", "step", "constant")


class Learner(L.LightningModule):
    """A network, its loss, its optimizer, and the F1 that picks the best checkpoint.

    Args:
        optimizer: ``lr``, ``schedule`` (one_cycle, step or constant) and ``milestones``
            (epochs of the step schedule).
    """

    def __init__(self, network: Localizer, loss: DualLoss, optimizer: Mapping[str, Any]) -> None:
        super().__init__()
        if optimizer["schedule"] not in SCHEDULES:
            raise InputError(
                f"optimizer.schedule={optimizer['schedule']}: choose one of {', '.join(SCHEDULES)}"
            )
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._sweeps: list[Sweep] = []

    def training_step(self, batch: Line, batch_index: int) -> Tensor:
        """Return the loss of a batch of crops."""
        prediction = self.network(batch["rf"], batch["rms"])
        loss: Tensor = self.loss(prediction * batch["valid"], batch["count"] * batch["valid"])
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: Line, batch_index: int) -> None:
        """Score whole lines at every threshold."""
        prediction = self.network(batch["rf"])
        self.log("val_loss", self.loss(prediction, batch["count"]), batch_size=len(prediction))
        lines = prediction.squeeze(1).float().cpu(), batch["count"].squeeze(1).cpu()
        self._sweeps.append(tolerance_sweep(*lines, tolerances=[VALIDATION_TOLERANCE]))

    def on_validation_epoch_end(self) -> None:
        """Log the mean F1 at the best threshold."""
        f1 = Sweep.concatenate(self._sweeps).f1.mean(axis=0).max()
        self._sweeps.clear()
        self.log("val_f1", float(f1), prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Return Adam with the schedule of the configuration."""
        adam = torch.optim.Adam(self.network.parameters(), lr=self.optimizer["lr"])
        steps = int(self.trainer.estimated_stepping_batches)
        match self.optimizer["schedule"]:
            case "one_cycle":
                cycle = torch.optim.lr_scheduler.OneCycleLR(adam, self.optimizer["lr"], steps)
                return [adam], [{"scheduler": cycle, "interval": "step"}]
            case "step":
                milestones = self.optimizer["milestones"]
                return [adam], [torch.optim.lr_scheduler.MultiStepLR(adam, milestones, gamma=0.1)]
            case _:
                return adam


def fit(config: runs.Config, folder: Path, *, resume: bool = False) -> None:
    """Train as ``config`` says and leave checkpoints, logs and the configuration in ``folder``.

    Args:
        config: resolved settings of ``conf/train.yaml``.
        resume: go on from the last checkpoint in ``folder``.

    Raises:
        InputError: a setting that makes no sense.
    """
    checkpoint = runs.checkpoint_path(folder, "last") if resume else None
    if not resume and (folder / runs.CHECKPOINTS).exists():
        raise InputError(f"{folder} holds a run; go on with resume={folder} or choose another")
    L.seed_everything(config["seed"], verbose=False)
    network = runs.network_of(config)
    data = RFDataModule(
        Path(config["data"]["folder"]),
        LoaderSettings(**config["loader"]),
        halo=network.receptive_field // 2,
        noise=config["noise"],
        snr_db=config.get("snr_db"),
        seed=config["seed"],
    )
    if network.receptive_field // 2 >= data.train.samples:
        raise InputError(
            f"kernel={config['kernel']}: the network sees {network.receptive_field} samples, too "
            f"many for RF lines of {data.train.samples}; choose a smaller kernel"
        )
    learner = Learner(network, DualLoss(**config["loss"]), config["optimizer"])
    trainer = build_trainer(config["trainer"], folder, batches=len(data.train_dataloader()))
    runs.write_config(folder, config)
    trainer.fit(learner, data, ckpt_path=checkpoint, weights_only=True)


def build_trainer(settings: Mapping[str, Any], folder: Path, batches: int) -> L.Trainer:
    """Return a trainer that keeps the best and the last checkpoint in ``folder``.

    Args:
        settings: arguments of ``lightning.Trainer``; ``accumulate_grad_batches`` may be
            ``"epoch"`` for one optimiser step per epoch.
        batches: batches per epoch.
    """
    arguments = dict(settings)
    if arguments["accumulate_grad_batches"] == "epoch":
        arguments["accumulate_grad_batches"] = batches
    loggers: list[Logger] = [CSVLogger(folder, name="logs")]
    if importlib.util.find_spec("tensorboard"):
        loggers.append(TensorBoardLogger(folder, name="tensorboard"))
    checkpoints = ModelCheckpoint(
        folder / runs.CHECKPOINTS,
        filename="best",
        monitor="val_f1",
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )
    return L.Trainer(
        **arguments,
        logger=loggers,
        callbacks=[checkpoints, TrainingProgress()],
        enable_model_summary=False,
        log_every_n_steps=min(50, batches),
        num_sanity_val_steps=0,
    )
