"""The network, its loss and its optimizer, as Lightning trains them."""

from typing import Any

import lightning as L
import torch
from torch import Tensor
from torchmetrics import Metric

from bubbleloc.console.settings.training import Optimizer
from bubbleloc.data.batches import Line
from bubbleloc.metrics import QUOTED_TOLERANCE, THRESHOLDS, tolerance_sweep
from bubbleloc.nn import Localizer
from bubbleloc.training.losses import DualLoss, EmitterLoss

METRIC_NAMES = ("train_loss", "val_f1", "val_loss")


class BestF1(Metric):
    """Mean tolerance F1 over lines, at the threshold where it is highest."""

    full_state_update = False
    f1_sum: Tensor
    lines: Tensor

    def __init__(self) -> None:
        super().__init__()
        zeros = torch.zeros(len(THRESHOLDS), dtype=torch.float64)
        self.add_state("f1_sum", zeros, dist_reduce_fx="sum")
        self.add_state("lines", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, output: Tensor, count: Tensor) -> None:
        """Add lines: network output and bubbles per sample, both (B, L)."""
        lines = output.float().cpu(), count.cpu()
        f1 = tolerance_sweep(*lines, tolerances=[QUOTED_TOLERANCE]).f1
        self.f1_sum += torch.from_numpy(f1.sum((0, 1))).to(self.f1_sum)
        self.lines += len(f1)

    def compute(self) -> Tensor:
        """Return the mean, a scalar."""
        return (self.f1_sum / self.lines).max().float()


class Learner(L.LightningModule):
    """A network, its loss, its optimizer, and the F1 that picks the best checkpoint.

    Args:
        optimizer: settings of Adam and its schedule.
    """

    def __init__(
        self, network: Localizer, loss: DualLoss | EmitterLoss, optimizer: Optimizer
    ) -> None:
        super().__init__()
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.val_f1 = BestF1()

    def training_step(self, batch: Line, batch_index: int) -> Tensor:
        """Return the loss of a batch of crops."""
        samples = batch["count"].shape[-1]
        lines = self.network.padded(batch["rf"])
        sample = torch.arange(samples + self.network.context, device=lines.device)
        crops = lines.gather(-1, batch["start"].view(-1, 1, 1) + sample)
        loss = self._loss(self.network.readings(crops, samples), batch)
        self._log_mean("train_loss", loss, len(crops), prog_bar=True)
        return loss

    def validation_step(self, batch: Line, batch_index: int) -> None:
        """Score whole lines at every threshold."""
        network, rf = self.network, batch["rf"]
        readings = network.readings(network.padded(rf), rf.shape[-1])
        self._log_mean("val_loss", self._loss(readings, batch), len(rf))
        self.val_f1.update(network.head(readings).squeeze(1), batch["count"].squeeze(1))
        self.log("val_f1", self.val_f1, prog_bar=True)

    def _loss(self, readings: Tensor, batch: Line) -> Tensor:
        if isinstance(self.loss, EmitterLoss):
            return self.loss.forward(readings, batch["arrival_sample"], batch["radius_um"])
        return self.loss.forward(readings, batch["count"])

    def _log_mean(self, name: str, value: Tensor, lines: int, prog_bar: bool = False) -> None:
        """Log the mean over the lines of an epoch, and of all processes."""
        self.log(
            name, value, prog_bar, on_step=False, on_epoch=True, sync_dist=True, batch_size=lines
        )

    def configure_optimizers(self) -> Any:
        """Return Adam with the schedule of the configuration."""
        adam = torch.optim.Adam(self.network.parameters(), lr=self.optimizer.lr)
        steps = int(self.trainer.estimated_stepping_batches)
        match self.optimizer.schedule:
            case "one_cycle":
                cycle = torch.optim.lr_scheduler.OneCycleLR(adam, self.optimizer.lr, steps)
                return [adam], [{"scheduler": cycle, "interval": "step"}]
            case "step":
                milestones = self.optimizer.milestones
                return [adam], [torch.optim.lr_scheduler.MultiStepLR(adam, milestones, gamma=0.1)]
            case _:
                return adam
