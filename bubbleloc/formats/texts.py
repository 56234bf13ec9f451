"""RF lines in tables of text."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.formats.plain import plain_recording
from bubbleloc.formats.recording import Hints, OpenFile, Recording
from bubbleloc.tables import read_table

MOST_UNEVEN = 0.25  # samples; of a column without a heading that is taken for times
MOST_ROUNDED = 3.0  # samples; of a column that is headed as time
_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}


def read_text(file: OpenFile, hints: Hints) -> Recording:
    """Read RF lines from the rows of a table, see `read_table`.

    A first column that is headed as time, or that rises evenly, is the time of the samples, in the
    unit of its heading or in seconds, or their number; lines are columns then.

    Raises:
        InputError: no table of numbers, or times that do not rise evenly or are of another unit.
    """
    path, (table, heading) = file.path, read_table(file.path)
    if len(table) > 1 and table.shape[1] > 1 and np.all(table[0] == np.arange(table.shape[1])):
        raise InputError(f"{path}: the first row counts the columns; remove this heading")
    rows, columns = table.shape
    if columns > 1 and rows > max(columns, 2):
        facts = _facts_of_time(path, table[:, 0], heading, hints)
        if facts is not None:
            return plain_recording(path, table[:, 1:].T, facts, replace(hints, transpose=False))
    return plain_recording(path, table, {}, hints)


def _facts_of_time(path: Path, time: Floats, heading: str, hints: Hints) -> dict[str, float] | None:
    """Return rate and start that a column of times tells, or None where it is no such column."""
    named = re.match(
        r"\W*(time|t)\b\W*(ns|[uµμ]s|ms|s)?\b", heading.replace("_", " "), re.IGNORECASE
    )
    step, first = np.polyfit(np.arange(len(time)), time, 1)
    off = float(np.abs(time - first - step * np.arange(len(time))).max() / step) if step > 0 else 9
    if named is None and off > MOST_UNEVEN:
        return None
    if off > MOST_ROUNDED or np.diff(time).min() < 0:
        raise InputError(
            f"{path}: its column of times does not rise in equal steps; write more digits of it, "
            "or remove it and give sampling_rate_hz= and start_s="
        )
    if named is None and np.array_equal(np.diff(time), np.ones(len(time) - 1)):
        return _facts_of_count(path, float(time[0]), hints)
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
    rate_hz = rounded if abs(rounded / rate_hz - 1) * len(time) < max(0.1, off) else rate_hz
    return {"sampling_rate_hz": rate_hz, "start_s": float(first) * unit_s}


def _facts_of_count(path: Path, first: float, hints: Hints) -> dict[str, float]:
    """Return the start that a column of the numbers of the samples tells.

    Raises:
        InputError: it begins late, and nothing tells the sampling rate.
    """
    if first in (0.0, 1.0) or hints.start_s is not None:
        return {}
    if hints.sampling_rate_hz is None:
        raise InputError(
            f"{path}: its first column counts samples from {first:g} on: give sampling_rate_hz= or "
            "start_s=, which tell the time of the first"
        )
    return {"start_s": first / hints.sampling_rate_hz}
