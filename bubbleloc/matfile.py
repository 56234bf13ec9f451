"""Variables of MATLAB files, of version 5 and of 7.3 alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import scipy.io

from bubbleloc.arrays import Floats
from bubbleloc.files import check_mat
from bubbleloc.hdf5 import StoredArray, check_hdf5

VERASONICS_RATE_HZ = 250e6  # of the waveforms and impulse responses that its scripts compute


class LinesArray(NamedTuple):
    """An array that may hold lines.

    Attributes:
        stored: the array; of version 7.3 its axes are the other way round.
        seen: its shape, as MATLAB shows it.
    """

    stored: Any
    seen: tuple[int, ...]


class MatFile:
    """A MATLAB file: its structs by path, with one array per entry of a struct array.

    Arrays have the axes that MATLAB shows. A missing variable or field is a KeyError.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.is_hdf5 = path, h5py.is_hdf5(path)
        self._loaded: dict[str, Any] = {}
        if self.is_hdf5:
            with h5py.File(path) as file:
                self.names = {str(name) for name in file if not name.startswith("#")}
        else:
            check_mat(path)
            self._kinds = {name: kind for name, _, kind in scipy.io.whosmat(path)}
            self.names = set(self._kinds)

    @property
    def arrays(self) -> dict[str, Any]:
        """Arrays of numbers of version 5, those in structs by names such as ``acq.rf``."""
        arrays: dict[str, Any] = {}

        def collect(name: str, value: Any) -> None:
            if value.dtype.kind in "fiuc":
                arrays[name] = value
            elif value.dtype.names and value.size == 1:
                for field in value.dtype.names:
                    collect(f"{name}.{field}", np.asarray(value[field].flat[0]))

        for name, kind in self._kinds.items():
            if kind not in ("char", "cell", "function", "opaque", "object"):
                collect(name, self._variable(name))
        return arrays

    def entries(self, *path: str) -> list[Any]:
        """Return the arrays of a field, such as ``("Trans", "ElementPos")``, of every entry."""
        if not self.is_hdf5:
            return self._entries_of_v5(*path)
        with h5py.File(self.path) as file:
            item = file["/".join(path)]
            if not isinstance(item, h5py.Dataset):
                raise KeyError(".".join(path))
            if h5py.check_ref_dtype(item.dtype) is None:
                return [self._value(item)]
            check_hdf5(self.path, item, whole=True)
            return [self._value(file[reference]) for reference in item[()].ravel()]

    def _value(self, item: Any) -> Any:
        if not isinstance(item, h5py.Dataset) or "MATLAB_empty" in item.attrs:
            return np.zeros(0)
        check_hdf5(self.path, item, whole=True)
        value = np.asarray(item[()]).T
        return value["real"] + 1j * value["imag"] if value.dtype.names else value

    def _entries_of_v5(self, name: str, *fields: str) -> list[Any]:
        value = self._variable(name)
        for field in fields:
            if field not in (value.dtype.names or ()):
                raise KeyError(f"{name}.{field}")
            value = value[field]
            if field != fields[-1]:
                value = value.flat[0]
        return list(value.flat) if fields or value.dtype == object else [value]

    def _variable(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = scipy.io.loadmat(self.path, variable_names=[name])[name]
        return self._loaded[name]

    def cells(self, name: str) -> list[Any]:
        """Return the arrays of a cell array, or the only one; those of version 7.3 when sliced.

        Arrays of version 7.3 have their axes the other way round.
        """
        if not self.is_hdf5:
            return self._entries_of_v5(name)
        with h5py.File(self.path) as file:
            item = file[name]
            plain = h5py.check_ref_dtype(item.dtype) is None
            items = [item] if plain else [file[reference] for reference in item[()].ravel()]
            return [
                np.zeros(0) if "MATLAB_empty" in each.attrs else StoredArray(self.path, each)
                for each in items
            ]

    def lines_arrays(self, struct: str) -> dict[str, LinesArray]:
        """Return the variables that are arrays of numbers of several values, but for a struct."""
        if not self.is_hdf5:
            arrays = {n: a for n, a in self.arrays.items() if n.partition(".")[0] != struct}
            return {n: LinesArray(a, a.shape) for n, a in arrays.items() if a.size > 1}
        with h5py.File(self.path) as file:
            datasets = {n: file[n] for n in self.names if isinstance(file[n], h5py.Dataset)}
            return {
                name: LinesArray(StoredArray(self.path, item), item.shape[::-1])
                for name, item in datasets.items()
                if item.size > 1 and (item.dtype.kind in "fiu" or item.dtype.names)
            }

    def has(self, *path: str) -> bool:
        """Return whether there is a variable or field."""
        try:
            if self.is_hdf5:
                with h5py.File(self.path) as file:
                    return isinstance(file.get("/".join(path)), h5py.Dataset)
            return bool(self.entries(*path))
        except KeyError:
            return False

    def has_all(self, struct: str, names: Iterable[str]) -> bool:
        """Return whether a struct has all these fields."""
        return all(self.has(struct, name) for name in names)

    def column(self, *path: str, default: float = np.nan) -> Floats:
        """Return one number of every entry; `default` where an entry is empty."""
        return np.array(
            [np.ravel(entry)[0] if np.size(entry) else default for entry in self.entries(*path)],
            dtype=np.float64,
        )

    def number(self, *path: str, default: float | None = None) -> float | None:
        """Return the number of a single entry, or `default` where there is none."""
        if not self.has(*path):
            return default
        value = float(self.column(*path)[0])
        return value if np.isfinite(value) else default

    def text(self, *path: str, default: str = "") -> str:
        """Return the text of the first entry, or `default` where there is none."""
        return (self.texts(*path)[0] or default) if self.has(*path) else default

    def texts(self, *path: str) -> list[str]:
        """Return the text of every entry; nothing where it is empty."""
        return [_text(np.ravel(entry)) for entry in self.entries(*path)]


def _text(entry: Any) -> str:
    if entry.dtype.kind in "ui":
        return "".join(chr(int(code)) for code in entry)
    return str(entry[0]) if entry.size else ""
