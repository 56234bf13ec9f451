"""Finished batches of lines, kept beside the output until that is complete.

The file ``<output>.partial`` begins with a hash of all that its tables depend on. A table per batch
follows, as the array of a ``.npy`` file. A kill spoils the last one at most.
"""

import contextlib
import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from numpy.lib.format import read_array, write_array

from bubbleloc import __version__
from bubbleloc.data.store import partial_path
from bubbleloc.files import exclusive, explain_write_errors
from bubbleloc.formats import Recording
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.metrics.detections import COLUMNS


@contextlib.contextmanager
def resumed(
    output: Path, finder: BubbleFinder, recording: Recording, batch_size: int, made_with: object
) -> Iterator[Iterator[pd.DataFrame]]:
    """Yield the tables of `BubbleFinder.tables`, first those that an interrupted command has left.

    All are kept beside `output` until the block ends without an error.

    Args:
        made_with: what else the tables depend on; where that differs, so does its ``repr``.

    Raises:
        InputError: another process writes this output, or it cannot be written.
    """
    file = Path(recording.source).stat()  # to hash a long recording would take minutes
    of = (__version__, str(recording.source), file.st_size, file.st_mtime_ns)
    text = repr((of, COLUMNS, finder.threshold, finder.network_samples, batch_size, made_with))
    key = hashlib.sha256(text.encode()).digest()
    path = partial_path(output)

    def tables() -> Iterator[pd.DataFrame]:
        finished = 0
        for table in _kept(path, key):
            finished += 1
            yield table
        for table in finder.tables(recording, batch_size, finished, progress=True):
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
