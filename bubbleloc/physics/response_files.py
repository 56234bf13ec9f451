"""Measured transducer responses and drive waveforms from files (data only, never code)."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes, check_mat, check_zip
from bubbleloc.physics.probe import minimum_phase, of_impulse, with_band_of
from bubbleloc.physics.transducer import TabulatedResponse, Transducer

# Points must be closer than this to describe a response that rings for 4 µs.
COARSEST_STEP_HZ = 250e3
# A table must reach at least here: fundamental and second harmonic of a 1.7 MHz drive.
LOWEST_REACH_HZ = 4e6
# Causality is checked up to here, on a grid that shows some 40 µs before and after 0.
HIGHEST_HZ, RESPONSE_POINTS = 50e6, 4097
ARRAYS = ("f", "Tfit", "Hfit", "IR", "fs")  # that a file may hold
VERASONICS_RATE_HZ = 250e6  # of the waveforms and impulse responses that its scripts compute
MOST_EARLY_ENERGY = 0.1  # of the impulse response; the published ones cut at 4 MHz have 0.004


def read_transducer(path: str | Path) -> Transducer:
    """The probe of a file: both responses, see `read_response`, or a Verasonics ``Trans`` (.mat).

    ``Trans`` tells the one-way impulse response ``IR1wy`` at 250 MHz, which is taken for both ways,
    the frequency, and the aperture, ``numelements`` times ``spacingMm``.
    """
    file = existing(path)
    table = _load_named(file) if file.suffix == ".mat" else {}
    if "Trans" not in table:
        both = read_response(file, "Tfit"), read_response(file, "Hfit")
        return with_band_of(Transducer(*both))
    try:
        trans = table["Trans"][0, 0]
        impulse = np.asarray(trans["IR1wy"], dtype=np.float64).reshape(-1)
        elements, spacing_mm, mhz = (
            float(np.squeeze(trans[key])) for key in ("numelements", "spacingMm", "frequency")
        )
    except (ValueError, IndexError, TypeError) as error:
        raise InputError(f"{file}: Trans lacks what a probe needs ({error})") from error
    response = _checked(file, *of_impulse(impulse, VERASONICS_RATE_HZ))
    probe = Transducer(response, response, aperture_m=1e-3 * elements * spacing_mm)
    return with_band_of(replace(probe, center_hz=1e6 * mhz))


def read_response(path: str | Path, name: str) -> TabulatedResponse:
    """The response ``name`` (``Tfit`` transmit, ``Hfit`` receive) of a file.

    ``.npz`` and ``.mat`` hold ``f`` (n,) in Hz and ``name`` (n,), or an impulse response ``IR`` and
    its rate ``fs`` in Hz (250 MHz if it is not there). The columns of a ``.csv``, with or without a
    header line, are frequency in Hz, real and imaginary part; frequency and magnitude; or time in s
    and impulse response. A conjugate second half (frequencies of a full FFT) is left out.

    Where there is only a magnitude, the response of minimum phase is taken, with a warning.

    Raises InputError where the file is missing, unreadable, or not a usable response.
    """
    file = existing(path)
    if file.suffix in (".npz", ".mat"):
        table = _load_named(file)
        if "IR" in table and name not in table:
            rate_hz = float(np.squeeze(table.get("fs", VERASONICS_RATE_HZ)))
            return _checked(file, *of_impulse(np.squeeze(table["IR"]), rate_hz))
        missing = [key for key in ("f", name) if key not in table]
        if missing:
            raise InputError(f"{file}: no {' and no '.join(missing)} in it; it has {sorted(table)}")
        return _checked(file, np.squeeze(table["f"]), np.squeeze(table[name]))
    if file.suffix != ".csv":
        raise InputError(f"{file}: a response is a .npz, .mat or .csv file")
    columns = read_columns(file)
    if columns.shape[1] not in (2, 3):
        raise InputError(
            f"{file}: {columns.shape[1]} columns; give frequency in Hz, real and imaginary part "
            "(or magnitude alone), or time in s and impulse response"
        )
    first, second = columns[:, 0], columns[:, 1]
    if columns.shape[1] == 3:
        return _checked(file, first, second + 1j * columns[:, 2])
    if len(first) > 1 and first[-1] < 1:  # seconds: no frequency is that low
        return _checked(file, *of_impulse(second, float((len(first) - 1) / np.ptp(first))))
    return _checked(file, first, second)


def read_waveform(path: str | Path) -> Floats:
    """One row of samples (n,) from a ``.npy`` file or a one-column ``.csv``/``.txt``."""
    file = existing(path)
    if file.suffix == ".npy":
        try:
            samples = np.load(file, mmap_mode="r", allow_pickle=False)  # no more than is there
        except Exception as error:
            raise InputError(f"{file}: not a .npy file of numbers ({error})") from error
    else:
        samples = read_columns(file)
    if samples.size != max(samples.shape, default=0) or not np.isrealobj(samples):
        raise InputError(f"{file}: shape {samples.shape}; give one column of real numbers")
    return np.asarray(samples, dtype=np.float64).reshape(-1)


def read_columns(file: Path) -> Floats:
    """A table (rows, columns) of numbers parted by commas or blanks; a header is skipped."""
    check_bytes(file)
    try:
        text = file.read_text(encoding="utf-8-sig").replace(",", " ").replace(";", " ")
        lines = [line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"]
        if lines and not _is_number(lines[0].split()[0]):
            lines = lines[1:]
        return np.loadtxt(lines, dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: not a table of numbers ({error})") from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def existing(path: str | Path) -> Path:
    """The path of a file that is there.

    Raises InputError where it is missing.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file; check the path")
    return file


