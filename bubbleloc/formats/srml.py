"""Files of the published simulator: RF lines as text, and MATLAB results (v5 and v7.3).

Text: four header lines, then ``bubble count, voltage, pressure field (Pa)`` for every sample.
MATLAB: structs ``RF`` (V volts, fs Hz), ``bubble`` (z, x, R0 in m, an entry per bubble), ``pfield``
(PA in Pa, from the transducer's face down) and ``domain`` (c in m/s).
"""

import warnings
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes
from bubbleloc.formats.plain import plain_recording
from bubbleloc.formats.recording import Hints, OpenFile, Recording
from bubbleloc.matfile import MatFile
from bubbleloc.physics import Bubbles, Signal
from bubbleloc.tables import lines_of
from bubbleloc.units import Scale

HEADER_LINES = 4
PUBLISHED_HEADING = "Bubble count"  # in the last of them
MOST_PER_SAMPLE = 1000  # bubbles; a column of something else exceeds it
SUFFIXES = (".txt", ".mat")
PUBLISHED = Scale(62.5e6, 1480.0, None)  # text files do not say; MATLAB results must agree
STRUCTS = ("RF", "bubble", "pfield", "domain")


def read_signal(path: Path, scale: Scale) -> Signal:
    """Read an RF line and its bubbles.

    Raises:
        InputError: the file is unreadable, or what it holds is not a signal of ``scale``;
            in a few words, without the name of the file.
    """
    read = _read_mat if path.suffix.lower() == ".mat" else _read_text
    signal = read(path, scale)
    if signal.volts.size < 2:
        raise InputError("no samples")
    if not (np.isfinite(signal.volts).all() and np.isfinite(signal.pressure_pa)):
        raise InputError("NaN or infinite values")
    if not signal.bubbles.within(0, signal.volts.size).all():
        raise InputError("a bubble outside the record")
    return signal


def _read_text(path: Path, scale: Scale) -> Signal:
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
    bubbles = Bubbles(arrival, depth_m=depth, lateral_m=np.zeros_like(arrival))
    return Signal(volts.astype(np.float32), bubbles, field[0])


def _read_mat(path: Path, scale: Scale) -> Signal:
    """Read a MATLAB result of one receive element."""
    try:
        mat = MatFile(path)
    except Exception as error:  # loadmat meets damaged files with many types, undocumented
        raise InputError("not a readable MATLAB file") from error
    lines = _entries(mat, "RF", "V")
    if len(lines) != 1:
        raise InputError(f"{len(lines)} receive elements instead of one")
    rate = _number(_entries(mat, "RF", "fs"))
    sound = _number(_entries(mat, "domain", "c"))
    z, x, radius = (_column(_entries(mat, "bubble", name)) for name in ("z", "x", "R0"))
    field = _entries(mat, "pfield", "PA")[0]
    if not np.isclose(rate, scale.sampling_rate_hz, rtol=1e-6):
        raise InputError(f"sampled at {rate:g} Hz, not {scale.sampling_rate_hz:g}")
    if not np.isclose(sound, scale.speed_of_sound_m_s, rtol=1e-6):
        raise InputError(f"speed of sound {sound:g} m/s, not {scale.speed_of_sound_m_s:g}")
    if not z.size == x.size == radius.size:
        raise InputError("bubble positions and radii of different numbers")
    arrival = (z + np.hypot(x, z)) / sound * rate
    return Signal(lines[0].astype(np.float32), Bubbles(arrival, radius, z, x), field[0])


def read_published(file: OpenFile, hints: Hints) -> Recording | None:
    """Read the lines of a published signal, one per receive element."""
    if file.path.suffix.lower() != ".mat":
        if PUBLISHED_HEADING not in "".join(islice(lines_of(file.path), HEADER_LINES)):
            return None
        volts = read_signal(file.path, PUBLISHED).volts
        return plain_recording(file.path, volts, asdict(PUBLISHED), hints)
    mat = file.mat
    if hints.key is not None or not mat.names.issuperset(STRUCTS):
        return None
    lines = np.stack(_entries(mat, "RF", "V"))
    rate, sound = _number(_entries(mat, "RF", "fs")), _number(_entries(mat, "domain", "c"))
    facts = {"fs": rate, "speed_of_sound_m_s": sound}
    return plain_recording(mat.path, lines, facts, hints)


def _entries(mat: MatFile, struct: str, field: str) -> list[Floats]:
    """Return the numbers (k,) of a field, from every entry of a struct array.

    Raises:
        InputError: there is no such struct, field, or entry, or it holds no numbers.
    """
    try:
        entries = [np.asarray(e, dtype=np.float64).ravel() for e in mat.entries(struct, field)]
    except Exception as error:  # of loadmat and HDF5, undocumented
        raise InputError(f"no {struct}.{field} of numbers") from error
    if not entries or not all(entry.size for entry in entries):
        raise InputError(f"no {struct}.{field} of numbers")
    return entries


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
