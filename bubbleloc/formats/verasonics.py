"""Recordings of a Verasonics system: ``.mat`` files of the workspace that VSX leaves."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.conditioning import Step, pairs_to_iq, undersampled_to_iq
from bubbleloc.formats.recording import Hints, OpenFile, Recording
from bubbleloc.formats.trans import RESPONSE, Probe, angles_of, read_pulse
from bubbleloc.formats.transmits import choose_transmit
from bubbleloc.formats.volts import Volts
from bubbleloc.matfile import VERASONICS_RATE_HZ, MatFile

TGC_STEP_S = 0.8e-6  # between the values of TGC.Waveform
TGC_DB, TGC_TOP = 40.0, 1023.0  # gain of the highest value
UNIFORM_MODES = ("NS200BW", "custom", "")
PAIR_CYCLES = {"BS100BW": 1, "BS50BW": 2}  # of the carrier, from one pair of samples to the next
THIRD_MODE = "BS67BW"  # every third of four samples per cycle
SOURCES = {
    "sampling_rate_hz": "Receive.decimSampleRate",
    "start_s": "2·Receive.startDepth − TX.Delay at x = 0 − 2·Trans.lensCorrection",
    "frequency_hz": "TW or Trans",
}
FIELDS = {
    **dict.fromkeys(("bufnum", "framenum", "acqNum", "startSample", "endSample", "TGC"), 1.0),
    "startDepth": 0.0,
}
"""Numbers that every Receive has, and what they are where it does not tell."""
MAYBE = {"decimSampleRate": np.nan, "quadDecim": 1.0, "demodFrequency": np.nan, "aperture": np.nan}
"""Numbers that a Receive may have."""


def read_verasonics(file: OpenFile, hints: Hints) -> Recording | None:
    """Read the frames of one transmit: the one nearest to straight down, or ``transmit=``.

    Every acquisition with that transmit is a frame, so that super-frames come apart, in the order
    of time. Bandwidth sampling becomes complex samples (IQ). Elements that the multiplexer left
    unconnected are left out.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    mat, key = file.mat, hints.key
    if "RcvData" not in mat.names or not (key is None or key.startswith("RcvData")):
        return None
    probe = Probe.read(mat, hints.speed_of_sound_m_s)
    receive = _receives(mat)
    data, buffer, mine = _choose_buffer(mat, key, receive)
    angles = angles_of(mat, probe, receive["tx"][mine])
    transmit, notes = choose_transmit(mat.path, angles, hints.transmit)
    chosen = np.flatnonzero(mine & (receive["tx"] == transmit))
    acquisitions = _in_order(mat, receive, chosen, buffer)
    samples, start_depth = _common(mat, receive, acquisitions)
    volts, connected = _lines(mat, data, receive, acquisitions, samples, probe)
    sampling = _sampling(mat, receive, acquisitions)
    shot = probe.firing(mat, transmit)
    begin_s = 2 * start_depth / probe.frequency_hz
    number, waveform, frequency_hz = read_pulse(mat, transmit)
    recording = Recording(
        mat.path,
        volts,
        sampling.rate_hz,
        begin_s - (0.0 if shot is None else shot.origin_s) - 2 * probe.lens_s,
        probe.speed_of_sound_m_s,
        probe.element_m[connected],
        frequency_hz or probe.frequency_hz,
        probe.lens_s,
        None if shot is None else shot.delay_s[connected],
        angles[transmit],
        waveform,
        None if waveform is None else VERASONICS_RATE_HZ,
        waveform_file=None if waveform is None else f"{mat.path}:{number}",
        transducer_file=str(mat.path) if mat.has_all("Trans", RESPONSE) else None,
        probe_hz=probe.center_hz,
        probe_bandwidth=probe.bandwidth,
        sources=SOURCES | probe.sources | sampling.sources,
        notes=(*probe.notes, *notes, *(() if shot is None else shot.notes)),
    ).as_iq(sampling.step, sampling.samples(samples), sampling.carrier_hz)
    recording = _noting_unconnected(recording, connected)
    time_s = begin_s + np.arange(recording.samples) / sampling.rate_hz
    return _without_gain(mat, int(receive["TGC"][acquisitions[0]]), time_s, recording)


