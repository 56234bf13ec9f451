"""Open a file of RF lines by its suffix."""

from __future__ import annotations

from pathlib import Path

import h5py

from bubbleloc.errors import InputError
from bubbleloc.formats.hdf5 import open_hdf5
from bubbleloc.formats.lines import RFLines, unreadable_is_input_error
from bubbleloc.formats.matlab import open_mat
from bubbleloc.formats.numpy_files import open_npy, open_npz
from bubbleloc.formats.text import open_text


def open_lines(path: Path, key: str | None = None, transpose: bool = False) -> RFLines:
    """Open a ``.h5``, ``.hdf5``, ``.mat``, ``.npy``, ``.npz``, ``.csv`` or ``.txt`` file.

    HDF5, MATLAB 7.3 and ``.npy`` files are read when their lines are, the others at once.

    Args:
        key: name of the array in a file that may hold several; ``rf``, or the only one, if None.
        transpose: whether lines are columns.

    Raises:
        InputError: no such file, format or array, or an array that is not RF lines.
    """
    if not path.is_file():
        raise InputError(f"no file {path}: give input=<file of RF lines>")
    with unreadable_is_input_error(path):
        match path.suffix.lower():
            case ".h5" | ".hdf5":
                return open_hdf5(path, key, transpose)
            case ".mat" if h5py.is_hdf5(path):  # MATLAB 7.3, which stores columns first
                return open_hdf5(path, key, not transpose)
            case ".mat":
                return open_mat(path, key, transpose)
            case ".npz":
                return open_npz(path, key, transpose)
            case ".npy":
                return open_npy(path, transpose)
            case ".csv" | ".txt":
                return open_text(path, transpose)
            case suffix:
                raise InputError(
                    f"{path}: cannot read {suffix or 'a file without suffix'}; "
                    "give .h5, .mat, .npy, .npz, .csv or .txt"
                )
