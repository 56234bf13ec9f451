"""Recordings with a struct ``param`` of MUST (MATLAB or Python) beside the array."""

from dataclasses import replace
from typing import Any

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.formats.conditioning import undersampled_to_iq
from bubbleloc.formats.containers import choose_array
from bubbleloc.formats.plain import plain_recording
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording
from bubbleloc.formats.transmits import choose_transmit, firing
from bubbleloc.matfile import MatFile

NAMES = ("param", "Param", "PARAM")
BAND = 0.75  # of the frequency, where param has no bandwidth
FACTS = {"sampling_rate_hz": "fs", "speed_of_sound_m_s": "c", "start_s": "t0"}
SIMUS = (
    "time 0 of lines of SIMUS is the middle of the pulse: their echoes are found early by half of "
    "it, which calibrate= measures"
)


def read_must(file: OpenFile, hints: Hints) -> Recording | None:
    """Read lines, samples × elements (× frames), with the rate, start and array of ``param``.

    RF that was sampled more slowly than its band needs becomes complex samples, by ``param.fc``.

    Raises:
        InputError: there is no ``param.fs``, or the array does not fit ``param``.
    """
    mat = file.mat
    name = next((name for name in NAMES if mat.has(name, "fs")), None)
    if name is None:
        return None
    told = {fact: mat.number(name, field) for fact, field in FACTS.items()}
    facts = {fact: value for fact, value in told.items() if value is not None}
    sources = {fact: f"{name}.{FACTS[fact]}" for fact in facts}
    arrays = mat.lines_arrays(name)
    key = hints.key or next((key for key in ("RF", "rf", "SIG", "IQ") if key in arrays), None)
    array = arrays[choose_array(mat.path, {n: a.seen for n, a in arrays.items()}, key)]
    if hints.axes is None and not hints.transpose and len(array.seen) > 1:
        hints = replace(hints, axes=("samples", "elements", "frames")[: len(array.seen)])
    recording = plain_recording(mat.path, array.stored, facts, hints, sources, mat.is_hdf5)
    return _with_array(_as_iq(recording, mat, name), mat, name, hints)


def _as_iq(recording: Recording, mat: MatFile, name: str) -> Recording:
    """Return complex samples where the lines are, or where they are RF sampled too slowly."""
    carrier_hz, percent = mat.number(name, "fc"), mat.number(name, "bandwidth")
    band = BAND if percent is None else percent / 100
    recording = replace(
        recording, frequency_hz=carrier_hz, probe_hz=carrier_hz, probe_bandwidth=band
    )
    if recording.carrier is not None:  # RF2IQ mixes by the clock of t0
        return replace(recording, carrier=Carrier(carrier_hz, recording.start_s))
    rate_hz = recording.sampling_rate_hz
    if carrier_hz is None or not rate_hz:
        return recording
    if rate_hz >= 2 * carrier_hz * (1 + band / 2):
        return recording
    try:
        step = undersampled_to_iq(carrier_hz, rate_hz)
    except InputError as error:
        raise InputError(f"{mat.path}: {error}") from None
    return recording.as_iq(step, recording.samples, carrier_hz)


def _with_array(recording: Recording, mat: MatFile, name: str, hints: Hints) -> Recording:
    """Return the recording with the array of ``param`` and the transmit of its delays."""
    element_m = _element_m(mat, name, recording.elements)
    recording = recording.noting(SIMUS)
    if element_m is None:
        return recording
    sources = {**recording.sources, "element_m": f"{name}.pitch"}
    recording = replace(recording, element_m=element_m, sources=sources)
    if not mat.has(name, "TXdelay"):
        return recording
    delays = np.atleast_2d(np.asarray(mat.entries(name, "TXdelay")[0], dtype=np.float64))
    if delays.shape[1] != recording.elements:
        raise InputError(
            f"{mat.path}: {name}.TXdelay {delays.shape} of {recording.elements} elements"
        )
    delays = np.nan_to_num(delays)
    speed = hints.speed_of_sound_m_s or recording.speed_of_sound_m_s
    apodization = ("TXapodization",)
    weight = np.ravel(mat.entries(name, *apodization)[0]) if mat.has(name, *apodization) else None
    shots = {n: firing(element_m, delay, weight, speed) for n, delay in enumerate(delays)}
    number, notes = choose_transmit(
        mat.path, {n: shot.angle_rad for n, shot in shots.items()}, hints.transmit
    )
    shot = shots[number]
    start = recording.sources.get("start_s", "0")
    return replace(
        recording,
        start_s=recording.start_s - shot.origin_s,
        delay_s=shot.delay_s,
        angle_rad=shot.angle_rad,
        sources={**sources, "start_s": f"{start} − {name}.TXdelay at x = 0"},
        notes=(*recording.notes, *notes, *shot.notes),
    )


def _element_m(mat: MatFile, name: str, elements: int) -> Floats | None:
    """Return the positions (elements, 3) of a linear or convex array; None without a pitch.

    The ends of a convex array lie at z = 0, as in MUST.
    """
    pitch_m, count = mat.number(name, "pitch"), mat.number(name, "Nelements")
    if pitch_m is None:
        return None
    if count is not None and count != elements:
        raise InputError(f"{mat.path}: {name}.Nelements is {count:g}, and lines are {elements}")
    order = np.arange(elements) - (elements - 1) / 2
    radius_m = mat.number(name, "radius")
    position: Any = np.zeros((elements, 3))
    if radius_m is None:  # none, or infinite: linear
        position[:, 0] = order * pitch_m
        return position
    angle = 2 * np.arcsin(pitch_m / (2 * radius_m)) * order
    position[:, 0] = radius_m * np.sin(angle)
    position[:, 2] = radius_m * (np.cos(angle) - np.cos(angle[-1]))
    return position
