"""Tables of bubbles in CSV and HDF5 files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, explain_write_errors

COLUMNS = ("line", "sample", "time_us", "depth_mm", "confidence")
_SUFFIXES = (".csv", ".h5", ".hdf5")


def check_output(path: Path, source: Path) -> None:
    """Refuse an output of unknown format, or one that is the input, before any work is done."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"output={path}: choose a name that ends with {', '.join(_SUFFIXES)}")
    if path.resolve() == source.resolve():
        raise InputError(f"output={path} would overwrite the input: choose another name")


@contextmanager
def bubble_file(
    path: Path, facts: Mapping[str, object]
) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a CSV or HDF5 file, by its suffix; yields a function that appends rows to it.

    Args:
        facts: attributes of an HDF5 file.
    """
    write = _append_csv if path.suffix.lower() == ".csv" else _append_hdf5

    def append(rows: pd.DataFrame) -> None:
        with explain_write_errors(path):
            write(unfinished, rows[[*COLUMNS]])

    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as unfinished:
        append(pd.DataFrame({name: [] for name in COLUMNS}))
        if write is _append_hdf5:
            with h5py.File(unfinished, "a") as file:
                file.attrs.update(facts)
        yield append


def _append_csv(path: Path, rows: pd.DataFrame) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        first = file.tell() == 0
        rows.to_csv(file, header=first, index=False, float_format="%.8g", lineterminator="\n")


def _append_hdf5(path: Path, rows: pd.DataFrame) -> None:
    with h5py.File(path, "a") as file:
        for name, values in rows.items():
            kind = np.int64 if name == "line" else np.float64
            if name not in file:
                file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(4096,))
            column = file[name]
            column.resize((len(column) + len(values),))
            column[len(column) - len(values) :] = values.to_numpy()
