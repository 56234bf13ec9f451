"""Recordings in zea files: HDF5 with raw data, the scan and the probe."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording
from bubbleloc.formats.transmits import Firing, choose_transmit, firing
from bubbleloc.formats.uff import number_of, values_of
from bubbleloc.formats.volts import Volts, in_element_order
from bubbleloc.hdf5 import StoredArray, check_own

WAVEFORM_RATE_HZ = 250e6  # of the waveforms in a file
SOURCES = {
    "sampling_rate_hz": "scan/sampling_frequency",
    "start_s": "initial_times − t0_delays at x = 0 − 2·lens_thickness/lens_sound_speed",
    "speed_of_sound_m_s": "scan/sound_speed",
    "element_m": "probe_geometry",
}


def _track(file: h5py.File, key: str | None) -> tuple[h5py.Group | None, tuple[str, ...]]:
    """Return the group of a track or an event, None in a file of another kind, and a note.

    A key is the name of the group, or the label of a track.
    """
    events = [file[name] for name in file if re.fullmatch(r"event_\d+", name)]
    events.sort(key=lambda event: int(event.name.rpartition("_")[2]))
    groups = [file, *(file["tracks"].values() if "tracks" in file else ()), *events]
    tracks = {g: _label(g) for g in groups if "data/raw_data" in g and "scan" in g}
    track = next((g for g in tracks if key in (None, g.name, g.name[1:], tracks[g])), None)
    if track is None or key is not None or len(tracks) == 1:
        return track, ()
    names = [g.name[1:] + (f" ({label})" if label else "") for g, label in tracks.items()]
    return track, (f"{names[0]} of {', '.join(names)} is read; see key=",)


def _label(track: h5py.Group) -> str | None:
    if "label" in track:
        check_own(Path(track.file.filename), track["label"])
    label = track["label"][()] if "label" in track else track.attrs.get("label")
    return label.decode() if isinstance(label, bytes) else label


def read_zea(file: OpenFile, hints: Hints) -> Recording | None:
    """Read raw data: the frames of the transmit nearest to straight down, or of ``transmit=``.

    Time 0 of the format is when the first element fires, and its depths begin at the elements.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    path, (track, notes) = file.path, _track(file.hdf5, hints.key)
    if track is None:
        return None
    scan, data = track["scan"], StoredArray(path, track["data/raw_data"])
    if data.ndim != 5 or data.shape[-1] not in (1, 2):
        raise InputError(f"{path}: raw_data of shape {data.shape} is not frames × … × 1 or 2")
    frames, transmits, samples, channels, parts = data.shape
    geometry = _geometry(path, file.hdf5, scan, channels)
    speed_m_s = hints.speed_of_sound_m_s or number_of(path, scan, "sound_speed")
    fired = _firing(path, scan, geometry, transmits, speed_m_s)
    angles = _angles(path, scan, fired, transmits)
    number, chosen = choose_transmit(path, angles, hints.transmit)
    element = _elements(path, scan, geometry, channels, number)
    lens_s, shot = _lens_s(path, file.hdf5), fired.get(number)
    origin_s = 0.0 if shot is None else shot.origin_s
    modulation_hz = _of_transmit(path, scan, "demodulation_frequency", number)

    def piece(frame: int, wanted: slice) -> Any:
        block = data[frame, number, :, wanted]
        return (block[..., 0] + 1j * block[..., 1] if parts == 2 else block[..., 0]).T

    ordered, element = in_element_order(piece, element)
    recording = Recording(
        path,
        Volts(path, (frames, channels, samples), ordered),
        number_of(path, scan, "sampling_frequency"),
        (_of_transmit(path, scan, "initial_times", number) or 0.0) - origin_s - 2 * lens_s,
        number_of(path, scan, "sound_speed"),
        None if geometry is None else geometry[element],
        _of_transmit(path, scan, "center_frequency", number),
        lens_s,
        None if shot is None else shot.delay_s[element],
        angles[number],
        sources=SOURCES,
        notes=(*notes, *chosen, *(() if shot is None else shot.notes)),
        # the carrier starts with the first sample
        carrier=None if parts == 1 else Carrier(modulation_hz or None, 0.0),
    )
    gain = values_of(path, scan, "tgc_gain_curve")
    if gain is not None and gain.size == samples:
        recording = recording.without_gain(np.ravel(gain), "scan/tgc_gain_curve")
    return _with_pulse(recording, path, file.hdf5, _waveform(path, scan, number, transmits))


