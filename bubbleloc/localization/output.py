"""Tables of bubbles in CSV, Parquet and HDF5 files."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, check_output, explain_write_errors
from bubbleloc.formats import Recording
from bubbleloc.metrics.detections import COLUMNS
from bubbleloc.tables import write_long_csv
from bubbleloc.units import Scale

_WHOLE = ["frame", "element"]
FILE_COLUMNS = [*_WHOLE, *COLUMNS]
_SUFFIXES = (".csv", ".parquet", ".h5", ".hdf5")


def check_table(path: Path, source: Path) -> None:
    """Refuse an output of unknown format, the input, or what cannot be written, before any work."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"output={path}: choose a name that ends with {', '.join(_SUFFIXES)}")
    if path.suffix.lower() == ".parquet" and not find_spec("pyarrow"):
        raise InputError(f"output={path} needs pyarrow: pip install 'bubbleloc[parquet]'")
    if path.resolve() == source.resolve():
        raise InputError(f"output={path} would overwrite the input: choose another name")
    check_output(path)


def describe(recording: Recording, scale: Scale) -> list[str]:
    """Return lines that say what a recording is, and where each fact comes from."""
    sources, counts = (
        recording.sources,
        zip(
            (recording.frames, recording.elements, recording.samples),
            ("frame", "element", "sample"),
            strict=True,
        ),
    )
    size = " × ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts)
    rate = f"{scale.sampling_rate_hz / 1e6:g} MHz ({sources.get('sampling_rate_hz', 'file')})"
    speed = f"{scale.speed_of_sound_m_s:g} m/s ({sources.get('speed_of_sound_m_s', 'network')})"
    start = f"{1e6 * recording.start_s:.3f} µs ({sources.get('start_s', 'assumed')})"
    return [
        f"{recording.source}: {size} at {rate}",
        f"speed of sound {speed}, first sample at {start}",
        *recording.steps,
        *(f"note: {note}" for note in recording.notes),
    ]


def write_bubbles(path: Path, tables: Iterable[pd.DataFrame], facts: Mapping[str, object]) -> None:
    """Write tables with the columns `FILE_COLUMNS` below each other to a CSV, Parquet or HDF5 file.

    Args:
        facts: attributes of an HDF5 file.
    """
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".csv":
        write_long_csv(tables, path)
    elif path.suffix.lower() == ".parquet":
        _write_parquet(path, tables)
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
        for name in FILE_COLUMNS:
            kind = np.int64 if name in _WHOLE else np.float64
            file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(4096,))
        for table in tables:
            with explain_write_errors(path):
                for name in FILE_COLUMNS:
                    start = len(file[name])
                    file[name].resize((start + len(table),))
                    file[name][start:] = table[name].to_numpy()
