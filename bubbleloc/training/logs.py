"""Logs of a training: a CSV file always, TensorBoard where it is installed."""

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import lightning as L
from lightning.pytorch.loggers import Logger, TensorBoardLogger

from bubbleloc.files import write_text

METRICS = Path("logs", "version_0", "metrics.csv")  # in a run's folder


class MetricsLog(L.Callback):
    """Appends the metrics of every epoch to ``metrics.csv``, before its checkpoint is written.

    A training that resumes from a checkpoint thus finds the rows of all epochs before it. Rows of
    epochs that come again are removed first.

    Args:
        folder: of the run.
        metrics: names of the columns besides epoch and step; those of validation, which begin
            with ``val_``, have a row of their own.
    """

    def __init__(self, folder: Path, metrics: Sequence[str]) -> None:
        self.path, self.metrics = folder / METRICS, metrics
        self._validated = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin the file, or keep the complete rows of epochs before this one."""
        if not trainer.is_global_zero:
            return
        lines = (
            self.path.read_bytes().decode().splitlines(keepends=True) if self.path.is_file() else []
        )
        rows = [line for line in lines[1:] if line.endswith("\n")]
        kept = [row for row in rows if int(row.split(",")[0]) < trainer.current_epoch]
        header = ",".join(["epoch", "step", *self.metrics])
        write_text(self.path, "".join([f"{header}\r\n", *kept]))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note that this epoch has metrics of validation."""
        self._validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Append the rows of the epoch."""
        logged = trainer.callback_metrics.items()
        values = {name: float(value) for name, value in logged if name in self.metrics}
        place = {"epoch": trainer.current_epoch, "step": trainer.global_step - 1}
        rows = [
            place | {name: value for name, value in values.items() if name.startswith(part)}
            for part in (("val_",) if self._validated else ()) + ("train_",)
        ]
        self._validated = False
        if trainer.is_global_zero:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                csv.DictWriter(file, [*place, *self.metrics]).writerows(rows)


def loggers(folder: Path) -> list[Logger]:
    """Return Lightning's loggers of a run: TensorBoard where it is installed."""
    if importlib.util.find_spec("tensorboard"):
        return [TensorBoardLogger(folder, name="tensorboard", version=0)]
    return []
