"""Tables of bubbles in CSV, Parquet, HDF5 and MATLAB files, and the finished part of one.

Finished batches of lines are kept beside the output until that is complete. The file
``<output>.partial`` begins with a hash of all that its tables depend on. A table per batch follows,
as the array of a ``.npy`` file. A kill spoils the last one at most.
"""

import contextlib
import hashlib
import io
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.lib.format import read_array, write_array
from scipy.io import savemat

from bubbleloc import __version__
from bubbleloc.console.settings.using import Localize
from bubbleloc.data.store import partial_path
from bubbleloc.errors import InputError
from bubbleloc.files import atomic, check_output, exclusive, explain_write_errors
from bubbleloc.metrics.detections import COLUMNS
from bubbleloc.models.card import Card
from bubbleloc.physics.told import Told
from bubbleloc.tables import write_long_csv

WITHOUT_EFFECT = {"output", "picture", "report", "executor", "address"}  # on what is found
_WHOLE = ["frame", "element"]
FILE_COLUMNS = [*_WHOLE, *COLUMNS]
_SUFFIXES = (".csv", ".parquet", ".h5", ".hdf5", ".mat")
ROWS = 2**16  # that are written to an HDF5 file at a time
_MOST_BYTES = 2**31 - 1  # of a vector in a .mat file


def check_table(path: Path, source: Path) -> None:
    """Refuse an output of unknown format, the input, or what cannot be written, before any work."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"output={path}: choose a name that ends with {', '.join(_SUFFIXES)}")
    if path.suffix.lower() == ".parquet" and not find_spec("pyarrow"):
        raise InputError(f"output={path} needs pyarrow: pip install 'bubbleloc[parquet]'")
    if path.resolve() == source.resolve():
        raise InputError(f"output={path} would overwrite the input: choose another name")
    check_output(path)


def write_bubbles(path: Path, tables: Iterable[pd.DataFrame], facts: Mapping[str, object]) -> None:
    """Write tables with the columns `FILE_COLUMNS` below each other to a file, see `_SUFFIXES`.

    Args:
        facts: attributes of an HDF5 file; variables of a MATLAB file.
    """
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".csv":
        write_long_csv(tables, path)
    elif path.suffix.lower() == ".parquet":
        _write_parquet(path, tables)
    elif path.suffix.lower() == ".mat":
        _write_mat(path, tables, facts)
    else:
        _write_hdf5(path, tables, facts)


def _write_parquet(path: Path, tables: Iterable[pd.DataFrame]) -> None:
    from pyarrow import Table, parquet

    tables = iter(tables)
    first = Table.from_pandas(next(tables))
    with atomic(path) as unfinished, parquet.ParquetWriter(unfinished, first.schema) as file:
        file.write_table(first)
        for table in tables:
            file.write_table(Table.from_pandas(table))


def _write_hdf5(path: Path, tables: Iterable[pd.DataFrame], facts: Mapping[str, object]) -> None:
    with atomic(path) as unfinished, h5py.File(unfinished, "w") as file:
        file.attrs.update(facts)
        columns = {
            name: file.create_dataset(
                name,
                (0,),
                np.int64 if name in _WHOLE else np.float64,
                maxshape=(None,),
                chunks=(4096,),
            )
            for name in FILE_COLUMNS
        }
        rows = 0
        for table in _gathered(tables):
            with explain_write_errors(path):
                for name, column in columns.items():
                    column.resize((rows + len(table),))
                    column[rows:] = table[name].to_numpy()
            rows += len(table)


def _gathered(tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield tables of `ROWS` rows or more, and the rest."""
    waiting: list[pd.DataFrame] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= ROWS:
            yield pd.concat(waiting)
            waiting = []
    yield from waiting


def _write_mat(path: Path, tables: Iterable[pd.DataFrame], facts: Mapping[str, object]) -> None:
    whole = pd.concat(list(tables))
    columns = {name: whole[name].to_numpy(np.float64) for name in FILE_COLUMNS}
    if len(whole) > _MOST_BYTES // 8:
        raise InputError(f"output={path}: {len(whole)} bubbles are too many; choose a name in .h5")
    with explain_write_errors(path), atomic(path) as unfinished:
        savemat(unfinished, columns | dict(facts), appendmat=False, oned_as="column")


def key_of(source: Path, card: Card, settings: Localize, told: Told | None = None) -> bytes:
    """Return a hash of all that the detections of a recording depend on."""
    echo = None if told is None else hashlib.sha256(told.echo.tobytes()).hexdigest()
    file = source.stat()  # to hash a long recording would take minutes
    parts = {
        "software": __version__,
        "columns": COLUMNS,
        "recording": (str(source), file.st_size, file.st_mtime_ns),
        "network": (card.fingerprint, card.calibration, asdict(card.scale)),
        "thresholds": dict(card.thresholds),
        "pulse": told and (echo, told.sampling_rate_hz),
        "settings": settings.model_dump(exclude=WITHOUT_EFFECT),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()


@contextlib.contextmanager
def resumed(
    output: Path, key: bytes, tables_from: Callable[[int], Iterable[pd.DataFrame]]
) -> Iterator[Iterator[pd.DataFrame]]:
    """Yield the tables of all batches, first those that an interrupted command has left.

    All are kept beside `output` until the block ends without an error.

    Args:
        key: a hash of all that they depend on.
        tables_from: makes the tables from the batch of a number on.

    Raises:
        InputError: another process writes this output, or it cannot be written.
    """
    path = partial_path(output)

    def tables() -> Iterator[pd.DataFrame]:
        finished = 0
        for table in _kept(path, key):
            finished += 1
            yield table
        for table in tables_from(finished):
            _keep(table, path, key)
            yield table

    with exclusive(output):
        yield tables()
        path.unlink()


def _keep(table: pd.DataFrame, path: Path, key: bytes) -> None:
    packed = io.BytesIO()
    write_array(packed, table.to_records(index=False), allow_pickle=False)
    with explain_write_errors(path), path.open("ab") as file:
        file.write(packed.getvalue() if file.tell() else key + packed.getvalue())


def _kept(path: Path, key: bytes) -> Iterator[pd.DataFrame]:
    """Yield the tables in a file; cut off what a kill has spoilt, or remove what does not fit."""
    if not path.exists():
        return
    with path.open("rb") as file:
        fits = file.read(len(key)) == key
        while fits:
            whole = file.tell()
            try:
                table = pd.DataFrame(read_array(file, allow_pickle=False))
            except ValueError:  # the end, or a spoilt table
                os.truncate(path, whole)
                return
            yield table
    path.unlink()
    warnings.warn(
        f"{path} was left by other settings, or of another recording, network or version, and is "
        "removed; localizing from the first line",
        stacklevel=2,
    )
