"""RF lines in MATLAB files before version 7.3."""

from __future__ import annotations

from pathlib import Path

import scipy.io

from bubbleloc.files import check_mat
from bubbleloc.formats.lines import RATE_NAMES, RFLines, choose_array, lines_of_array


def open_mat(path: Path, key: str | None, transpose: bool) -> RFLines:
    """Read the RF lines of a MATLAB file."""
    check_mat(path)
    shapes = {name: shape for name, shape, _ in scipy.io.whosmat(path)}
    name = choose_array(path, shapes, key)
    numbers = [rate for rate in RATE_NAMES if shapes.get(rate) == (1, 1)]
    arrays = scipy.io.loadmat(path, variable_names=[name, *numbers])
    return lines_of_array(path, arrays[name], transpose, {name: arrays[name] for name in numbers})
