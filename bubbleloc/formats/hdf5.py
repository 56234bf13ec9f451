"""Recordings in HDF5 files: datasets of this package, and plain arrays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.errors import InputError
from bubbleloc.files import check_hdf5
from bubbleloc.formats.plain import FACTS, choose_array, recording_of_array
from bubbleloc.formats.recording import Hints, Recording
from bubbleloc.formats.volts import Volts


class StoredArray:
    """An HDF5 dataset that opens its file for every slice, so that nobody has to close it."""

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        check_hdf5(path, dataset)
        self.path, self.name = path, dataset.name
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self.ndim, self.size = dataset.ndim, dataset.size

    def __getitem__(self, piece: Any) -> Any:
        with h5py.File(self.path) as file:
            return file[self.name][piece]


def read_plain(path: Path, file: h5py.File, hints: Hints) -> Recording:
    """Read an array of a file; facts of the lines are datasets of one number, or attributes.

    Raises:
        InputError: a dataset that is still being simulated, or too large a piece.
    """
    found: dict[str, h5py.Dataset] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(collect)
    own = "done" in found and "schema_version" in file.attrs
    if own:
        check_hdf5(path, found["done"], whole=True)
        if not np.all(found["done"]):
            raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
    shapes = {name: dataset.shape for name, dataset in found.items()}
    dataset = found[choose_array(path, shapes, hints.get("key"))]
    array = StoredArray(path, dataset)
    scalars = {n: found[n][()] for n in FACTS if n in found and found[n].size == 1}
    recording = recording_of_array(path, array, hints, {**scalars, **file.attrs, **dataset.attrs})
    return _signals(recording, array) if own and array.name == "/rf" else recording


def _signals(recording: Recording, array: StoredArray) -> Recording:
    """Return a dataset of this package as what it is: a frame of one element per signal."""
    shape = (array.shape[0], 1, array.shape[1])
    volts = Volts(recording.source, shape, lambda frame, _: array[frame : frame + 1])
    return replace(recording, volts=volts)
