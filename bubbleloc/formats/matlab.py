"""RF lines in MATLAB files before version 7.3."""

from __future__ import annotations

from pathlib import Path

import scipy.io

from bubbleloc.files import check_mat
from bubbleloc.formats.lines import FACTS, RFLines, choose_array, lines_of_array


def open_mat(path: Path, key: str | None, transpose: bool) -> RFLines:
    """Read the RF lines of a MATLAB file."""
    check_mat(path)
    shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
    name = choose_array(path, shapes, key)
    arrays = scipy.io.loadmat(path, variable_names=[name, *FACTS])
    return lines_of_array(path, arrays[name], transpose, arrays)
