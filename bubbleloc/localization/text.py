"""RF lines in text files, parsed piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES, check_bytes

Floats = NDArray[np.float32]

_BYTES_PER_SAMPLE = 16
_COLUMNS_AT_ONCE = 1024
"""Lines that are columns need a pass over the file for each so many of them."""


def text_blocks(
    path: Path, transpose: bool
) -> tuple[int, int | None, Callable[[int], Iterator[Floats]]]:
    """Samples per line, lines (None if only reading tells), and how to read blocks of lines.

    Fields are separated by commas, semicolons or blanks. A first row that is no numbers is a
    heading, and what follows a ``#`` a comment.
    """
    settings, columns = _layout(path)
    if columns == 1 or transpose:
        samples = sum(len(part) for part in _parts(path, settings, [0], 1 << 16))
        return samples, columns, lambda size: _columns(path, settings, columns, size)
    return columns, None, lambda size: _rows(path, settings, size)


def _layout(path: Path) -> tuple[dict[str, Any], int]:
    """Settings of ``pandas.read_csv`` for a file, and its number of columns."""
    with path.open(encoding="utf-8", errors="replace") as file:
        pieces = iter(partial(file.readline, MOST_SAMPLES * _BYTES_PER_SAMPLE), "")
        first = next((words for line in pieces if (words := line.split("#")[0].strip())), "")
    if len(first) >= MOST_SAMPLES:
        check_bytes(path)
    if not first:
        raise InputError(f"{path} is empty: give RF lines, one per row")
    separator = next((mark for mark in ",;" if mark in first), r"\s+")
    fields = first.split() if separator == r"\s+" else first.rstrip(separator).split(separator)
    settings = {"sep": separator, "comment": "#", "skip_blank_lines": True, "dtype": np.float32}
    return settings | {"header": None if _are_numbers(fields) else 0}, len(fields)


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool([float(field or "nan") for field in fields])
    except ValueError:
        return False


def _rows(path: Path, settings: dict[str, Any], size: int) -> Iterator[Floats]:
    """Lines that are rows."""
    for part in _parts(path, settings, None, size):
        yield np.array(part, dtype=np.float32, order="C")


def _columns(path: Path, settings: dict[str, Any], columns: int, size: int) -> Iterator[Floats]:
    """Lines that are columns."""
    for start in range(0, columns, _COLUMNS_AT_ONCE):
        chosen = list(range(start, min(start + _COLUMNS_AT_ONCE, columns)))
        table = pd.concat(_parts(path, settings, chosen, 1 << 12)).to_numpy().T
        for first in range(0, len(table), size):
            yield np.array(table[first : first + size], order="C")


def _parts(
    path: Path, settings: dict[str, Any], columns: list[int] | None, rows: int
) -> Iterator[pd.DataFrame]:
    try:
        with pd.read_csv(path, **settings, usecols=columns, chunksize=rows) as parts:
            yield from parts
    except ValueError as error:  # fields that are no numbers, rows of unequal length
        raise InputError(
            f"{path} is not a table of numbers ({' '.join(str(error).split())}); published text "
            "files are imported with bubbleloc.convert"
        ) from error
