"""Logs that go on where a run was cut: CSV always, TensorBoard where it is installed."""

import csv
import importlib.util
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

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


def forget_epochs(folder: Path, first: int) -> None:
    """Remove the rows of the epochs that a resumed training does again, and torn rows."""
    path = folder / METRICS
    if not path.is_file():
        return
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if "epoch" not in header:
        path.unlink()
        return
    epoch = header.index("epoch")
    whole = [row for row in rows if len(row) == len(header) and row[epoch].isdecimal()]
    temporary = path.with_name(f"{path.name}.partial")
    with temporary.open("w", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in whole if int(row[epoch]) < first)])
    temporary.replace(path)
