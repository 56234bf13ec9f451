"""Tables as files: results written as CSV, Markdown and LaTeX, and numbers read from any text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.digits import rows_of_numbers
from bubbleloc.errors import InputError
from bubbleloc.files import (
    MOST_SAMPLES,
    atomic,
    check_bytes,
    existing,
    unreadable_is_input_error,
    write_text,
)

if TYPE_CHECKING:  # takes half a second, and whoever has a table has it
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a formula begins in a spreadsheet
MANY = 1000  # rows, for which it pays to load compiled code
LONGEST_ROW = 32 * MOST_SAMPLES  # characters
_PAIRS = 16  # fields without a sign that are enough to tell decimals from samples
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table without its index; equal tables give equal bytes."""
    return write_long_csv([frame], path)


def write_long_csv(parts: Iterable[pd.DataFrame], path: Path) -> Path:
    """Write a table that comes in parts, as if it were one.

    A text that a spreadsheet would take for a formula, such as a name with ``=`` in front, gets an
    apostrophe before it.
    """
    with atomic(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as file:
        for i, part in enumerate(parts):
            rows = None if len(part) < MANY else _rows_of_numbers(part)
            written = part if rows is None else part[:0]
            _without_formulas(written).to_csv(
                file, header=i == 0, index=False, float_format="%.8g", lineterminator="\n"
            )
            file.write(rows or "")
    return path


def _rows_of_numbers(frame: pd.DataFrame) -> str | None:
    """Return the rows of a table as pandas would write them; None where it has to."""
    kinds = [kind.kind if isinstance(kind, np.dtype) else "O" for kind in frame.dtypes]
    if not set(kinds) <= {"i", "f"}:
        return None
    return rows_of_numbers(frame.to_numpy(np.float64), np.array([kind == "i" for kind in kinds]))


def _without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.copy(deep=False)
    for number, kind in enumerate(frame.dtypes):
        if kind.kind == "O":
            safe.isetitem(number, [_no_formula(value) for value in frame.iloc[:, number]])
    return safe


def _no_formula(value: object) -> object:
    is_formula = isinstance(value, str) and value[:1] in FORMULA and not _is_number(value, ",")
    return f"'{value}" if is_formula else value


def without_html(text: str) -> str:
    """Return a text of Markdown in which nothing is HTML, whatever the names in it are."""
    return text.replace("<", "&lt;")


def write_table(
    frame: pd.DataFrame, folder: Path, name: str, caption: str, shown: pd.DataFrame | None = None
) -> None:
    """Write a table as CSV with full digits, and what is `shown` of it as Markdown and LaTeX."""
    write_csv(frame, folder / f"{name}.csv")
    readable = to_readable(frame if shown is None else shown)
    write_text(folder / f"{name}.md", without_html(f"{caption}\n\n{to_markdown(readable)}\n"))
    latex = readable.to_latex(index=False, escape=True, caption=caption, label=f"tab:{name}")
    write_text(folder / f"{name}.tex", latex)


def with_intervals(frame: pd.DataFrame) -> pd.DataFrame:
    """Join every ``x``, ``x_low``, ``x_high`` into one column of text, ``x [95 %]``."""
    joined = frame.copy()
    for name in [str(column) for column in frame if f"{column}_low" in frame]:
        ends = [f"{name}_low", f"{name}_high"]
        value, low, high = (frame[column].map("{:.3f}".format) for column in (name, *ends))
        joined[name] = value + " [" + low + ", " + high + "]"
        joined = joined.drop(columns=ends).rename(columns={name: f"{name} [95 %]"})
    return joined


def to_markdown(frame: pd.DataFrame) -> str:
    """Render a table as GitHub Markdown."""
    return to_readable(frame).to_markdown(index=False, disable_numparse=True)


def to_readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn every cell into text, with the digits a reader can use."""
    readable = frame.astype(object)
    for number, (name, column) in enumerate(frame.items()):
        is_p = name in ("p", "p_holm")
        readable.isetitem(number, [_readable(value, is_p=is_p) for value in column])
    return readable


def _readable(value: object, *, is_p: bool) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "–"
    if is_p:
        return f"{value:.2g}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}" if abs(value) >= 5e-4 or value == 0 else f"{value:.1e}"


def read_table(path: Path) -> tuple[Floats, str]:
    """Read rows of numbers that semicolons, tabs, commas or blanks separate.

    Where commas do not separate they are decimal points. A first row in which no field is a
    number is a heading, and what follows a ``#`` and a blank is a comment.

    Returns:
        The numbers (rows, columns), and the lines above them.

    Raises:
        InputError: no rows, a field that is no number, rows of unequal length, or commas that
            separate fields as well as decimals.
    """
    check_bytes(path)
    above = _lines_above_numbers(path)
    first = next(islice(lines_of(path), above, None))
    separator = _separator(first.partition("#")[0])
    if separator == ",":
        _refuse_decimal_commas(path, islice(lines_of(path), above, above + 1000))
    try:
        rows = _plain_rows(path, islice(lines_of(path), above, None), separator)
        values = np.loadtxt(rows, delimiter=separator, comments=None, ndmin=2)
    except InputError:
        raise
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not a table of numbers ({reason})") from error
    return values, "".join(islice(lines_of(path), above))


def read_row(path: str | Path) -> Floats:
    """Read one row of numbers (n,) from a ``.npy`` file or a text of one column.

    Raises:
        InputError: no such file, or another table.
    """
    file = existing(path)
    if file.suffix == ".npy":
        with unreadable_is_input_error(file):
            row = np.load(file, mmap_mode="r", allow_pickle=False)  # no more than is there
    else:
        row, _ = read_table(file)
    if row.size != max(row.shape, default=0) or row.dtype.kind not in "fiu":
        raise InputError(
            f"{file}: {row.dtype} of shape {row.shape}; give one column of numbers, with decimal "
            "points"
        )
    return np.asarray(row, dtype=np.float64).reshape(-1)


def lines_of(path: Path) -> Iterator[str]:
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
    for number, line in enumerate(lines_of(path)):
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
        f"{path} is empty: give rows of numbers"
        if heading is None
        else f"{path} is not a table of numbers: give rows of numbers"
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
