"""RF lines in text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes
from bubbleloc.formats.lines import RFLines, lines_of_array


def open_text(path: Path, transpose: bool) -> RFLines:
    """Read RF lines from rows of fields that commas, semicolons or blanks separate.

    A first row that is no numbers is a heading, and what follows a ``#`` a comment.

    Raises:
        InputError: an empty file, a field that is no number, or rows of unequal length.
    """
    check_bytes(path)
    first, line = _first_row(path)
    separator = next((mark for mark in ",;" if mark in first), None)
    skipped = line if _are_numbers(first.split(separator)) else line + 1
    try:
        table = np.loadtxt(path, np.float32, delimiter=separator, skiprows=skipped, ndmin=2)
    except ValueError as error:
        raise InputError(
            f"{path} is not a table of numbers ({' '.join(str(error).split())}); published text "
            "files are imported with bubbleloc.convert"
        ) from error
    return lines_of_array(path, table, transpose)


def _first_row(path: Path) -> tuple[str, int]:
    """Return the first row that is neither blank nor a comment, and the number of its line."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file):
            if row := line.split("#")[0].strip():
                return row, number
    raise InputError(f"{path} is empty: give RF lines, one per row")


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool([float(field or "nan") for field in fields])
    except ValueError:
        return False
