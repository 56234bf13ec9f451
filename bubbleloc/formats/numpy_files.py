"""Recordings in NumPy's files."""

from pathlib import Path

import numpy as np

from bubbleloc.files import check_zip
from bubbleloc.formats.plain import choose_array, recording_of_array
from bubbleloc.formats.recording import Hints, Recording


def read_npy(path: Path, hints: Hints) -> Recording:
    """Map a ``.npy`` file into memory."""
    return recording_of_array(path, np.load(path, mmap_mode="r", allow_pickle=False), hints)


def read_npz(path: Path, hints: Hints) -> Recording:
    """Read the RF lines among the arrays of a ``.npz`` file."""
    check_zip(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    shapes = {name: array.shape for name, array in arrays.items()}
    name = choose_array(path, shapes, hints.get("key"))
    return recording_of_array(path, arrays[name], hints, arrays)
