"""A probe of your own: from its band, a magnitude, an impulse response, or a file of responses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.console.settings.probes import P4_1 as P4_1_NAME
from bubbleloc.console.settings.probes import PROBES, probe_called
from bubbleloc.errors import InputError, require_between
from bubbleloc.files import check_zip, existing, read_yaml, unreadable_is_input_error
from bubbleloc.matfile import VERASONICS_RATE_HZ, MatFile
from bubbleloc.physics.transducer import P4_1, TabulatedResponse, Transducer
from bubbleloc.tables import read_table

# Points must be closer than this to describe a response that rings for 4 µs.
COARSEST_STEP_HZ = 250e3
# A table must reach at least here: fundamental and second harmonic of a 1.7 MHz drive.
LOWEST_REACH_HZ = 4e6
# Causality is checked up to here, on a grid that shows some 40 µs before and after 0.
CAUSAL_HZ, RESPONSE_POINTS = 50e6, 4097
ARRAYS = ("f", "Tfit", "Hfit", "IR", "fs")  # of responses, that a file may hold
NUMBERS = ("center_hz", "fractional_bandwidth", "aperture_m")  # of a probe, likewise
TABLES = (".npz", ".mat", ".yaml", ".yml")
MOST_EARLY_ENERGY = 0.1  # of the impulse response; the published ones cut at 4 MHz have 0.004
HIGHEST_HZ, STEP_HZ = 60e6, 10e3  # of the responses made here: 100 µs at 8 ns
# A magnitude is taken for no smaller part of its maximum: the phase follows from its logarithm.
FLOOR = 1e-4
GRID_HZ = np.arange(0, HIGHEST_HZ + STEP_HZ / 2, STEP_HZ)


def gaussian(
    center_hz: float, fractional_bandwidth: float, aperture_m: float = 0.028
) -> Transducer:
    """A probe whose transmit and receive responses both are Gaussian, of minimum phase.

    Volts compare with those of the P4-1: the receive response is as large at its peak.

    Args:
        fractional_bandwidth: width at −6 dB of each response over ``center_hz``; that of an echo
            is 0.71 of it.

    Raises:
        InputError: no frequency or bandwidth of a probe.
    """
    require_between("gaussian", "center_hz", center_hz, 1e5, 2e7)
    require_between("gaussian", "fractional_bandwidth", fractional_bandwidth, 0.05, 2)
    width_hz = fractional_bandwidth * center_hz
    magnitude = np.exp2(-np.square((GRID_HZ - center_hz) / (width_hz / 2)))
    shape = minimum_phase(GRID_HZ, magnitude)
    scale = np.abs(P4_1.receive(GRID_HZ)).max()
    receive = TabulatedResponse(shape.frequency_hz, scale * shape.value)
    return Transducer(shape, receive, width_hz, aperture_m, center_hz)


def response_bandwidth(echo_bandwidth: float) -> float:
    """The −6 dB width of each response of a Gaussian probe, of that of its echoes.

    Echoes pass two such responses alike, so each is √2 as wide.
    """
    return 2**0.5 * echo_bandwidth


def named(name: str) -> Transducer:
    """The probe of a key of ``PROBES``, or the P4-1."""
    if name == P4_1_NAME:
        return P4_1
    probe = PROBES[name]
    return gaussian(probe.center_hz, response_bandwidth(probe.echo_bandwidth), probe.aperture_m)


def minimum_phase(frequency_hz: Floats, magnitude: Floats) -> TabulatedResponse:
    """The response of a magnitude (n,) that answers soonest: minimum phase, by the cepstrum.

    Outside its frequencies, and where it is less, the magnitude is 80 dB below its maximum.
    """
    top = magnitude.max()
    value = np.interp(GRID_HZ, frequency_hz, magnitude, left=0, right=0)
    cepstrum = fft.irfft(np.log(np.maximum(value / top, FLOOR)))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return TabulatedResponse(GRID_HZ, top * np.exp(fft.rfft(cepstrum)))


def of_impulse(samples: Floats, rate_hz: float) -> tuple[Floats, Complexes]:
    """Frequencies in Hz and the response of an impulse response (n,) that starts at time 0."""
    length = max(round(rate_hz / STEP_HZ), len(samples))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    kept = frequency_hz <= HIGHEST_HZ
    return frequency_hz[kept], fft.rfft(samples, length)[kept] / rate_hz


def with_band_of(transducer: Transducer) -> Transducer:
    """A transducer that rings as long as its transmit response says, at least as the P4-1."""
    magnitude = np.abs(transducer.transmit(GRID_HZ))
    above = np.flatnonzero(magnitude >= magnitude.max() / 2)
    width_hz = float(np.ptp(GRID_HZ[above])) + STEP_HZ
    return replace(transducer, bandwidth_hz=min(width_hz, P4_1.bandwidth_hz))


def require_transducer(source: object) -> Path | None:
    """The file that describes a transducer; None where no file is needed.

    Raises:
        InputError: no Transducer, name or file of one; lists the names.
    """
    if isinstance(source, Transducer) or (isinstance(source, str) and probe_called(source)):
        return None
    if isinstance(source, str | Path) and (Path(source).exists() or Path(source).suffix):
        return existing(source)
    names = ", ".join((P4_1_NAME, *PROBES))
    raise InputError(f"transducer={source!s}: no such probe; give a file or one of {names}")


def transducer_of(source: Transducer | str | Path) -> Transducer:
    """The transducer that a name or a file means, see `named` and `read_transducer`."""
    if isinstance(source, Transducer):
        return source
    file = require_transducer(source)
    return read_transducer(file) if file else named(probe_called(source) or P4_1_NAME)


def read_transducer(path: str | Path) -> Transducer:
    """The probe of a file: its numbers and its responses, or a Verasonics ``Trans`` (.mat).

    ``.yaml``, ``.npz`` and ``.mat`` hold ``center_hz``, ``fractional_bandwidth``, ``aperture_m``
    and responses, see `read_response`; a response that is not there is that of `gaussian`.

    ``Trans`` tells the one-way impulse response ``IR1wy`` at 250 MHz, which is taken for both ways,
    the frequency, and the aperture, ``numelements`` times ``spacingMm``.

    Raises:
        InputError: the file is missing, unreadable, or lacks or contradicts some of it.
    """
    file = existing(path)
    if file.suffix == ".mat":
        with unreadable_is_input_error(file):
            mat = MatFile(file)
            if "Trans" in mat.names:
                return _of_trans(mat)
    if file.suffix in TABLES:
        return _of_table(file, _arrays_of(file))
    both = read_response(file, "Tfit")
    return with_band_of(Transducer(both, both))


def _of_table(file: Path, table: Mapping[str, Any]) -> Transducer:
    numbers = {name: _number(file, name, table[name]) for name in NUMBERS if name in table}
    center_hz, width = numbers.get("center_hz"), numbers.get("fractional_bandwidth")
    transmit, receive = ("IR" in table or name in table for name in ("Tfit", "Hfit"))
    if width and (center_hz is None or (transmit and receive)):
        raise InputError(
            f"{file}: fractional_bandwidth goes with center_hz, and with one response at most; "
            "give center_hz, or leave it out"
        )
    if width and center_hz:
        probe = gaussian(center_hz, width)
    else:  # both responses have to be there
        probe, transmit, receive = replace(P4_1, center_hz=center_hz), True, True
    if transmit:
        probe = with_band_of(replace(probe, transmit=_response_in(file, table, "Tfit")))
    if receive:
        probe = replace(probe, receive=_response_in(file, table, "Hfit"))
    aperture_m = numbers.get("aperture_m", probe.aperture_m)
    require_between(str(file), "aperture_m", aperture_m, 1e-4, 1)
    return replace(probe, aperture_m=aperture_m)


def _number(file: Path, name: str, value: Any) -> float:
    try:
        return float(np.asarray(value).item())
    except (TypeError, ValueError) as error:
        raise InputError(f"{file}: {name}={value!r}: give a number") from error


def _of_trans(mat: MatFile) -> Transducer:
    needed = ("IR1wy", "numelements", "spacingMm", "frequency")
    if missing := [name for name in needed if not mat.has("Trans", name)]:
        raise InputError(
            f"{mat.path}: Trans has no {', '.join(missing)}; save it after VSX has run, or give "
            "transducer=gaussian with center_hz and fractional_bandwidth"
        )
    impulse, *numbers = (np.asarray(mat.entries("Trans", name)[0]) for name in needed)
    elements, spacing_mm, mhz = (float(number.item()) for number in numbers)
    response = _checked(mat.path, *of_impulse(impulse.ravel(), VERASONICS_RATE_HZ))
    probe = Transducer(response, response, aperture_m=1e-3 * elements * spacing_mm)
    return with_band_of(replace(probe, center_hz=1e6 * mhz))


def read_response(path: str | Path, name: str) -> TabulatedResponse:
    """The response ``name`` (``Tfit`` transmit, ``Hfit`` receive) of a file.

    ``.npz``, ``.mat`` and ``.yaml`` hold ``f`` (n,) in Hz and ``name`` (n,), or an impulse response
    ``IR`` and its rate ``fs`` in Hz (250 MHz if it is not there). The columns of a ``.csv``, with
    or without a header line, are frequency in Hz, real and imaginary part; frequency and magnitude;
    or time in s and impulse response. A conjugate second half (frequencies of a full FFT) is left
    out.

    Where there is only a magnitude, the response of minimum phase is taken, with a warning.

    Raises:
        InputError: the file is missing, unreadable, or not a usable response.
    """
    file = existing(path)
    if file.suffix in TABLES:
        return _response_in(file, _arrays_of(file), name)
    if file.suffix != ".csv":
        raise InputError(f"{file}: a response is a .npz, .mat, .yaml or .csv file")
    columns, _ = read_table(file)
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


def _response_in(file: Path, table: Mapping[str, Any], name: str) -> TabulatedResponse:
    if "IR" in table and name not in table:
        rate_hz = _number(file, "fs", table.get("fs", VERASONICS_RATE_HZ))
        return _checked(file, *of_impulse(table["IR"], rate_hz))
    missing = [key for key in ("f", name) if key not in table]
    if missing:
        raise InputError(f"{file}: no {' and no '.join(missing)} in it; it has {sorted(table)}")
    return _checked(file, table["f"], table[name])


def _arrays_of(file: Path) -> dict[str, Any]:
    """Return the arrays and numbers of a file that belong to a probe, without axes of length 1."""
    names = (*ARRAYS, *NUMBERS)
    if file.suffix in (".yaml", ".yml"):
        return _arrays_of_yaml(file, names)
    with unreadable_is_input_error(file):
        if file.suffix == ".mat":
            mat = MatFile(file)
            return {name: np.squeeze(mat.entries(name)[0]) for name in names if name in mat.names}
        check_zip(file)
        with np.load(file, allow_pickle=False) as archive:
            return {name: np.squeeze(archive[name]) for name in names if name in archive.files}


def _arrays_of_yaml(file: Path, names: Sequence[str]) -> dict[str, Any]:
    content = read_yaml(file)
    if not isinstance(content, dict) or content.keys() - set(names):
        unknown = sorted(map(str, content.keys() - set(names))) if isinstance(content, dict) else []
        raise InputError(
            f"{file}: {', '.join(unknown) or 'no names with values'} in a file of a probe; it may "
            f"hold {', '.join(names)}"
        )
    try:
        return {name: np.asarray(value, dtype=np.float64) for name, value in content.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{file}: not numbers ({error}); complex ones need .npz or .mat"
        ) from error


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
        response = minimum_phase(f, x.real)
        note = f"{file}: magnitude only; taken for that of minimum phase"
        response = TabulatedResponse(response.frequency_hz, response.value, note)
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
    reach_hz = min(response.frequency_hz[-1], CAUSAL_HZ)
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