def _noting_unconnected(recording: Recording, connected: Any) -> Recording:
    if connected.all():
        return recording
    return recording.noting(
        f"{np.sum(~connected)} of {connected.size} elements were not connected and are left out"
    )


def _receives(mat: MatFile) -> dict[str, Floats]:
    """Return columns (n,) over the entries of Receive, with the transmit of each, from 0."""
    if not mat.has("Receive", "startSample") or not mat.has("Receive", "endSample"):
        raise InputError(
            f"{mat.path} has RcvData but no Receive.startSample and endSample: save Receive, "
            "Trans, TX, TW, TGC and Resource after VSX has run, or give key= to read a plain array"
        )
    n = len(mat.column("Receive", "startSample"))
    columns = {
        name: mat.column("Receive", name, default=default)
        if mat.has("Receive", name)
        else np.full(n, default)
        for name, default in (FIELDS | MAYBE).items()
    }
    if any(len(column) != n for column in columns.values()) or not all(
        np.isfinite(columns[name]).all() for name in FIELDS
    ):
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


def _choose_buffer(mat: MatFile, key: str | None, receive: Any) -> tuple[Any, int, Any]:
    """Choose the buffer that is asked for, else the first with lines.

    Returns:
        Its array, its number, from 1, and whether each Receive (n,) writes to it.
    """
    cells = mat.cells("RcvData")
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
    if len(cells) == 1:
        return cells[0], number, receive["bufnum"] > 0
    return cells[number - 1], number, receive["bufnum"] == number


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


class Sampling(NamedTuple):
    """How an acquisition was sampled.

    Attributes:
        rate_hz: of the samples after the step.
        step: what makes complex samples of those in the file; None where they are RF.
        carrier_hz: frequency that the step shifts to 0.
        halves: whether two samples in the file are a complex one.
    """

    rate_hz: float
    step: Step | None = None
    carrier_hz: float | None = None
    halves: bool = False

    @property
    def sources(self) -> dict[str, str]:
        """Where its facts come from, beside `SOURCES`."""
        return {} if self.step is None else {"sampling_rate_hz": "Receive.sampleMode"}

    def samples(self, stored: int) -> int:
        """Return the samples after the step."""
        return stored // 2 if self.halves else stored


def _sampling(mat: MatFile, receive: Any, acquisitions: Ints) -> Sampling:
    """Return how acquisitions were sampled.

    Raises:
        InputError: they differ, or it is unknown.
    """
    modes = mat.texts("Receive", "sampleMode") if mat.has("Receive", "sampleMode") else []
    used = {modes[n] if n < len(modes) else "" for n in acquisitions.tolist()}
    names = ("decimSampleRate", "quadDecim", "demodFrequency")
    numbers = np.unique([receive[name][acquisitions] for name in names], axis=1, equal_nan=False)
    numbers = np.unique(np.nan_to_num(numbers, nan=-1.0), axis=1)
    if len(used) != 1 or numbers.shape[1] != 1:
        raise InputError(
            f"{mat.path}: acquisitions of one transmit that were sampled differently, in modes "
            f"{', '.join(sorted(used))}, at decimSampleRate {np.unique(numbers[0]).tolist()}; "
            "choose others with transmit= or key="
        )
    (mode,), (rate_mhz, quads, carrier_mhz) = used, numbers[:, 0].tolist()
    if rate_mhz <= 0:
        raise InputError(f"{mat.path}: Receive has no decimSampleRate; save it after VSX has run")
    if mode in UNIFORM_MODES:
        return Sampling(1e6 * rate_mhz / (quads if quads > 0 else 1.0))
    if mode not in (*PAIR_CYCLES, THIRD_MODE):
        raise InputError(
            f"{mat.path}: Receive.sampleMode is {mode!r}, which is not read: record with 'NS200BW'"
        )
    per_cycle = 2 / PAIR_CYCLES[mode] if mode in PAIR_CYCLES else 4 / 3
    carrier_mhz = carrier_mhz if carrier_mhz > 0 else rate_mhz / 4
    if not np.isclose(rate_mhz / carrier_mhz, [4, per_cycle], rtol=1e-3).any():
        raise InputError(
            f"{mat.path}: sampleMode {mode!r} with a decimSampleRate of {rate_mhz:g} MHz, which is "
            f"neither 4 nor {per_cycle:.3g} times the demodFrequency, {carrier_mhz:g} MHz"
        )
    carrier_hz = 1e6 * carrier_mhz
    if mode in PAIR_CYCLES:
        cycles = PAIR_CYCLES[mode]
        return Sampling(carrier_hz / cycles, pairs_to_iq(carrier_hz, cycles), carrier_hz, True)
    rate_hz = 4 * carrier_hz / 3
    return Sampling(rate_hz, undersampled_to_iq(carrier_hz, rate_hz), carrier_hz)


