"""Recordings in UFF (USTB) and PICMUS files: HDF5 with channel data and the array's geometry."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.files import StoredArray, check_hdf5
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording, choose_transmit
from bubbleloc.formats.volts import Volts

SOURCES = {
    "sampling_rate_hz": "sampling_frequency",
    "start_s": "initial_time + delay of the wave",
    "speed_of_sound_m_s": "sound_speed",
    "element_m": "probe geometry",
}
NEEDED = ("data", "sampling_frequency", "initial_time")


def _channel_data(file: h5py.File, key: str | None) -> h5py.Group | None:
    """Return the group of channel data, or None where the file is not of this kind."""
    found: list[h5py.Group] = []

    def collect(_: str, item: object) -> None:
        if isinstance(item, h5py.Group) and all(name in item for name in NEEDED):
            found.append(item)

    file.visititems(collect)
    return next((group for group in found if key in (None, group.name, group.name[1:])), None)


def read_uff(file: OpenFile, hints: Hints) -> Recording | None:
    """Read channel data: the frames of the wave nearest to straight down, or of ``transmit=``.

    Time 0 of the format is when the wave passes the origin, so its times are ours.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    path, group = file.path, _channel_data(file.hdf5, hints.key)
    if group is None:
        return None
    data = group["data"]
    parts = [data] if isinstance(data, h5py.Dataset) else [data["real"], data["imag"]]
    stored = [StoredArray(path, part) for part in parts]
    missing = 4 - stored[0].ndim
    frames, waves, elements, samples = (1,) * missing + stored[0].shape
    geometry = values_of(path, group, "probe/geometry", "probe_geometry")
    if geometry is not None and geometry.shape[-1] != elements:
        raise InputError(f"{path}: {elements} channels, positions of {geometry.shape[-1]} elements")
    angles, delays = _waves(path, group, waves)
    wave, notes = choose_transmit(path, dict(enumerate(angles)), hints.transmit)
    start_s = (number_of(path, group, "initial_time") or 0.0) + delays[wave]
    modulation_hz = number_of(path, group, "modulation_frequency")  # 0 where data are RF lines

    def piece(frame: int, wanted: slice) -> Any:
        place = (frame, wave, wanted)[missing:]
        parts = [array[place] for array in stored]
        return parts[0] + 1j * parts[1] if modulation_hz else parts[0]

    return Recording(
        path,
        Volts(path, (frames, elements, samples), piece),
        number_of(path, group, "sampling_frequency"),
        start_s,
        number_of(path, group, "sound_speed"),
        None if geometry is None else np.asarray(geometry[:3].T, dtype=np.float64),
        number_of(path, group, "pulse/center_frequency"),
        angle_rad=float(angles[wave]),
        sources=SOURCES,
        notes=notes,
        carrier=Carrier(modulation_hz, start_s) if modulation_hz else None,
    )


def _waves(path: Path, group: h5py.Group, count: int) -> tuple[Floats, Floats]:
    """Return angle in rad and delay in s of every wave, 0 where the file does not tell."""
    angles = values_of(path, group, "angles")
    if angles is not None and angles.size == count:  # PICMUS
        return np.ravel(angles), np.zeros(count)
    sequence = group.get("sequence", {})
    waves = [sequence] if "source" in sequence else [sequence[name] for name in sorted(sequence)]
    if len(waves) != count:
        return np.zeros(count), np.zeros(count)
    found = [
        [number_of(path, wave, name) or 0.0 for wave in waves]
        for name in ("source/azimuth", "delay")
    ]
    return np.array(found[0]), np.array(found[1])


def values_of(path: Path, group: h5py.Group, *names: str) -> Any:
    """Return the first array of some names that is there, or None."""
    for name in names:
        if isinstance(item := group.get(name), h5py.Dataset):
            check_hdf5(path, item, whole=True)
            return np.asarray(item[()], dtype=np.float64)
    return None


def number_of(path: Path, group: h5py.Group, name: str) -> float | None:
    """Return a number that a group holds, or None."""
    values = values_of(path, group, name)
    return None if values is None or values.size == 0 else float(values.flat[0])