def _with_pulse(
    recording: Recording, path: Path, file: h5py.File, waveform: Floats | None
) -> Recording:
    """Return the recording with the transmitted pressure and the band of the probe."""
    percent = number_of(path, file, "probe/probe_bandwidth_percent")
    return replace(
        recording,
        waveform=waveform,
        waveform_rate_hz=None if waveform is None else WAVEFORM_RATE_HZ,
        probe_hz=number_of(path, file, "probe/probe_center_frequency"),
        probe_bandwidth=None if percent is None else percent / 100,
    )


def _geometry(path: Path, file: h5py.File, scan: h5py.Group, channels: int) -> Floats | None:
    """Return the positions (elements, 3) of the probe's elements, None where none are told."""
    geometry = values_of(path, scan, "probe_geometry")
    geometry = values_of(path, file, "probe/probe_geometry") if geometry is None else geometry
    if geometry is not None and (geometry.ndim != 2 or geometry.shape[1] != 3):
        raise InputError(f"{path}: probe_geometry {geometry.shape} is not elements × (x, y, z)")
    if geometry is not None and len(geometry) != channels and "rx_aperture_indices" not in scan:
        raise InputError(
            f"{path}: probe_geometry {geometry.shape} of {channels} elements, and no "
            "rx_aperture_indices that name them"
        )
    return geometry


def _elements(
    path: Path, scan: h5py.Group, geometry: Floats | None, channels: int, number: int
) -> Ints:
    """Return the element (channels,) of each channel of a transmit, from 0."""
    elements = channels if geometry is None else len(geometry)
    named = values_of(path, scan, "rx_aperture_indices")
    element = np.arange(channels) if named is None else named[number].astype(np.int64)
    if element.shape != (channels,) or element.min() < 0 or element.max() >= elements:
        raise InputError(
            f"{path}: rx_aperture_indices do not give one of {elements} elements to each of "
            f"{channels} channels"
        )
    return element


def _firing(
    path: Path, scan: h5py.Group, geometry: Floats | None, count: int, speed_m_s: float | None
) -> dict[int, Firing]:
    """Return when the elements fire in every transmit, none where the file does not tell."""
    delay_s = values_of(path, scan, "t0_delays")
    if delay_s is None or geometry is None:
        return {}
    if delay_s.shape != (count, len(geometry)):
        raise InputError(
            f"{path}: t0_delays {delay_s.shape} of {count} transmits, {len(geometry)} elements"
        )
    weight = values_of(path, scan, "tx_apodizations")
    weight = np.ones_like(delay_s) if weight is None else weight
    return {n: firing(geometry, delay_s[n], weight[n], speed_m_s) for n in range(count)}


def _angles(
    path: Path, scan: h5py.Group, fired: dict[int, Firing], count: int
) -> dict[int, float | None]:
    """Return the angle of every transmit: told, else of its delays; None where unknown."""
    told = values_of(path, scan, "polar_angles")
    if told is not None:
        return {n: float(angle) for n, angle in enumerate(np.resize(told, count))}
    return {n: fired[n].angle_rad if n in fired else None for n in range(count)}


def _waveform(path: Path, scan: h5py.Group, number: int, transmits: int) -> Floats | None:
    """Return the transmitted pressure (n,) of a transmit; None where the file does not tell."""
    rows = values_of(path, scan, "waveforms_one_way")
    if rows is None or rows.ndim != 2 or len(rows) != transmits or not rows[number].any():
        return None
    return np.asarray(rows[number]) if np.isfinite(rows[number]).all() else None


def _lens_s(path: Path, file: h5py.File) -> float:
    """Return the time through the lens, one way."""
    lens_m = number_of(path, file, "probe/lens_thickness") or 0.0
    return lens_m / (number_of(path, file, "probe/lens_sound_speed") or np.inf)


def _of_transmit(path: Path, scan: h5py.Group, name: str, number: int) -> float | None:
    """Return a number of a transmit; one that stands alone holds for all."""
    values = values_of(path, scan, name)
    return None if values is None else float(np.ravel(values)[number if values.size > 1 else 0])
