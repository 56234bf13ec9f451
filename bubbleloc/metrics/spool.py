"""Rows of numbers on disk: what is kept of every signal, however many there are."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]

_PIECE_BYTES = 2**18


class Spool:
    """Rows of arrays in a temporary file, read back in pieces; the file goes with the object.

    A row is what an array holds at one place of its first axis; all rows have one shape and dtype.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 closed with the object
        self._like: Rows = np.empty(0)  # an array of such rows, without any
        self._rows = 0
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: Rows) -> None:
        """Write rows behind those that are there."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(rows.tobytes())
        self._like, self._rows = rows[:0].copy(), self._rows + len(rows)

    def pieces(self) -> Iterator[Rows]:
        """Yield all rows in order, some at a time."""
        shape, dtype = self._like.shape[1:], self._like.dtype
        size = dtype.itemsize * int(np.prod(shape))
        rows = max(1, _PIECE_BYTES // size)
        for first in range(0, len(self), rows):
            self._file.seek(first * size)
            raw = self._file.read(min(rows, len(self) - first) * size)
            yield np.frombuffer(raw, dtype).reshape(-1, *shape)

    def median(self) -> Rows:
        """Median over the rows, of the shape of one, with one entry of its first axis at a time."""
        shape = self._like.shape[1:]
        middle, values = np.empty(shape), np.empty((len(self), *shape[1:]))
        for entry in range(len(middle)):
            first = 0
            for piece in self.pieces():
                values[first : first + len(piece)] = piece[:, entry]
                first += len(piece)
            middle[entry] = np.median(values, axis=0, overwrite_input=True)
        return middle
