"""Logs that go on where a run was cut: CSV always, TensorBoard where it is installed."""

import csv
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from bubbleloc.files import atomic

METRICS = Path("logs", "version_0", "metrics.csv")  # in a run's folder


class _Writer(ExperimentWriter):
    """Appends to the file that is there; Lightning's own removes it."""

    def _check_log_dir_exists(self) -> None:
        path = Path(self.metrics_file_path)
        if path.is_file():
            with path.open(newline="") as file:
                self.metrics_keys = next(csv.reader(file), [])


class _CSVLog(CSVLogger):
    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer, which keeps earlier rows."""
        if self._experiment is None:
            self._experiment = _Writer(log_dir=self.log_dir)
        return self._experiment


def loggers(folder: Path) -> list[Logger]:
    """Return the loggers of a run; every row is on the disk at once."""
    chosen: list[Logger] = [_CSVLog(folder, name="logs", version=0, flush_logs_every_n_steps=1)]
    if importlib.util.find_spec("tensorboard"):
        chosen.append(TensorBoardLogger(folder, name="tensorboard", version=0))
    return chosen


def align(folder: Path, checkpoint: Mapping[str, Any] | None) -> None:
    """Let the CSV log of a run end where a checkpoint ends, from which training goes on.

    Rows of epochs that will be done again go; those of the checkpoint's own epoch, which Lightning
    writes a moment after it, are completed from the ``metrics`` in it.
    """
    path = folder / METRICS
    rows = []
    if path.is_file():
        with path.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if None not in (*row, *row.values())]
    last = -1 if checkpoint is None else int(checkpoint["epoch"])
    rows = [row for row in rows if row.get("epoch", "").isdecimal() and int(row["epoch"]) <= last]
    if checkpoint is not None:
        own = [row for row in rows if int(row["epoch"]) == last]
        written = {name for row in own for name, value in row.items() if value}
        rows += _rows(checkpoint, without=written)
    columns = sorted({name for row in rows for name in row})
    if not columns:
        path.unlink(missing_ok=True)
        return
    with atomic(path) as unfinished, unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _rows(checkpoint: Mapping[str, Any], without: set[str]) -> list[dict[str, str]]:
    """Return the rows of a checkpoint's epoch, validation first, as Lightning writes them."""
    metrics = checkpoint.get("metrics", {})
    steps = checkpoint["loops"]["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"]
    place = {"epoch": str(checkpoint["epoch"]), "step": str(steps - 1)}
    parts = [
        {name: str(value) for name, value in metrics.items() if name.startswith(prefix)}
        for prefix in ("val_", "train_")
    ]
    return [place | part for part in parts if part and not part.keys() <= without]
