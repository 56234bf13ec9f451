"""RF lines in a user's file, read piece by piece so that it may be larger than memory.

Files hold lines × samples; ``transpose`` takes samples × lines. An array with a single row or
column is one line. HDF5, MATLAB 7.3 and ``.npy`` files are sliced where they lie, text is parsed
piece by piece; older ``.mat`` files and ``.npz`` have to be read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES, check_hdf5, check_mat, check_zip
from bubbleloc.localization.text import text_blocks

Floats = NDArray[np.float32]

RATE_NAMES = ("sampling_rate_hz", "fs")
_HDF5 = (".h5", ".hdf5")


@dataclass(frozen=True)
class RFLines:
    """An open file of RF lines.

    Attributes:
        samples: per line.
        lines: how many, None where only reading to the end tells.
        blocks: function of a number of lines that reads all lines from the start, as arrays
            (b, samples) of at most that many.
        sampling_rate_hz, speed_of_sound_m_s: as the file says, None where it does not.
    """

    samples: int
    lines: int | None
    blocks: Callable[[int], Iterator[Floats]]
    sampling_rate_hz: float | None = None
    speed_of_sound_m_s: float | None = None


@contextmanager
def open_lines(path: Path, key: str | None = None, transpose: bool = False) -> Iterator[RFLines]:
    """Open a ``.h5``, ``.hdf5``, ``.mat``, ``.npy``, ``.npz``, ``.csv`` or ``.txt`` file.

    Args:
        key: name of the array in a file that may hold several; ``rf``, or the only one, if None.
        transpose: whether lines are columns.

    Raises:
        InputError: no such file, format or array, or an array that is not RF lines.
    """
    if not path.is_file():
        raise InputError(f"no file {path}: give input=<file of RF lines>")
    with ExitStack() as files:
        with _blaming(path):
            lines = _opened(path, key, transpose, files)
        yield replace(lines, blocks=partial(_read, path, lines.blocks))


def _opened(path: Path, key: str | None, transpose: bool, files: ExitStack) -> RFLines:
    """Open a file by its suffix, to be closed with `files`."""
    suffix = path.suffix.lower()
    if suffix in _HDF5 or (suffix == ".mat" and h5py.is_hdf5(path)):
        file = files.enter_context(h5py.File(path, "r"))
        # MATLAB 7.3 writes its columns first
        return _from_hdf5(path, file, key, transpose != (suffix == ".mat"))
    if suffix == ".mat":
        check_mat(path)
        return _from_mat(path, key, transpose)
    if suffix == ".npy":
        return _of_array(path, np.load(path, mmap_mode="r", allow_pickle=False), transpose)
    if suffix == ".npz":
        check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            return _from_arrays(path, {n: arrays[n] for n in arrays.files}, key, transpose)
    if suffix in (".csv", ".txt"):
        return RFLines(*text_blocks(path, transpose))
    raise InputError(
        f"{path}: cannot read {suffix or 'a file without suffix'}; give .h5, .mat, .npy, "
        ".npz, .csv or .txt"
    )


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn what readers raise on damaged files, which is many types, into our error."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} cannot be read ({reason}); write it again") from error


def _read(path: Path, blocks: Callable[[int], Iterator[Floats]], size: int) -> Iterator[Floats]:
    """Read blocks; errors of reading are the file's, those of the caller are not."""
    pieces = blocks(size)
    while True:
        with _blaming(path):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _from_hdf5(path: Path, file: h5py.File, key: str | None, transpose: bool) -> RFLines:
    found: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(collect)
    for item in found.values():
        check_hdf5(path, item)
    if "done" in found and "schema_version" in file.attrs and not _all(path, found["done"]):
        raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
    array = found[_chosen(path, {name: item.shape for name, item in found.items()}, key)]
    said = {**_scalars(found), **file.attrs, **array.attrs}
    return _of_array(path, array, transpose, said)


def _all(path: Path, done: h5py.Dataset) -> bool:
    check_hdf5(path, done, whole=True)
    return bool(np.all(done[:]))


def _from_mat(path: Path, key: str | None, transpose: bool) -> RFLines:
    shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
    name = _chosen(path, shapes, key)
    wanted = [name, *(rate for rate in RATE_NAMES if rate in shapes)]
    arrays = scipy.io.loadmat(path, variable_names=wanted)
    return _of_array(path, arrays[name], transpose, _scalars(arrays))


def _from_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], key: str | None, transpose: bool
) -> RFLines:
    name = _chosen(path, {name: array.shape for name, array in arrays.items()}, key)
    return _of_array(path, arrays[name], transpose, _scalars(arrays))


def _chosen(path: Path, shapes: Mapping[str, Sequence[int]], key: str | None) -> str:
    """Name of the array that holds the lines."""
    listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items()) or "nothing"
    if key is not None and key not in shapes:
        raise InputError(f"{path} has no {key!r}; it holds {listed}")
    if key is not None or "rf" in shapes:
        return key or "rf"
    arrays = [name for name, shape in shapes.items() if len(shape) in (1, 2) and np.prod(shape) > 1]
    if len(arrays) != 1:
        raise InputError(f"{path} holds {listed}; choose the RF lines with key=")
    return arrays[0]


def _scalars(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the single numbers among arrays."""
    return {name: array[()] for name, array in arrays.items() if getattr(array, "size", 0) == 1}


def _of_array(
    path: Path, array: Any, transpose: bool, said: Mapping[str, Any] | None = None
) -> RFLines:
    """Lines of an array, (lines, samples) or its transpose, which is sliced only when read."""
    kind = getattr(array.dtype, "kind", "O")
    if array.ndim not in (1, 2) or array.size == 0 or kind not in "fiu":
        raise InputError(
            f"{path} holds {array.dtype} of shape {array.shape}: give real RF lines, lines × "
            "samples, choosing with key= if the file has others"
        )
    one_line = array.ndim == 1 or min(array.shape) == 1
    lines, samples = (1, array.size) if one_line else array.shape
    if transpose and not one_line:
        lines, samples = samples, lines

    if samples > MOST_SAMPLES:
        raise InputError(
            f"{path} holds lines of {samples} samples, more than {MOST_SAMPLES}: if lines are "
            "columns, add transpose=true, else cut them"
        )

    def blocks(size: int) -> Iterator[Floats]:
        for start in range(0, lines, size):
            if one_line:
                piece = array[...].reshape(1, -1)
            elif transpose:
                piece = array[:, start : start + size].T
            else:
                piece = array[start : start + size]
            yield np.array(piece, dtype=np.float32, order="C")

    named = said or {}
    rate = next((named[name] for name in RATE_NAMES if name in named), None)
    return RFLines(samples, lines, blocks, _number(rate), _number(named.get("speed_of_sound_m_s")))


def _number(value: Any) -> float | None:
    return None if value is None else float(np.asarray(value).item())
