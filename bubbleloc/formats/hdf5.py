"""RF lines in HDF5 files, those of MATLAB 7.3 and datasets of this package among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.errors import InputError
from bubbleloc.files import check_hdf5
from bubbleloc.formats.lines import FACTS, RFLines, choose_array, lines_of_array


class StoredArray:
    """An HDF5 dataset that opens its file for every slice, so that nobody has to close it."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self.path, self.name = path, dataset.name
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self.ndim, self.size = dataset.ndim, dataset.size

    def __getitem__(self, piece: Any) -> Any:
        with h5py.File(self.path) as file:
            return file[self.name][piece]


def open_hdf5(path: Path, key: str | None, transpose: bool) -> RFLines:
    """Open an HDF5 file; facts of the lines are datasets of one number, or attributes.

    Raises:
        InputError: a dataset that is still being simulated, or too large a piece.
    """
    found: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    with h5py.File(path) as file:
        file.visititems(collect)
        for dataset in found.values():
            check_hdf5(path, dataset)
        if "done" in found and "schema_version" in file.attrs:
            check_hdf5(path, found["done"], whole=True)
            if not np.all(found["done"]):
                raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
        dataset = found[choose_array(path, {name: d.shape for name, d in found.items()}, key)]
        scalars = {n: found[n][()] for n in FACTS if n in found and found[n].size == 1}
        facts = {**scalars, **file.attrs, **dataset.attrs}
        return lines_of_array(path, StoredArray(path, dataset), transpose, facts)
