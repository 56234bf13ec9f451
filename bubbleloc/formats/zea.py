"""Recordings in zea files: HDF5 with raw data, the scan and the probe."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import StoredArray
from bubbleloc.formats.recording import (
    Carrier,
    Hints,
    OpenFile,
    Recording,
    choose_transmit,
    delay_at_origin_s,
)
from bubbleloc.formats.uff import number_of, values_of
from bubbleloc.formats.volts import Volts

SOURCES = {
    "sampling_rate_hz": "scan/sampling_frequency",
    "start_s": "initial_times − t0_delays at x = 0 − 2·lens_thickness/lens_sound_speed",
    "speed_of_sound_m_s": "scan/sound_speed",
    "element_m": "probe_geometry",
}


def _track(file: h5py.File, key: str | None) -> h5py.Group | None:
    """Return the group with data and scan of a track, or None in a file of another kind."""
    tracks = [file, *(file["tracks"].values() if "tracks" in file else ())]
    found = [track for track in tracks if "data/raw_data" in track and "scan" in track]
    return next((track for track in found if key in (None, track.name, track.name[1:])), None)


def read_zea(file: OpenFile, hints: Hints) -> Recording | None:
    """Read raw data: the frames of the transmit nearest to straight down, or of ``transmit=``.

    Time 0 of the format is when the first element fires, and its depths begin at the elements.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    path, track = file.path, _track(file.hdf5, hints.key)
    if track is None:
        return None
    scan, data = track["scan"], StoredArray(path, track["data/raw_data"])
    if data.ndim != 5 or data.shape[-1] not in (1, 2):
        raise InputError(f"{path}: raw_data of shape {data.shape} is not frames × … × 1 or 2")
    frames, transmits, samples, elements, parts = data.shape
    angle = values_of(path, scan, "polar_angles")
    angle = np.zeros(transmits) if angle is None else np.resize(angle, transmits)
    number, notes = choose_transmit(path, dict(enumerate(angle)), hints.transmit)
    geometry = values_of(path, scan, "probe_geometry")
    geometry = values_of(path, file.hdf5, "probe/probe_geometry") if geometry is None else geometry
    if geometry is not None and geometry.shape != (elements, 3):
        raise InputError(f"{path}: probe_geometry {geometry.shape} of {elements} elements")
    start_s, lens_s, delay_s = _timing(path, file.hdf5, scan, geometry, number)

    def piece(frame: int, wanted: slice) -> Any:
        found = data[frame, number, :, wanted]
        return (found[..., 0] + 1j * found[..., 1] if parts == 2 else found[..., 0]).T

    modulation_hz = number_of(path, scan, "demodulation_frequency") or None
    recording = Recording(
        path,
        Volts(path, (frames, elements, samples), piece),
        number_of(path, scan, "sampling_frequency"),
        start_s,
        number_of(path, scan, "sound_speed"),
        geometry,
        number_of(path, scan, "center_frequency"),
        lens_s,
        delay_s,
        float(angle[number]),
        sources=SOURCES,
        notes=notes,
        # the carrier starts with the first sample
        carrier=None if parts == 1 else Carrier(modulation_hz, 0.0),
    )
    gain = values_of(path, scan, "tgc_gain_curve")
    if gain is not None and gain.size == samples:
        recording = recording.without_gain(np.ravel(gain), "scan/tgc_gain_curve")
    return recording


def _timing(
    path: Path, file: h5py.File, scan: h5py.Group, geometry: Floats | None, number: int
) -> tuple[float, float, Floats | None]:
    """Return the start of a transmit's record, the time through the lens, and its delays."""
    initial_s, delays_s = values_of(path, scan, "initial_times"), values_of(path, scan, "t0_delays")
    begin_s = 0.0 if initial_s is None else float(np.ravel(initial_s)[number])
    lens_m = number_of(path, file, "probe/lens_thickness") or 0.0
    lens_s = lens_m / (number_of(path, file, "probe/lens_sound_speed") or np.inf)
    if delays_s is None or geometry is None:
        return begin_s - 2 * lens_s, lens_s, None
    delay_s = np.asarray(delays_s[number])
    return begin_s - delay_at_origin_s(geometry, delay_s) - 2 * lens_s, lens_s, delay_s
