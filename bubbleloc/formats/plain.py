"""Recordings from plain arrays, in files of several kinds and in tables of text."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES, StoredArray, check_hdf5, check_zip
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording
from bubbleloc.formats.volts import Volts
from bubbleloc.tables import read_table

FACTS = ("sampling_rate_hz", "fs", "speed_of_sound_m_s", "start_s", "receive_delay_s")
"""Numbers beside the RF lines of a file that are read; ``fs`` is the sampling rate too."""

MOST_LISTED = 20  # arrays in a message
_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}


def recording_of_array(
    source: str | Path,
    array: Any,
    hints: Hints | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Recording:
    """Take an array as RF lines; one of a single row, column or dimension is one line.

    Args:
        array: (elements, samples) or (frames, elements, samples), or with ``transpose`` the other
            way round. Anything that can be sliced.
        facts: numbers that come with it, `FACTS` among them.

    Raises:
        InputError: no numbers, more than three dimensions, or lines that are too long.
    """
    hints = hints or Hints()
    return plain_recording(source, array, facts or {}, hints.transpose).with_hints(hints)


def plain_recording(
    source: str | Path, array: Any, facts: Mapping[str, Any], backwards: bool
) -> Recording:
    """Take an array as `recording_of_array` does, before the hints of a user."""
    shape = _shape(source, array, backwards)
    one_line = shape[0] * shape[1] == 1

    def piece(frame: int, elements: slice) -> Any:
        if one_line:
            return np.reshape(array[...], (1, -1))
        place = (frame, elements, slice(None))[3 - array.ndim :]
        return array[place[::-1]].T if backwards else array[place]

    return Recording(
        source,
        Volts(source, shape, piece),
        fact(facts, "sampling_rate_hz", "fs"),
        fact(facts, "start_s") or 0.0,
        fact(facts, "speed_of_sound_m_s"),
        receive_delay_s=fact(facts, "receive_delay_s") or 0.0,
        sources={
            "sampling_rate_hz" if name == "fs" else name: "file" for name in FACTS if name in facts
        },
        carrier=Carrier(None, None, str(array.dtype)) if array.dtype.kind == "c" else None,
    )


def _shape(source: str | Path, array: Any, backwards: bool) -> tuple[int, int, int]:
    """Return frames, elements and samples of an array."""
    shape = tuple(int(length) for length in array.shape)
    if len(shape) not in (1, 2, 3) or array.size == 0 or array.dtype.kind not in "fiuc":
        raise InputError(
            f"{source} holds {array.dtype} of shape {shape}: give RF lines, elements × samples or "
            "frames × elements × samples, choosing with key= if the file has others"
        )
    if sum(length > 1 for length in shape) <= 1:
        shape = (1, 1, int(array.size))
    elif backwards:
        shape = shape[::-1]
    frames, elements, samples = (1,) * (3 - len(shape)) + shape
    if samples > MOST_SAMPLES:
        raise InputError(
            f"{source} holds lines of {samples} samples, more than {MOST_SAMPLES}: if lines are "
            "columns, add transpose=true, else cut them"
        )
    return frames, elements, samples


def fact(facts: Mapping[str, Any], *names: str) -> float | None:
    """Return the first of some numbers that is there."""
    found = (float(np.asarray(facts[name]).item()) for name in names if name in facts)
    return next(found, None)


def choose_array(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array with the RF lines: `key`, else ``rf``, else the only array.

    Raises:
        InputError: none, or several.
    """
    listed = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:MOST_LISTED])
    listed += ", …" * (len(shapes) > MOST_LISTED)
    if key is None and "rf" in shapes:
        return "rf"
    if key is not None:
        if key not in shapes:
            raise InputError(f"{path} has no {key!r}; it holds {listed or 'nothing'}")
        return key
    arrays = [name for name, shape in shapes.items() if len(shape) <= 3 and np.prod(shape) > 1]
    if len(arrays) != 1:
        raise InputError(f"{path} holds {listed or 'nothing'}; choose the RF lines with key=")
    return arrays[0]


def read_arrays(file: OpenFile, hints: Hints) -> Recording:
    """Read the RF lines among the arrays of a file of HDF5, MATLAB or NumPy."""
    match file.path.suffix.lower():
        case ".npy":
            array = np.load(file.path, mmap_mode="r", allow_pickle=False)
            return plain_recording(file.path, array, {}, hints.transpose)
        case ".npz":
            return _read_npz(file.path, hints)
        case ".mat" if not file.mat.is_hdf5:
            name = choose_array(file.path, file.mat.shapes, hints.key)
            facts = {fact: file.mat.column(fact)[0] for fact in FACTS if fact in file.mat.names}
            return plain_recording(file.path, file.mat.entries(name)[0], facts, hints.transpose)
        case ".mat":  # MATLAB stores the last axis first
            return _read_hdf5(file, replace(hints, transpose=not hints.transpose))[0]
        case _:
            return _read_hdf5(file, hints)[0]


def _read_npz(path: Path, hints: Hints) -> Recording:
    check_zip(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    name = choose_array(path, {name: array.shape for name, array in arrays.items()}, hints.key)
    return plain_recording(path, arrays[name], arrays, hints.transpose)


def _read_hdf5(file: OpenFile, hints: Hints) -> tuple[Recording, StoredArray]:
    """Read an array; facts of the lines are datasets of one number, or attributes."""
    datasets: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            datasets[name] = item

    file.hdf5.visititems(collect)
    shapes = {name: dataset.shape for name, dataset in datasets.items()}
    dataset = datasets[choose_array(file.path, shapes, hints.key)]
    scalars = {n: datasets[n][()] for n in FACTS if n in datasets and datasets[n].size == 1}
    facts = {**scalars, **file.hdf5.attrs, **dataset.attrs}
    array = StoredArray(file.path, dataset)
    return plain_recording(file.path, array, facts, hints.transpose), array


def read_dataset(file: OpenFile, hints: Hints) -> Recording | None:
    """Read a dataset of this package: a frame of one element per signal.

    Raises:
        InputError: it is still being simulated.
    """
    done = file.hdf5.get("done")
    if "schema_version" not in file.hdf5.attrs or not isinstance(done, h5py.Dataset):
        return None
    check_hdf5(file.path, done, whole=True)
    if not np.all(done):
        raise InputError(f"{file.path} is incomplete; run bubbleloc simulate to finish it")
    recording, array = _read_hdf5(file, hints)
    if array.name != "/rf":
        return recording
    shape = (array.shape[0], 1, array.shape[1])
    volts = Volts(recording.source, shape, lambda frame, _: array[frame : frame + 1])
    return replace(recording, volts=volts)


def read_text(file: OpenFile, hints: Hints) -> Recording:
    """Read RF lines from the rows of a table, see `read_table`.

    A first column that rises evenly is the time of the samples, in the unit of its heading or in
    seconds, or their number; lines are columns then.

    Raises:
        InputError: no table of numbers, or times of another unit.
    """
    path, (table, heading) = file.path, read_table(file.path)
    if len(table) > 1 and table.shape[1] > 1 and np.all(table[0] == np.arange(table.shape[1])):
        raise InputError(f"{path}: the first row counts the columns; remove this heading")
    if (facts := _facts_of_time(path, table[:, 0], heading, table.shape)) is not None:
        return plain_recording(path, table[:, 1:].T, facts, False)
    return plain_recording(path, table, {}, hints.transpose)


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
