"""Waveforms of your own from files (data only, never code)."""

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import check_mat
from bubbleloc.physics.response_files import (
    VERASONICS_RATE_HZ,
    existing,
    read_columns,
    read_waveform,
)


def split_number(name: str | Path) -> tuple[Path, int]:
    """Part ``file.mat:2`` into the file and the number (from 1) of the waveform in it."""
    head, colon, number = str(name).rpartition(":")
    return (Path(head), int(number)) if colon and number.isdigit() else (Path(name), 1)


def read_samples(name: str | Path) -> tuple[Floats, float | None, bool]:
    """Samples (n,) of a file, their rate in Hz if the file tells it, and whether they are pressure.

    * ``.npy``, or ``.csv`` and ``.txt`` of one column: samples of a drive;
    * ``.csv`` and ``.txt`` of two columns: time in s at equal steps, and the drive;
    * ``.mat`` with a Verasonics ``TW``: its one-way waveform ``Wvfm1Wy``, which is pressure;
      ``file.mat:2`` is the second of several;
    * any other ``.mat``: its only array is a drive, and ``fs``, if there, the rate in Hz.

    Raises:
        InputError: the file is missing, unreadable, or holds no waveform.
    """
    path, number = split_number(name)
    file = existing(path)
    if file.suffix == ".mat":
        return _read_mat(file, number)
    if file.suffix == ".npy":
        return read_waveform(file), None, False
    if file.suffix not in (".csv", ".txt"):
        raise InputError(f"{file}: a waveform is a .npy, .csv, .txt or .mat file")
    columns = read_columns(file)
    if columns.shape[1] == 1:
        return columns[:, 0], None, False
    if columns.shape[1] != 2 or len(columns) < 2:
        shape = columns.shape
        raise InputError(f"{file}: a table of {shape}; give one column, or time in s and drive")
    steps_s = np.diff(columns[:, 0])
    if not np.allclose(steps_s, steps_s.mean(), rtol=1e-3, atol=0) or steps_s[0] <= 0:
        raise InputError(f"{file}: times do not rise in equal steps; resample the drive")
    return columns[:, 1], float(1 / steps_s.mean()), False


def _read_mat(file: Path, number: int) -> tuple[Floats, float | None, bool]:
    try:
        check_mat(file)
        content = loadmat(file, squeeze_me=True)
        if "TW" in content:
            found = np.atleast_1d(content["TW"]["Wvfm1Wy"])
            every = [np.asarray(each, dtype=np.float64).reshape(-1) for each in found]
            if not 1 <= number <= len(every):
                raise InputError(f"{file}:{number}: it holds {len(every)} waveforms")
            return every[number - 1], VERASONICS_RATE_HZ, True
        rate_hz = content.pop("fs", None)
        rows = {key: value for key, value in content.items() if not key.startswith("__")}
        if len(rows) != 1:
            raise InputError(f"{file}: holds {sorted(rows)}; give TW, or one array and fs")
        drive = np.asarray(next(iter(rows.values())), dtype=np.float64).reshape(-1)
        return drive, None if rate_hz is None else float(rate_hz), False
    except InputError:
        raise
    except Exception as error:  # readers meet damaged files with many types, undocumented
        raise InputError(f"{file}: cannot be read as a waveform ({error})") from error


def checked_row(name: str, row: object) -> Floats:
    """A row (n,) of numbers.

    Raises:
        InputError: not a row of finite numbers, or all are zero.
    """
    try:
        samples = np.asarray(row, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not a row of numbers ({error})") from error
    if samples.ndim != 1 or not np.isfinite(samples).all() or not samples.any():
        shape = samples.shape
        raise InputError(f"{name} of shape {shape}; give one row of finite samples, not all 0")
    return samples
