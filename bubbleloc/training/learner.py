"""The network, its loss and its optimizer, as Lightning trains them."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from bubbleloc.data.dataset import Line
from bubbleloc.metrics import QUOTED_TOLERANCE, THRESHOLDS, tolerance_sweep
from bubbleloc.nn import Localizer
from bubbleloc.training.likelihood import EmitterLoss
from bubbleloc.training.loss import DualLoss

METRIC_NAMES = ("train_loss", "val_f1", "val_loss")


class Learner(L.LightningModule):
    """A network, its loss, its optimizer, and the F1 that picks the best checkpoint.

    Args:
        optimizer: ``lr``, ``schedule`` (one_cycle, step or constant) and ``milestones``
            (epochs of the step schedule).
    """

    def __init__(
        self, network: Localizer, loss: DualLoss | EmitterLoss, optimizer: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._f1_sum, self._lines = np.zeros(len(THRESHOLDS)), 0

    def training_step(self, batch: Line, batch_index: int) -> Tensor:
        """Return the loss of a batch of crops."""
        samples = batch["count"].shape[-1]
        lines = self.network.padded(batch["rf"])
        place = torch.arange(samples + self.network.context, device=lines.device)
        crops = lines.gather(-1, batch["start"].view(-1, 1, 1) + place)
        loss = self._loss(self.network.readings(crops, samples), batch)
        self._log_mean("train_loss", loss, len(crops), prog_bar=True)
        return loss

    def validation_step(self, batch: Line, batch_index: int) -> None:
        """Score whole lines at every threshold."""
        network, rf = self.network, batch["rf"]
        readings = network.readings(network.padded(rf), rf.shape[-1])
        self._log_mean("val_loss", self._loss(readings, batch), len(rf))
        lines = network.head(readings).squeeze(1).float().cpu(), batch["count"].squeeze(1).cpu()
        f1 = tolerance_sweep(*lines, tolerances=[QUOTED_TOLERANCE]).f1
        self._f1_sum, self._lines = self._f1_sum + f1.sum((0, 1)), self._lines + len(f1)

    def on_validation_epoch_end(self) -> None:
        """Log the mean F1 at the best threshold over the lines of all processes."""
        total = torch.tensor([*self._f1_sum, self._lines], device=self.device)
        if self.trainer.world_size > 1:
            total = self.trainer.strategy.reduce(total, reduce_op="sum")
        self._f1_sum, self._lines = np.zeros(len(THRESHOLDS)), 0
        self.log("val_f1", float((total[:-1] / total[-1]).max()), prog_bar=True, sync_dist=True)

    def _loss(self, readings: Tensor, batch: Line) -> Tensor:
        loss: Tensor
        if isinstance(self.loss, EmitterLoss):
            loss = self.loss(readings, batch["arrival_sample"], batch["radius_um"])
        else:
            loss = self.loss(readings, batch["count"])
        return loss

    def _log_mean(self, name: str, value: Tensor, lines: int, prog_bar: bool = False) -> None:
        """Log the mean over the lines of an epoch, and of all processes."""
        self.log(
            name, value, prog_bar, on_step=False, on_epoch=True, sync_dist=True, batch_size=lines
        )

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
