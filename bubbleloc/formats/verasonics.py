"""Recordings of a Verasonics system: ``.mat`` files of the workspace that VSX leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.recording import (
    Hints,
    OpenFile,
    Recording,
    choose_transmit,
    delay_at_origin_s,
)
from bubbleloc.formats.volts import Volts
from bubbleloc.matfile import VERASONICS_RATE_HZ, MatFile

DEFAULT_SPEED_M_S = 1540.0  # of the system, where Resource.Parameters does not tell
TGC_STEP_S = 0.8e-6  # between the values of TGC.Waveform
TGC_DB, TGC_TOP = 40.0, 1023.0  # gain of the highest value
UNIFORM_MODES = ("NS200BW", "custom", "")  # others sample in pairs or interleave acquisitions
SOURCES = {
    "sampling_rate_hz": "Receive.decimSampleRate",
    "start_s": "2·Receive.startDepth − TX.Delay at x = 0 − 2·Trans.lensCorrection",
    "frequency_hz": "TW or Trans",
}
FIELDS = ("bufnum", "framenum", "acqNum", "startSample", "endSample", "startDepth", "TGC")


def read_verasonics(file: OpenFile, hints: Hints) -> Recording | None:
    """Read the frames of one transmit: the one nearest to straight down, or ``transmit=``.

    Every acquisition with that transmit is a frame, so that super-frames come apart, in the order
    of time.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    mat, key = file.mat, hints.key
    if "RcvData" not in mat.names or not (key is None or key.startswith("RcvData")):
        return None
    probe = Probe.read(mat, hints.speed_of_sound_m_s)
    receive, cells = _receives(mat), mat.cells("RcvData")
    buffer = _choose_buffer(mat, key, cells, receive)
    mine = receive["bufnum"] == buffer if len(cells) > 1 else receive["bufnum"] > 0
    angles = _angles(mat, receive["tx"][mine])
    transmit, notes = choose_transmit(mat.path, angles, hints.transmit)
    chosen = np.flatnonzero(mine & (receive["tx"] == transmit))
    acquisitions = _in_order(mat, receive, chosen, buffer)
    samples, start_depth = _common(mat, receive, acquisitions)
    data = cells[buffer - 1] if len(cells) > 1 else cells[0]
    rate_hz = _rate_hz(mat)
    delay_s = probe.delay_s(mat, transmit)
    origin_s = 0.0 if delay_s is None else delay_at_origin_s(probe.element_m, delay_s)
    begin_s = 2 * start_depth / probe.frequency_hz
    number, waveform, frequency_hz = read_pulse(mat, transmit)
    recording = Recording(
        mat.path,
        _lines(mat, data, receive, acquisitions, samples, probe),
        rate_hz,
        begin_s - origin_s - 2 * probe.lens_s,
        probe.speed_of_sound_m_s,
        probe.element_m,
        frequency_hz or probe.frequency_hz,
        probe.lens_s,
        delay_s,
        angles[transmit],
        waveform,
        None if waveform is None else VERASONICS_RATE_HZ,
        waveform_file=None if waveform is None else f"{mat.path}:{number}",
        transducer_file=str(mat.path) if mat.has("Trans", "IR1wy") else None,
        sources=SOURCES | probe.sources,
        notes=(*probe.notes, *notes),
    )
    gain = _gain(mat, int(receive["TGC"][acquisitions[0]]), begin_s + np.arange(samples) / rate_hz)
    if gain is None:
        return recording.noting("the gain is unknown: no TGC in the file")
    return recording.without_gain(gain, "TGC")


