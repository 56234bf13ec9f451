"""Files of the published simulator: RF lines as text, and MATLAB results (v5 and v7.3).

Text: four header lines, then ``bubble count, voltage, pressure field (Pa)`` for every sample.
MATLAB: structs ``RF`` (V volts, fs Hz), ``bubble`` (z, x, R0 in m, an entry per bubble), ``pfield``
(PA in Pa, from the transducer's face down) and ``domain`` (c in m/s).
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from bubbleloc.data.store import Truth
from bubbleloc.files import check_bytes, check_hdf5, check_mat

HEADER_LINES = 4
MOST_PER_SAMPLE = 1000  # bubbles; a column of something else exceeds it
SUFFIXES = (".txt", ".mat")
STRUCTS = ("RF", "bubble", "pfield", "domain")

FloatArray = NDArray[np.float64]


class UnusableError(Exception):
    """Why a file is not imported, in a few words."""


@dataclass(frozen=True)
class Acquisition:
    """How the signals were sampled: text files do not say, MATLAB results must agree."""

    sampling_rate_hz: float = 62.5e6
    speed_of_sound_m_s: float = 1480.0


def read_signal(path: Path, acquisition: Acquisition) -> tuple[NDArray[np.float32], Truth]:
    """Read an RF line (L,) in volts and its truth.

    Raises:
        UnusableError: the file is unreadable, or what it holds is not a signal of ``acquisition``.
    """
    read = _read_text if path.suffix == ".txt" else _read_mat
    volts, truth = read(path, acquisition)
    if volts.size < 2:
        raise UnusableError("no samples")
    if not (np.isfinite(volts).all() and np.isfinite(truth.pressure_pa).all()):
        raise UnusableError("NaN or infinite values")
    samples = np.rint(truth.arrival_sample)
    if not ((samples >= 0) & (samples < volts.size)).all():  # NaN is outside, too
        raise UnusableError("a bubble outside the record")
    return volts.astype(np.float32), truth


def _read_text(path: Path, acquisition: Acquisition) -> tuple[FloatArray, Truth]:
    """Read a text file; bubbles lie on the axis, at their sample's time of flight.

    Lateral position and size are not in the file: 0 and NaN stand for them.
    """
    try:
        check_bytes(path)
        with warnings.catch_warnings(action="ignore"):  # of an empty table, refused below
            table = np.loadtxt(path, delimiter=",", skiprows=HEADER_LINES, ndmin=2)
    except (OSError, ValueError, IndexError) as error:
        raise UnusableError("not a table of numbers under four header lines") from error
    if table.size == 0 or table.shape[1] != 3:
        raise UnusableError("not three columns: bubble count, voltage, pressure field")
    count, volts, field = table.T
    if not np.isfinite(table).all():
        raise UnusableError("NaN or infinite values")
    if (count < 0).any() or (count > MOST_PER_SAMPLE).any() or (count % 1).any():
        raise UnusableError("bubble counts that are not small whole numbers")
    arrival = np.repeat(np.arange(count.size, dtype=np.float64), count.astype(np.int64))
    depth = arrival / acquisition.sampling_rate_hz * acquisition.speed_of_sound_m_s / 2
    truth = _truth(field[0], arrival, depth, np.zeros_like(arrival), np.full_like(arrival, np.nan))
    return volts, truth


def _read_mat(path: Path, acquisition: Acquisition) -> tuple[FloatArray, Truth]:
    """Read a MATLAB result of one receive element."""
    with _Structs(path) as structs:
        lines = structs.entries("RF", "V")
        if len(lines) != 1:
            raise UnusableError(f"{len(lines)} receive elements instead of one")
        rate = _number(structs.entries("RF", "fs"))
        sound = _number(structs.entries("domain", "c"))
        z, x, radius = (_column(structs.entries("bubble", name)) for name in ("z", "x", "R0"))
        field = np.ravel(structs.entries("pfield", "PA")[0])
    if not np.isclose(rate, acquisition.sampling_rate_hz, rtol=1e-6):
        raise UnusableError(f"sampled at {rate:g} Hz, not {acquisition.sampling_rate_hz:g}")
    if not np.isclose(sound, acquisition.speed_of_sound_m_s, rtol=1e-6):
        raise UnusableError(f"speed of sound {sound:g} m/s, not {acquisition.speed_of_sound_m_s:g}")
    if not z.size == x.size == radius.size:
        raise UnusableError("bubble positions and radii of different numbers")
    arrival = (z + np.hypot(x, z)) / sound * rate
    return np.ravel(lines[0]), _truth(field[0], arrival, z, x, radius)


def _truth(
    pressure_pa: float, arrival: FloatArray, depth: FloatArray, lateral: FloatArray, r: FloatArray
) -> Truth:
    """Collect the truth of one signal; the pressure field at the transducer is its amplitude."""
    return Truth(
        pressure_pa=np.array([pressure_pa]),
        offset=np.array([0, arrival.size]),
        arrival_sample=arrival,
        depth_m=depth,
        lateral_m=lateral,
        radius_m=r,
    )


def _number(entries: list[FloatArray]) -> float:
    values = np.unique(_column(entries))
    if values.size != 1:
        raise UnusableError("a sampling rate or speed of sound that is not one number")
    return float(values[0])


def _column(entries: list[FloatArray]) -> FloatArray:
    """Return one number of every entry of a struct array."""
    if any(np.size(entry) != 1 for entry in entries):
        raise UnusableError("a struct array with fields that are not numbers")
    return np.array([np.ravel(entry)[0] for entry in entries], dtype=np.float64)


class _Structs:
    """The structs of a MATLAB file, whichever of its two formats holds them."""

    def __init__(self, path: Path) -> None:
        self.file: h5py.File | None = None
        self.variables: dict[str, Any] = {}
        try:
            if h5py.is_hdf5(path):
                self.file = h5py.File(path)
            else:
                check_mat(path)
                self.variables = loadmat(path, variable_names=STRUCTS)
        except Exception as error:  # loadmat meets damaged files with many types, undocumented
            raise UnusableError("not a readable MATLAB file") from error

    def __enter__(self) -> "_Structs":
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self.file.close()

    def entries(self, struct: str, field: str) -> list[FloatArray]:
        """Return a field of all entries of a struct array.

        Raises:
            UnusableError: there is no such struct, field, or entry, or it holds no numbers.
        """
        try:
            if self.file is not None:
                found = _entries_v73(self.file, struct, field)
            else:
                found = [np.asarray(x, float) for x in self.variables[struct][field].ravel()]
        except (LookupError, ValueError, TypeError, AttributeError, OSError, RuntimeError) as error:
            raise UnusableError(f"no {struct}.{field} of numbers") from error
        if not found:
            raise UnusableError(f"no {struct}.{field} of numbers")
        return found


def _entries_v73(file: h5py.File, struct: str, field: str) -> list[FloatArray]:
    """Read HDF5: a struct array keeps references to its entries, a single struct its values."""
    dataset = file[struct][field]
    check_hdf5(Path(file.filename), dataset, whole=True)
    if h5py.check_ref_dtype(dataset.dtype) is None:
        return [np.asarray(dataset[()], dtype=np.float64)]
    entries = [file[reference] for reference in dataset[()].ravel()]
    for entry in entries:
        check_hdf5(Path(file.filename), entry, whole=True)
    return [np.asarray(entry[()], float) for entry in entries]
