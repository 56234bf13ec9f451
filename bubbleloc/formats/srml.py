"""Files of the published simulator: RF lines as text, and MATLAB results (v5 and v7.3).

Text: four header lines, then ``bubble count, voltage, pressure field (Pa)`` for every sample.
MATLAB: structs ``RF`` (V volts, fs Hz), ``bubble`` (z, x, R0 in m, an entry per bubble), ``pfield``
(PA in Pa, from the transducer's face down) and ``domain`` (c in m/s).
"""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import loadmat

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes, check_hdf5, check_mat
from bubbleloc.physics.scale import Scale

HEADER_LINES = 4
MOST_PER_SAMPLE = 1000  # bubbles; a column of something else exceeds it
SUFFIXES = (".txt", ".mat")
PUBLISHED = Scale(62.5e6, 1480.0, None)  # text files do not say; MATLAB results must agree
STRUCTS = ("RF", "bubble", "pfield", "domain")


@dataclass(frozen=True)
class PublishedSignal:
    """An RF line (L,) in volts, the pressure amplitude at the transducer, and (bubbles,) each."""

    volts: Float32s
    pressure_pa: float
    arrival_sample: Floats
    depth_m: Floats
    lateral_m: Floats
    radius_m: Floats


def read_signal(path: Path, scale: Scale) -> PublishedSignal:
    """Read an RF line and its bubbles.

    Raises:
        InputError: the file is unreadable, or what it holds is not a signal of ``scale``;
            in a few words, without the name of the file.
    """
    read = _read_text if path.suffix == ".txt" else _read_mat
    signal = read(path, scale)
    if signal.volts.size < 2:
        raise InputError("no samples")
    if not (np.isfinite(signal.volts).all() and np.isfinite(signal.pressure_pa)):
        raise InputError("NaN or infinite values")
    samples = np.rint(signal.arrival_sample)
    if not ((samples >= 0) & (samples < signal.volts.size)).all():  # NaN is outside, too
        raise InputError("a bubble outside the record")
    return signal


def _read_text(path: Path, scale: Scale) -> PublishedSignal:
    """Read a text file; bubbles lie on the axis, at their sample's time of flight.

    Lateral position and size are not in the file: 0 and NaN stand for them.
    """
    try:
        check_bytes(path)
        with warnings.catch_warnings(action="ignore"):  # of an empty table, refused below
            table = np.loadtxt(path, delimiter=",", skiprows=HEADER_LINES, ndmin=2)
    except (OSError, ValueError, IndexError) as error:
        raise InputError("not a table of numbers under four header lines") from error
    if table.size == 0 or table.shape[1] != 3:
        raise InputError("not three columns: bubble count, voltage, pressure field")
    if not np.isfinite(table).all():
        raise InputError("NaN or infinite values")
    count, volts, field = table.T
    if (count < 0).any() or (count > MOST_PER_SAMPLE).any() or (count % 1).any():
        raise InputError("bubble counts that are not small whole numbers")
    arrival = np.repeat(np.arange(count.size, dtype=np.float64), count.astype(np.int64))
    depth = arrival / scale.sampling_rate_hz * scale.speed_of_sound_m_s / 2
    on_axis, unknown = np.zeros_like(arrival), np.full_like(arrival, np.nan)
    return PublishedSignal(volts.astype(np.float32), field[0], arrival, depth, on_axis, unknown)


def _read_mat(path: Path, scale: Scale) -> PublishedSignal:
    """Read a MATLAB result of one receive element."""
    with _structs(path) as structs:
        lines = _entries(structs, "RF", "V")
        if len(lines) != 1:
            raise InputError(f"{len(lines)} receive elements instead of one")
        rate = _number(_entries(structs, "RF", "fs"))
        sound = _number(_entries(structs, "domain", "c"))
        z, x, radius = (_column(_entries(structs, "bubble", name)) for name in ("z", "x", "R0"))
        field = _entries(structs, "pfield", "PA")[0]
    if not np.isclose(rate, scale.sampling_rate_hz, rtol=1e-6):
        raise InputError(f"sampled at {rate:g} Hz, not {scale.sampling_rate_hz:g}")
    if not np.isclose(sound, scale.speed_of_sound_m_s, rtol=1e-6):
        raise InputError(f"speed of sound {sound:g} m/s, not {scale.speed_of_sound_m_s:g}")
    if not z.size == x.size == radius.size:
        raise InputError("bubble positions and radii of different numbers")
    arrival = (z + np.hypot(x, z)) / sound * rate
    return PublishedSignal(lines[0].astype(np.float32), field[0], arrival, z, x, radius)


@contextlib.contextmanager
def _structs(path: Path) -> Iterator[Any]:
    """Open a MATLAB file of either format: structs by name, with arrays by field."""
    with contextlib.ExitStack() as stack:
        try:
            if h5py.is_hdf5(path):
                structs: Any = stack.enter_context(h5py.File(path))
            else:
                check_mat(path)
                structs = loadmat(path, variable_names=STRUCTS)
        except Exception as error:  # loadmat meets damaged files with many types, undocumented
            raise InputError("not a readable MATLAB file") from error
        yield structs


def _entries(structs: Any, struct: str, field: str) -> list[Floats]:
    """Return the numbers (k,) of a field, from every entry of a struct array.

    Raises:
        InputError: there is no such struct, field, or entry, or it holds no numbers.
    """
    try:
        values = structs[struct][field]
        found = _hdf5_entries(structs, values) if isinstance(structs, h5py.File) else values.flat
        entries = [np.asarray(entry, dtype=np.float64).ravel() for entry in found]
    except (LookupError, ValueError, TypeError, AttributeError, OSError, RuntimeError) as error:
        raise InputError(f"no {struct}.{field} of numbers") from error
    if not entries or not all(entry.size for entry in entries):
        raise InputError(f"no {struct}.{field} of numbers")
    return entries


def _hdf5_entries(file: h5py.File, dataset: h5py.Dataset) -> list[Any]:
    """Read HDF5: a struct array keeps references to its entries, a single struct its values."""
    path = Path(file.filename)
    check_hdf5(path, dataset, whole=True)
    if h5py.check_ref_dtype(dataset.dtype) is None:
        return [dataset[()]]
    entries = [file[reference] for reference in dataset[()].ravel()]
    for entry in entries:
        check_hdf5(path, entry, whole=True)
    return [entry[()] for entry in entries]


def _number(entries: list[Floats]) -> float:
    values = np.unique(_column(entries))
    if values.size != 1:
        raise InputError("a sampling rate or speed of sound that is not one number")
    return float(values[0])


def _column(entries: list[Floats]) -> Floats:
    """Return one number of every entry of a struct array."""
    if any(entry.size != 1 for entry in entries):
        raise InputError("a struct array with fields that are not numbers")
    return np.concatenate(entries)