def _load_named(file: Path) -> Mapping[str, Any]:
    try:
        if file.suffix == ".mat":
            check_mat(file)
            return {k: v for k, v in loadmat(file).items() if not k.startswith("__")}
        check_zip(file)
        with np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files if key in ARRAYS}
    except InputError:
        raise
    except Exception as error:  # readers meet damaged files with many types, undocumented
        raise InputError(f"{file}: cannot be read as {file.suffix} ({error})") from error


def _checked(file: Path, frequency: Any, value: Any) -> TabulatedResponse:
    if frequency.ndim != 1 or frequency.shape != value.shape:
        raise InputError(
            f"{file}: frequency {frequency.shape} and response {value.shape} differ in shape"
        )
    try:
        f: Floats = np.asarray(frequency, dtype=np.float64)
        x: Complexes = np.asarray(value, dtype=np.complex128)
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: not numbers ({error})") from error
    if not (np.isfinite(f).all() and np.isfinite(x).all() and x.any()):
        raise InputError(f"{file}: NaN, infinite or all-zero values; clean the file")
    if f.size < 4 or (np.diff(f) <= 0).any() or f[0] < 0:
        raise InputError(f"{file}: frequencies must rise from zero or more, in Hz")
    if f[-1] < LOWEST_REACH_HZ:
        raise InputError(
            f"{file}: ends at {f[-1]:g} Hz, needs at least {LOWEST_REACH_HZ:g}; in Hz?"
        )
    if not x.imag.any() and (x.real >= 0).all():
        warnings.warn(f"{file}: magnitude only; taken for that of minimum phase", stacklevel=2)
        response = minimum_phase(f, x.real)
    elif np.diff(f).max() > COARSEST_STEP_HZ:
        raise InputError(
            f"{file}: steps of {np.diff(f).max():g} Hz; at most {COARSEST_STEP_HZ:g} show 4 µs"
        )
    else:
        response = TabulatedResponse(f, x)
    _refuse_impossible(file, response)
    return response


def _refuse_impossible(file: Path, response: TabulatedResponse) -> None:
    """Refuse a response with its largest value at 0 Hz, or before its cause."""
    reach_hz = min(response.frequency_hz[-1], HIGHEST_HZ)
    value = response(np.linspace(0, reach_hz, RESPONSE_POINTS))
    if np.abs(value).argmax() == 0:
        raise InputError(
            f"{file}: largest at 0 Hz, where no transducer works; give frequency and complex "
            "response of one measurement, in the same order"
        )
    energy = np.square(np.fft.irfft(value))
    early = energy[len(energy) // 2 :].sum() / energy.sum()
    if early > MOST_EARLY_ENERGY:
        raise InputError(
            f"{file}: {early:.0%} of the impulse response comes before its cause; give the phase "
            "of exp(+i2πft), as of numpy.fft.rfft, and take off no delay"
        )
