"""Logs of a training: a progress bar and a CSV file always; TensorBoard and others if wanted."""

import contextlib
import csv
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers import Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from tqdm import tqdm

from bubbleloc.errors import InputError
from bubbleloc.files import write_text

METRICS = Path("logs", "version_0", "metrics.csv")  # in a run's folder
PROJECT = "bubbleloc"  # the experiment of MLflow, the project of Weights & Biases
LOGGERS: Mapping[str, Callable[[Path], Logger]] = {  # by the name of their package
    "tensorboard": lambda folder: TensorBoardLogger(folder, name="tensorboard", version=0),
    "mlflow": lambda folder: MLFlowLogger(
        PROJECT, str(folder), os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    ),
    "wandb": lambda folder: WandbLogger(str(folder), folder, project=PROJECT),
}


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
        text = self.path.read_bytes().decode() if self.path.is_file() else ""
        rows = [line for line in text.splitlines(keepends=True)[1:] if line.endswith("\n")]
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


def loggers(folder: Path, names: Sequence[str] | None = None) -> list[Logger]:
    """Return Lightning's loggers of a run.

    Args:
        folder: of the run.
        names: of `LOGGERS`, or ``csv``, which is `MetricsLog` alone; None is TensorBoard where it
            is installed.

    Raises:
        InputError: the package of a logger is not installed, or refuses.
    """
    if names is None:
        names = ["tensorboard"] if _is_installed("tensorboard") else []
    wanted = [name for name in LOGGERS if name in names]
    for name in wanted:
        if not _is_installed(name):
            raise InputError(f'logger={name}: first run: pip install "bubbleloc[{name}]"')
    with _plain_errors():
        return [LOGGERS[name](folder) for name in wanted]


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@contextlib.contextmanager
def described(loggers: Sequence[Logger], settings: Mapping[str, Any]) -> Iterator[None]:
    """Open the logs of a training with its settings, and close them at its end.

    Raises:
        InputError: a server of logs refuses, or is not there.
    """
    with _plain_errors():
        for logger in loggers:
            logger.log_hyperparams(dict(settings))
    try:
        yield
    finally:
        for logger in loggers:
            if isinstance(logger, WandbLogger):  # or the next job of a sweep would go on with it
                logger.experiment.finish()


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each package has errors of its own
        raise InputError(f"logger: {' '.join(str(error).split())}") from error


class TrainingProgress(ProgressBar):
    """Counts batches over all epochs and shows the latest loss and validation F1."""

    _bar: "tqdm[Any]" = tqdm(disable=True)

    def disable(self) -> None:
        """Lightning asks for it in all processes but the first, where `on_train_start` does it."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar, at the place where a resumed training goes on."""
        batches, epochs = int(trainer.num_training_batches), trainer.max_epochs or 1
        self._bar = tqdm(
            desc="train",
            unit="batch",
            total=batches * epochs,
            initial=batches * trainer.current_epoch,
            dynamic_ncols=True,
            disable=not trainer.is_global_zero,
        )

    def on_train_batch_end(self, *_: Any) -> None:
        """Move on by one batch."""
        self._bar.update()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the metrics of the epoch."""
        metrics = sorted(self.get_metrics(trainer, pl_module).items())
        self._bar.set_postfix({k: f"{value:.3f}" for k, value in metrics if k != "v_num"})

    def on_train_end(self, *_: Any) -> None:
        """Close the bar."""
        self._bar.close()

    def on_exception(self, *_: Any) -> None:
        """Close the bar before the error is shown."""
        self._bar.close()
