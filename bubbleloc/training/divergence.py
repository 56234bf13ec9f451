"""Stop a training whose loss, gradients or weights are no longer numbers."""

from itertools import islice
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

from bubbleloc.data.crops import Crop
from bubbleloc.data.dataset import Line
from bubbleloc.errors import InputError
from bubbleloc.files import write_yaml

DIAGNOSIS = "diverged"  # .yaml to read, .pt with the batch and the weights


class DivergenceGuard(L.Callback):
    """Looks at the loss of every batch and at the gradients before every step.

    The batch, where it came from, and the weights before the step go to ``diverged.yaml`` and
    ``diverged.pt`` in the run's folder; the checkpoints before it are left as they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._batch: tuple[int, Line] | None = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Line, batch_idx: int
    ) -> None:
        """Remember the batch until it is used."""
        self._batch = batch_idx, batch

    def on_before_backward(
        self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor
    ) -> None:
        """Check the loss."""
        self._check("loss", [loss], trainer, pl_module)

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Check the gradients, where no scaler expects to find some too large for float16."""
        if getattr(trainer.precision_plugin, "scaler", None) is None:
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            self._check("gradients", gradients, trainer, pl_module)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the weights before they are scored and kept."""
        self._check("weights", list(pl_module.parameters()), trainer, pl_module)

    def _check(
        self, what: str, tensors: list[Tensor], trainer: L.Trainer, module: L.LightningModule
    ) -> None:
        """Stop all processes where one has found a value that is not finite."""
        with torch.no_grad():
            norm = torch.stack([t.detach().float().norm() for t in tensors]).sum()
        good = bool(norm.isfinite())
        if trainer.world_size > 1:
            good = trainer.strategy.reduce_boolean_decision(good)
        if good:
            return
        crops = self._crops(trainer)
        report = self._write(what, crops, trainer, module)
        signals = ", ".join(str(crop.signal) for crop in crops[:8]) + ", …" * (len(crops) > 8)
        raise InputError(
            f"training diverged: {what} NaN or infinite at step {trainer.global_step}, epoch "
            f"{trainer.current_epoch} (training signals {signals}; see {report}); earlier "
            "checkpoints are kept, train again with a lower optimizer.lr or a lower "
            "trainer.gradient_clip_val"
        )

    def _crops(self, trainer: L.Trainer) -> list[Crop]:
        """Draw again the crops of the batch; they depend on seed and epoch alone."""
        loader: Any = trainer.train_dataloader
        if self._batch is None or loader is None:
            return []
        first = self._batch[0] * loader.batch_size
        return list(islice(loader.sampler, first, first + loader.batch_size))

    def _write(
        self, what: str, crops: list[Crop], trainer: L.Trainer, module: L.LightningModule
    ) -> Path:
        """Write what is known; processes after the first add their number to the names."""
        rank = f"-{trainer.global_rank}" if trainer.global_rank else ""
        report = self.folder / f"{DIAGNOSIS}{rank}.yaml"
        gradients = {
            name: float(p.grad.norm())
            for name, p in module.named_parameters()
            if p.grad is not None
        }
        facts = {
            "not_finite": what,
            "step": int(trainer.global_step),
            "epoch": int(trainer.current_epoch),
            "batch": self._batch[0] if self._batch else None,
            "learning_rate": [group["lr"] for o in trainer.optimizers for group in o.param_groups],
            "crops": [{"signal": c.signal, "start": c.start, "samples": c.samples} for c in crops],
            "gradient_norms": gradients,
        }
        write_yaml(report, facts)
        content = {"batch": dict(self._batch[1]) if self._batch else {}, "facts": facts}
        torch.save(content | {"state_dict": module.state_dict()}, report.with_suffix(".pt"))
        return report
