"""Files of bubbles: a row per detection, there when complete and not before."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, explain_write_errors

COLUMNS = ("line", "sample", "time_us", "depth_mm", "confidence")


class Table(ABC):
    """An open output file."""

    @abstractmethod
    def append(self, rows: pd.DataFrame) -> None:
        """Write rows of the columns `COLUMNS`."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


class _Csv(Table):
    def __init__(self, path: Path, facts: Mapping[str, object]) -> None:
        self.file = path.open("w", encoding="utf-8", newline="")
        self.file.write(",".join(COLUMNS) + "\n")

    def append(self, rows: pd.DataFrame) -> None:
        rows.to_csv(self.file, header=False, index=False, float_format="%.8g", lineterminator="\n")

    def close(self) -> None:
        self.file.close()


class _Hdf5(Table):
    def __init__(self, path: Path, facts: Mapping[str, object]) -> None:
        self.file = h5py.File(path, "w")
        self.file.attrs.update(facts)
        for name in COLUMNS:
            kind = np.int64 if name == "line" else np.float64
            self.file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(4096,))

    def append(self, rows: pd.DataFrame) -> None:
        for name in COLUMNS:
            data = self.file[name]
            data.resize((len(data) + len(rows),))
            data[len(data) - len(rows) :] = rows[name].to_numpy()

    def close(self) -> None:
        self.file.close()


_FORMATS: dict[str, type[Table]] = {".csv": _Csv, ".h5": _Hdf5, ".hdf5": _Hdf5}


def check_output(path: Path) -> None:
    """Refuse an output of unknown format before any work is done."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"output={path}: choose a name that ends with {', '.join(_FORMATS)}")


@contextlib.contextmanager
def bubble_file(path: Path, facts: Mapping[str, object]) -> Iterator[Table]:
    """Open a CSV or HDF5 file, by its suffix, that appears under its name when all went well.

    Args:
        facts: what to note in an HDF5 file's attributes.
    """
    with contextlib.ExitStack() as stack:
        with explain_write_errors(path):
            unfinished = stack.enter_context(atomic(path))
            table = _FORMATS[path.suffix.lower()](unfinished, facts)  # type: ignore[call-arg]
        yield stack.enter_context(contextlib.closing(table))
