"""HDF5 files from elsewhere: what is read of them, within limits, and from no other file."""

import contextlib
import importlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes

MOST_OBJECTS = 100_000  # groups and arrays; a second for each 20,000
MOST_NESTED = 64  # groups in each other; the time to find one grows with the square


def visit(path: Path, file: h5py.File, look: Callable[[str, Any], None]) -> None:
    """Call a function with the name and object of every group and array in a file.

    Raises:
        InputError: more of them, or deeper in each other, than any recording has.
    """
    seen = 0

    def count(name: str, item: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > MOST_OBJECTS or name.count("/") >= MOST_NESTED:
            raise InputError(
                f"{path} holds more than {MOST_OBJECTS} groups and arrays, or {MOST_NESTED} in "
                "each other: copy the RF lines into a file of their own"
            )
        look(name, item)

    file.visititems(count)


def check_hdf5(path: Path, dataset: h5py.Dataset, whole: bool = False) -> None:
    """Refuse an HDF5 dataset whose chunks, or which itself if read whole, are too large.

    Raises:
        InputError: too large, packed by a filter that is not installed, or stored elsewhere.
    """
    check_own(path, dataset)
    _load_filters(path, dataset)
    lengths = dataset.shape if whole else dataset.chunks or ()
    check_bytes(path, dataset.dtype.itemsize * math.prod(map(int, lengths)))


def check_own(path: Path, dataset: h5py.Dataset) -> None:
    """Refuse a dataset whose values lie in another file, which may be any file of this machine.

    Raises:
        InputError: names it.
    """
    virtual = dataset.virtual_sources() if dataset.is_virtual else []
    others = [source.file_name for source in virtual if source.file_name != "."]
    others += [name for name, *_ in dataset.external or []]
    if Path(dataset.file.filename).resolve() != path.resolve():
        others.append(dataset.file.filename)
    if others:
        raise InputError(
            f"{path}: the values of {dataset.name} lie in another file, {others[0]}, which is not "
            "read: copy them into this one"
        )


def _load_filters(path: Path, dataset: h5py.Dataset) -> None:
    """Make the filters of a dataset that HDF5 lacks known to it, by the package hdf5plugin.

    Raises:
        InputError: names a filter that is not there.
    """
    stored = dataset.id.get_create_plist()
    for number, _, _, name in map(stored.get_filter, range(stored.get_nfilters())):
        if not h5py.h5z.filter_avail(number):
            with contextlib.suppress(ImportError):
                importlib.import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(number):
            title = f"{name.decode(errors='replace')}, " if name else ""
            raise InputError(
                f"{path}: {dataset.name} is compressed by a filter that HDF5 lacks ({title}number "
                f"{number}): pip install 'bubbleloc[hdf5]'"
            )


class StoredArray:
    """An HDF5 dataset that opens its file for every slice, so that nobody has to close it.

    Complex numbers as MATLAB stores them, a pair of ``real`` and ``imag``, are complex here.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        check_hdf5(path, dataset)
        self.path, self.name = path, dataset.name
        self._pairs = dataset.dtype.names == ("real", "imag")
        self.shape = dataset.shape
        self.dtype = np.dtype(np.complex128) if self._pairs else dataset.dtype
        self.ndim, self.size = dataset.ndim, dataset.size

    def __getitem__(self, piece: Any) -> Any:
        with h5py.File(self.path) as file:
            part = file[self.name][piece]
        return part["real"] + 1j * part["imag"] if self._pairs else part
