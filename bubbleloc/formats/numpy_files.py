"""RF lines in NumPy's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bubbleloc.files import check_zip
from bubbleloc.formats.lines import RFLines, choose_array, lines_of_array


def open_npy(path: Path, transpose: bool) -> RFLines:
    """Map a ``.npy`` file into memory."""
    return lines_of_array(path, np.load(path, mmap_mode="r", allow_pickle=False), transpose)


def open_npz(path: Path, key: str | None, transpose: bool) -> RFLines:
    """Read the RF lines among the arrays of a ``.npz`` file."""
    check_zip(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    name = choose_array(path, {name: array.shape for name, array in arrays.items()}, key)
    return lines_of_array(path, arrays[name], transpose, arrays)