def _receives(mat: MatFile) -> dict[str, Floats]:
    """Return columns (n,) over the entries of Receive, with the transmit of each, from 0."""
    if not mat.has("Receive", "startSample") or not mat.has("Receive", "endSample"):
        raise InputError(
            f"{mat.path} has RcvData but no Receive.startSample and endSample: save Receive, "
            "Trans, TX, TW, TGC and Resource after VSX has run, or give key= to read a plain array"
        )
    n = len(mat.column("Receive", "startSample"))
    defaults = {"startDepth": 0.0}
    columns = {
        name: mat.column("Receive", name, default=defaults.get(name, 1.0))
        if mat.has("Receive", name)
        else np.full(n, defaults.get(name, 1.0))
        for name in FIELDS
    }
    if any(len(column) != n or not np.isfinite(column).all() for column in columns.values()):
        raise InputError(f"{mat.path}: Receive has fields that are no numbers; save it again")
    columns["tx"] = _transmits(mat, columns["acqNum"])
    return columns


def _transmits(mat: MatFile, acquisition: Floats) -> Floats:
    """Return the transmit, from 0, of every Receive: as Event says, else in turn."""
    count = len(mat.entries("TX", "Delay")) if mat.has("TX", "Delay") else 1
    transmit = (acquisition - 1) % count
    if mat.has("Event", "rcv") and mat.has("Event", "tx"):
        rcv, tx = (mat.column("Event", name, default=0) for name in ("rcv", "tx"))
        used = (rcv > 0) & (tx > 0) & (rcv <= len(transmit))
        transmit[rcv[used].astype(int) - 1] = tx[used] - 1
    return transmit


def _choose_buffer(mat: MatFile, key: str | None, cells: list[Any], receive: Any) -> int:
    """Return the number, from 1, of the buffer that is asked for, else the first with lines."""
    with_lines = [
        number
        for number, cell in enumerate(cells, start=1)
        if cell.size > 1 and (len(cells) == 1 or (receive["bufnum"] == number).any())
    ]
    asked = re.fullmatch(r"RcvData(?:\{?(\d+)\}?)?", key or "RcvData")
    number = int(asked[1]) if asked and asked[1] else next(iter(with_lines), 0)
    if number not in with_lines:
        held = ", ".join(f"RcvData{{{number}}}" for number in with_lines) or "none with lines"
        raise InputError(f"{mat.path}: no buffer {key or 'RcvData'}; it holds {held}")
    return number


def _angles(mat: MatFile, transmits: Floats) -> dict[int, float]:
    """Return the angle in rad of every transmit that is used, 0 where TX does not tell."""
    steer = mat.entries("TX", "Steer") if mat.has("TX", "Steer") else []
    told = {n: float(np.ravel(entry)[0]) for n, entry in enumerate(steer) if entry.size}
    return {n: told.get(n, 0.0) for n in np.unique(transmits).astype(int).tolist()}


def _in_order(mat: MatFile, receive: Any, chosen: Ints, buffer: int) -> Ints:
    """Return the acquisitions in the order of time, each place of the buffer once."""
    frame, number = receive["framenum"][chosen], receive["acqNum"][chosen]
    _, once = np.unique(np.stack([frame, number]), axis=1, return_index=True)
    chosen = chosen[once]
    frame, number = receive["framenum"][chosen], receive["acqNum"][chosen]
    path = ("Resource", "RcvBuffer", "lastFrame")
    last = mat.column(*path, default=0) if mat.has(*path) else np.zeros(0)
    newest = last[buffer - 1] if len(last) >= buffer else 0  # of a ring; 0 has not been round
    return np.asarray(chosen[np.lexsort((number, frame, frame <= newest))], dtype=np.int64)


def _common(mat: MatFile, receive: Any, acquisitions: Ints) -> tuple[int, float]:
    """Return the number of samples and the start depth, which acquisitions must share."""
    lengths = np.unique((receive["endSample"] - receive["startSample"] + 1)[acquisitions])
    depths = np.unique(receive["startDepth"][acquisitions])
    if len(lengths) != 1 or len(depths) != 1 or lengths[0] < 2:
        raise InputError(
            f"{mat.path}: acquisitions of one transmit with {lengths.astype(int).tolist()} samples "
            f"and start depths {depths.tolist()}; choose others with transmit= or key="
        )
    return int(lengths[0]), float(depths[0])


