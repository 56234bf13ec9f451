"""RF lines in text files."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES, check_bytes
from bubbleloc.formats.plain import recording_of_array
from bubbleloc.formats.recording import Hints, Recording
from bubbleloc.formats.srml import HEADER_LINES, PUBLISHED, PUBLISHED_HEADING, read_signal

LONGEST_ROW = 32 * MOST_SAMPLES  # characters
_PAIRS = 16  # fields without a sign that are enough to tell decimals from samples
_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


def read_text(path: Path, hints: Hints) -> Recording:
    """Read RF lines from rows of fields that semicolons, tabs, commas or blanks separate.

    Where commas do not separate they are decimal points. A first row in which no field is a
    number is a heading, and what follows a ``#`` and a blank is a comment. A first column that
    rises evenly is the time of the samples, in the unit of its heading or in seconds, or their
    number; lines are columns then.

    Raises:
        InputError: no rows, a field that is no number, rows of unequal length, or commas that
            separate fields as well as decimals.
    """
    check_bytes(path)
    if PUBLISHED_HEADING in "".join(islice(_lines(path), HEADER_LINES)):
        return recording_of_array(
            path, read_signal(path, PUBLISHED).volts, hints, asdict(PUBLISHED)
        )
    above = _lines_above_numbers(path)
    first = next(islice(_lines(path), above, None))
    separator = _separator(first.partition("#")[0])
    if separator == ",":
        _refuse_decimal_commas(path, islice(_lines(path), above, above + 1000))
    try:
        rows = _plain_rows(path, islice(_lines(path), above, None), separator)
        table = np.loadtxt(rows, delimiter=separator, comments=None, ndmin=2)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"{path} is not a table of numbers ({' '.join(str(error).split())})"
        ) from error
    if len(table) > 1 and table.shape[1] > 1 and np.all(table[0] == np.arange(table.shape[1])):
        raise InputError(f"{path}: the first row counts the columns; remove this heading")
    heading = "".join(islice(_lines(path), above))
    if (facts := _facts_of_time(path, table[:, 0], heading, table.shape)) is not None:
        return recording_of_array(path, table[:, 1:].T, {**hints, "transpose": False}, facts)
    return recording_of_array(path, table, hints)


def _facts_of_time(
    path: Path, time: Floats, heading: str, shape: tuple[int, ...]
) -> dict[str, float] | None:
    """Return rate and start that a column of times tells, or None where it is no such column."""
    rows, columns = shape
    if columns < 2 or rows <= max(columns, 2):
        return None
    step = (time[-1] - time[0]) / (rows - 1)
    even = step > 0 and np.abs(time - time[0] - step * np.arange(rows)).max() < step / 4
    named = re.match(
        r"\W*(time|t)\b\W*(ns|[uµμ]s|ms|s)?\b", heading.replace("_", " "), re.IGNORECASE
    )
    if not even:
        return None
    if step == 1 and not named:  # numbers of the samples
        return {}
    unit_s = _UNITS_S[(named[2] or "s").lower()] if named else 1.0
    rate_hz = 1 / (step * unit_s)
    if not 1e5 <= rate_hz <= 1e10:
        if named is None:
            return None
        raise InputError(
            f"{path}: its column of times gives {rate_hz:g} samples per second: say the unit in "
            "its heading, such as 'time (us)'"
        )
    rounded = float(f"{rate_hz:.4g}")  # times are written with few digits
    rate_hz = rounded if abs(rounded / rate_hz - 1) * rows < 0.1 else rate_hz
    return {"sampling_rate_hz": rate_hz, "start_s": float(time[0]) * unit_s}


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file, none of which is longer than `LONGEST_ROW`."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while line := file.readline(LONGEST_ROW + 1):
            if len(line) > LONGEST_ROW:
                raise InputError(
                    f"{path} holds a row of more than {LONGEST_ROW} characters: cut the RF lines "
                    f"to {MOST_SAMPLES} samples, or give .npy or HDF5"
                )
            yield line


def _lines_above_numbers(path: Path) -> int:
    """Return how many lines of a file are blank, comments or its heading.

    Raises:
        InputError: no row follows, or some fields of the first row are numbers and others not.
    """
    heading = None
    for number, line in enumerate(_lines(path)):
        row = line.partition("#")[0].strip()
        if not row:
            continue
        separator = _separator(row)
        fields = row.split(separator)
        words = [field for field in fields if not _is_number(field, separator)]
        if heading is None and len(words) == len(fields):
            heading = number
        elif words and heading is None:
            raise InputError(
                f"{path} is not a table of numbers: line {number + 1} holds {words[0][:30]!r} "
                "among numbers"
            )
        else:
            return number
    raise InputError(
        f"{path} is empty: give RF lines, one per row"
        if heading is None
        else f"{path} is not a table of numbers: give RF lines, one per row"
    )


def _separator(row: str) -> str | None:
    """Return what separates the fields of a row, None for blanks."""
    for mark in ";\t":
        if mark in row:
            return mark
    fields = row.split()
    blanks_separate = len(fields) > 1 and all(map(_DECIMAL_COMMA.fullmatch, fields))
    return "," if "," in row and not blanks_separate else None


def _is_number(field: str, separator: str | None) -> bool:
    try:
        float(field if separator == "," else field.replace(",", "."))
    except ValueError:
        return False
    return True


def _plain_rows(path: Path, lines: Iterable[str], separator: str | None) -> Iterator[str]:
    """Yield rows of numbers with decimal points, without comments."""
    for line in lines:
        row, mark, comment = line.partition("#")
        if mark and comment[:1].strip():  # such as a spreadsheet's #N/A
            raise InputError(
                f"{path} is not a table of numbers: it holds '#{comment.strip()[:30]}'"
            )
        if separator != "," and "," in row:
            if "." in row:
                raise InputError(f"{path} mixes decimal points with commas: use points alone")
            row = row.replace(",", ".")
        yield row


def _refuse_decimal_commas(path: Path, lines: Iterable[str]) -> None:
    """Refuse ``0,12,-0,05``: every second field is the decimals of the one before.

    Decimals have no sign. They are recognised by zeros in front, exponents or a whole part of
    ``-0``, or where whole parts have signs and many decimals none.
    """
    rows = [line.partition("#")[0].split(",") for line in lines if line.strip()]
    if any(len(row) % 2 for row in rows):
        return
    whole = [field.strip() for row in rows for field in row[::2]]
    decimals = [field.strip() for row in rows for field in row[1::2]]
    if not all(re.fullmatch(r"[+-]?\d+", field) for field in whole):
        return
    if not all(re.fullmatch(r"\d+([eE][+-]?\d+)?", field) for field in decimals):
        return
    signed = any(field[0] == "-" for field in whole) and len(decimals) >= _PAIRS
    if signed or "-0" in whole or any(re.match(r"0\d|\d+[eE]", field) for field in decimals):
        raise InputError(
            f"{path}: commas separate fields and decimals alike; write decimal points, or "
            "separate fields by semicolons"
        )