def _lines(
    mat: MatFile, data: Any, receive: Any, acquisitions: Ints, samples: int, probe: Probe
) -> tuple[Volts, Any]:
    """Return lines of a buffer (rows, channels, frames), in the order of the elements.

    Returns:
        The lines, and whether each element (elements,) of the probe was connected.
    """
    shape = data.shape[::-1] if mat.is_hdf5 else data.shape
    rows, channels, frames = (*shape, 1)[:3]
    first = receive["startSample"][acquisitions].astype(int) - 1
    place = receive["framenum"][acquisitions].astype(int) - 1
    if first.min() < 0 or first.max() + samples > rows or place.min() < 0 or place.max() >= frames:
        raise InputError(
            f"{mat.path}: Receive names samples {first.min() + 1} to {first.max() + samples} of "
            f"frames up to {place.max() + 1}, and RcvData holds {rows} of {frames}"
        )
    apertures = np.unique(np.nan_to_num(receive["aperture"][acquisitions], nan=-1.0))
    if len(apertures) > 1:
        raise InputError(
            f"{mat.path}: acquisitions of one transmit with apertures {apertures.tolist()} of the "
            "multiplexer; choose others with transmit= or key="
        )
    aperture = float(apertures[0]) if apertures[0] > 0 else np.nan
    columns = probe.columns(mat, channels, aperture)
    column = columns[columns >= 0]

    def piece(frame: int, elements: slice) -> Any:
        wanted, back = np.unique(column[elements], return_inverse=True)
        begin = first[frame]
        block: tuple[Any, ...] = (slice(begin, begin + samples), wanted, place[frame])[: len(shape)]
        found = data[block[::-1]] if mat.is_hdf5 else data[block].T
        return found[back]

    volts = Volts(mat.path, (len(acquisitions), len(column), samples), piece)
    return volts, columns >= 0


def _without_gain(mat: MatFile, number: int, time_s: Floats, recording: Recording) -> Recording:
    """Return a recording with the gain of a curve of TGC undone, if the file has one.

    Args:
        time_s: of the samples, after the transmit.
    """
    if not (mat.has("TGC", "Waveform") and mat.entries("TGC", "Waveform")[0].size):
        return recording.noting("the gain is unknown: no TGC in the file")
    curves = mat.entries("TGC", "Waveform")
    value = np.ravel(curves[min(number, len(curves)) - 1]).astype(np.float64)
    value = np.interp(time_s, np.arange(value.size) * TGC_STEP_S, value)
    return recording.without_gain(10 ** (TGC_DB * value / TGC_TOP / 20), "TGC")