def _rate_hz(mat: MatFile) -> float:
    mode = mat.text("Receive", "sampleMode")
    if mode not in UNIFORM_MODES:
        raise InputError(
            f"{mat.path}: Receive.sampleMode is {mode!r}, which does not sample evenly: record "
            "with 'NS200BW'"
        )
    rate_mhz = mat.number("Receive", "decimSampleRate")
    if rate_mhz is None:
        raise InputError(f"{mat.path}: Receive has no decimSampleRate; save it after VSX has run")
    return 1e6 * rate_mhz / (mat.number("Receive", "quadDecim", default=1.0) or 1.0)


def _lines(
    mat: MatFile, data: Any, receive: Any, acquisitions: Ints, samples: int, probe: Probe
) -> Volts:
    """Return the lines of a buffer (rows, channels, frames), in the order of the elements."""
    shape = data.shape[::-1] if mat.is_hdf5 else data.shape
    rows, channels, frames = (*shape, 1)[:3]
    first = receive["startSample"][acquisitions].astype(int) - 1
    place = receive["framenum"][acquisitions].astype(int) - 1
    if first.min() < 0 or first.max() + samples > rows or place.min() < 0 or place.max() >= frames:
        raise InputError(
            f"{mat.path}: Receive names samples {first.min() + 1} to {first.max() + samples} of "
            f"frames up to {place.max() + 1}, and RcvData holds {rows} of {frames}"
        )
    column = probe.columns(mat, channels)

    def piece(frame: int, elements: slice) -> Any:
        wanted, back = np.unique(column[elements], return_inverse=True)
        begin = first[frame]
        block: tuple[Any, ...] = (slice(begin, begin + samples), wanted, place[frame])[: len(shape)]
        found = data[block[::-1]] if mat.is_hdf5 else data[block].T
        return found[back]

    return Volts(mat.path, (len(acquisitions), len(column), samples), piece)


