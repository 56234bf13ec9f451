"""RF lines in NumPy's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bubbleloc.files import check_zip
from bubbleloc.formats.lines import RFLines, choose_array, lines_of_array


def open_npy(path: Path) -> NDArray[Any]:
    """Map a ``.npy`` file into memory."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def open_npz(path: Path, key: str | None, transpose: bool) -> RFLines:
    """Read the RF lines among the arrays of a ``.npz`` file."""
    check_zip(path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    name = choose_array(path, {name: array.shape for name, array in arrays.items()}, key)
    numbers = {name: array for name, array in arrays.items() if array.size == 1}
    return lines_of_array(path, arrays[name], transpose, numbers)