def _gain(mat: MatFile, number: int, time_s: Floats) -> Floats | None:
    """Return the gain at times after the transmit, from the curve of TGC; None without one."""
    if not (mat.has("TGC", "Waveform") and mat.entries("TGC", "Waveform")[0].size):
        return None
    curves = mat.entries("TGC", "Waveform")
    value = np.ravel(curves[min(number, len(curves)) - 1]).astype(np.float64)
    value = np.interp(time_s, np.arange(value.size) * TGC_STEP_S, value)
    return np.asarray(10 ** (TGC_DB * value / TGC_TOP / 20), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Probe:
    """What Trans tells of a transducer.

    Attributes:
        element_m: positions (elements, 3).
        wavelength_m: wavelength that lengths of Trans are counted in.
        lens_s: time through the lens, one way.
        connector: channel (elements,) of each element, from 1; None where Trans does not tell.
    """

    element_m: Floats
    frequency_hz: float
    wavelength_m: float
    lens_s: float
    connector: Ints | None
    speed_of_sound_m_s: float | None
    sources: dict[str, str]
    notes: tuple[str, ...]

    @classmethod
    def read(cls, mat: MatFile, speed_of_sound_m_s: float | None = None) -> Self:
        """Read Trans.

        Lengths in wavelengths are counted in the ratio of ``spacingMm`` to ``spacing``, which
        holds even where the frequency was changed later, else in c/frequency.

        Args:
            speed_of_sound_m_s: in place of ``Resource.Parameters.speedOfSound``.

        Raises:
            InputError: no positions, or no frequency.
        """
        frequency_mhz = mat.number("Trans", "frequency")
        if not mat.has("Trans", "ElementPos") or not frequency_mhz or frequency_mhz < 0:
            raise InputError(f"{mat.path}: Trans has no ElementPos or frequency; save it too")
        told = mat.number("Resource", "Parameters", "speedOfSound")
        speed = speed_of_sound_m_s or told
        notes = [] if speed else [f"speed of sound unknown: lens at {DEFAULT_SPEED_M_S:g} m/s"]
        by_frequency_m = (speed or DEFAULT_SPEED_M_S) / (1e6 * frequency_mhz)
        spacing, spacing_mm = mat.number("Trans", "spacing"), mat.number("Trans", "spacingMm")
        wavelength_m = 1e-3 * spacing_mm / spacing if spacing and spacing_mm else by_frequency_m
        if not np.isclose(wavelength_m, by_frequency_m, rtol=0.05) and speed:
            notes.append(
                f"lengths of Trans are in wavelengths of {1e3 * wavelength_m:.4g} mm (spacingMm), "
                f"not the {1e3 * by_frequency_m:.4g} mm of Trans.frequency"
            )
        unit_m = 1e-3 if mat.text("Trans", "units") == "mm" else wavelength_m
        position = np.asarray(mat.entries("Trans", "ElementPos")[0], dtype=np.float64)
        if position.ndim != 2 or position.shape[1] < 3 or not np.isfinite(position).all():
            raise InputError(f"{mat.path}: Trans.ElementPos is not elements × (x, y, z, …)")
        lens_m = unit_m * (mat.number("Trans", "lensCorrection", default=0.0) or 0.0)
        return cls(
            unit_m * position[:, :3],
            1e6 * frequency_mhz,
            wavelength_m,
            lens_m / (speed or DEFAULT_SPEED_M_S),
            _connector(mat),
            told,
            {"element_m": "Trans.ElementPos", "lens_s": "Trans.lensCorrection"}
            | ({"speed_of_sound_m_s": "Resource.Parameters.speedOfSound"} if told else {}),
            tuple(notes),
        )

    def columns(self, mat: MatFile, channels: int) -> Ints:
        """Return the column (elements,) of RcvData, from 0, that holds each element."""
        elements = len(self.element_m)
        column = np.arange(1, elements + 1) if self.connector is None else self.connector
        if column.max() > channels and channels == elements:  # saved in the order of elements
            column = np.arange(1, elements + 1)
        if len(column) != elements or column.min() < 1 or column.max() > channels:
            raise InputError(
                f"{mat.path}: Trans.Connector does not give one of the {channels} columns of "
                f"RcvData to each of {elements} elements; multiplexed arrays cannot be read"
            )
        return np.asarray(column - 1)

    def delay_s(self, mat: MatFile, transmit: int) -> Floats | None:
        """Return when each element (elements,) fires, None where TX does not tell."""
        if not mat.has("TX", "Delay"):
            return None
        delay_s = np.ravel(mat.entries("TX", "Delay")[transmit]) / self.frequency_hz
        if len(delay_s) != len(self.element_m):
            raise InputError(f"{mat.path}: TX.Delay does not give one delay to each element")
        return np.asarray(delay_s)


def _connector(mat: MatFile) -> Ints | None:
    """Return the channel of each element, None where Trans does not tell or is multiplexed."""
    for name in ("Connector", "ConnectorES"):
        if mat.has("Trans", name):
            return np.ravel(mat.entries("Trans", name)[0]).astype(np.int64)
    return None


def read_pulse(mat: MatFile, transmit: int) -> tuple[int, Floats | None, float | None]:
    """Return what a transmit sends.

    Returns:
        The number, from 1, of its waveform in TW, the simulated pressure (n,) at 250 MHz, and the
        frequency in Hz.
    """
    count = len(mat.entries("TW", "type")) if mat.has("TW", "type") else 0
    used = mat.column("TX", "waveform", default=1) if mat.has("TX", "waveform") else np.zeros(0)
    number = int(used[transmit]) if transmit < len(used) else transmit + 1
    if not 1 <= number <= count:
        return number, None, None
    fields = ("Wvfm1Wy", "Parameters")
    waveform, values = (
        mat.entries("TW", name)[number - 1] if mat.has("TW", name) else np.zeros(0)
        for name in fields
    )
    frequency_hz = 1e6 * float(np.ravel(values)[0]) if values.size else None
    return number, np.ravel(waveform).astype(np.float64) if waveform.size else None, frequency_hz
