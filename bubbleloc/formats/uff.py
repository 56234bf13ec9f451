"""Recordings in UFF (USTB) and PICMUS files: HDF5 with channel data and the array's geometry."""

from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording
from bubbleloc.formats.transmits import choose_transmit
from bubbleloc.formats.volts import Piece, Volts
from bubbleloc.hdf5 import StoredArray, check_hdf5, visit

SOURCES = {
    "sampling_rate_hz": "sampling_frequency",
    "start_s": "initial_time + delay of the wave",
    "speed_of_sound_m_s": "sound_speed",
    "element_m": "probe geometry",
}
NEEDED = ("data", "sampling_frequency", "initial_time")
PLANE, PHOTOACOUSTIC = 0, 2  # numbers of kinds of waves


def _channel_data(file: OpenFile, key: str | None) -> tuple[h5py.Group | None, tuple[str, ...]]:
    """Return the group of channel data, None in a file of another kind, and a note on others."""
    groups: list[h5py.Group] = []

    def collect(_: str, item: object) -> None:
        if isinstance(item, h5py.Group) and all(name in item for name in NEEDED):
            groups.append(item)

    visit(file.path, file.hdf5, collect)
    group = next((group for group in groups if key in (None, group.name, group.name[1:])), None)
    names = ", ".join(group.name[1:] for group in groups)
    several = group is not None and key is None and len(groups) > 1
    return group, (f"the first of {names} is read; see key=",) if several else ()


def read_uff(file: OpenFile, hints: Hints) -> Recording | None:
    """Read channel data: the frames of the wave nearest to straight down, or of ``transmit=``.

    Time 0 of the format is when the wave passes the origin, so its times are ours. The carrier of
    complex samples runs on the clock of ``initial_time``, which does not know the wave's delay.

    Raises:
        InputError: what is needed is not there, or contradicts itself.
    """
    path, (group, notes) = file.path, _channel_data(file, hints.key)
    if group is None:
        return None
    stored = _stored(path, group["data"])
    frames, count, elements, samples = (1,) * (4 - stored[0].ndim) + stored[0].shape
    geometry = values_of(path, group, "probe/geometry", "probe_geometry")
    if geometry is not None and geometry.shape[-1] != elements:
        raise InputError(f"{path}: {elements} channels, positions of {geometry.shape[-1]} elements")
    waves = _waves(path, group, count)
    angles = {number: wave.off_axis_rad for number, wave in enumerate(waves)}
    number, chosen = choose_transmit(path, angles, hints.transmit)
    if waves[number].wavefront == PHOTOACOUSTIC:
        raise InputError(
            f"{path}: wave {number} is photoacoustic: its sound goes one way, and depths of this "
            "package are those of echoes"
        )
    initial_s = number_of(path, group, "initial_time") or 0.0
    told_hz = number_of(path, group, "modulation_frequency") or None
    piece, is_iq = _samples(path, stored, number, told_hz or hints.modulation_hz)
    return Recording(
        path,
        Volts(path, (frames, elements, samples), piece),
        number_of(path, group, "sampling_frequency"),
        initial_s + waves[number].delay_s,
        number_of(path, group, "sound_speed"),
        None if geometry is None else np.asarray(geometry[:3].T, dtype=np.float64),
        number_of(path, group, "pulse/center_frequency"),
        delay_s=waves[number].delays_s(geometry, number_of(path, group, "sound_speed")),
        angle_rad=waves[number].angle_rad,
        probe_bandwidth=number_of(path, group, "pulse/fractional_bandwidth"),
        sources=SOURCES,
        notes=(*notes, *chosen),
        carrier=Carrier(told_hz, initial_s) if is_iq else None,
    )


def _stored(path: Path, data: h5py.Dataset | h5py.Group) -> list[StoredArray]:
    """Return the array of the samples, or those of their real and imaginary parts."""
    parts = [data] if isinstance(data, h5py.Dataset) else [data["real"], data["imag"]]
    return [StoredArray(path, part) for part in parts]


def _samples(
    path: Path, stored: list[StoredArray], wave: int, modulation_hz: float | None
) -> tuple[Piece, bool]:
    """Return what reads the samples of a wave, and whether they are complex (IQ).

    RF lines, too, are written as complex numbers; their imaginary part is 0.

    Raises:
        InputError: samples that were modulated, and are real.
    """
    missing = 4 - stored[0].ndim
    is_complex = stored[0].dtype.kind == "c" or len(stored) > 1
    if modulation_hz and not is_complex:
        raise InputError(
            f"{path}: real samples with a modulation of {modulation_hz:g} Hz: complex ones, "
            "data/real and data/imag, are needed to undo it"
        )

    def block(frame: int, wanted: slice) -> Any:
        parts = [array[(frame, wave, wanted)[missing:]] for array in stored]
        return parts[0] + 1j * parts[1] if len(parts) > 1 else parts[0]

    is_iq = is_complex and bool(modulation_hz or np.imag(block(0, slice(None))).any())

    def piece(frame: int, wanted: slice) -> Any:
        return block(frame, wanted) if is_iq else np.real(block(frame, wanted))

    return piece, is_iq


class Wave(NamedTuple):
    """What a file tells of a transmitted wave.

    Attributes:
        delay_s: from the clock of ``initial_time`` to that of the wave.
        angle_rad: towards +x, of where it goes at the origin.
        off_axis_rad: between there and straight down, below 0 on the side of −x.
        wavefront: number of its kind.
        source_m: place (3,) of the source of a spherical wave; None of a plane one.
    """

    delay_s: float
    angle_rad: float
    off_axis_rad: float
    wavefront: int
    source_m: Floats | None = None

    def delays_s(self, geometry: Floats | None, speed_m_s: float | None) -> Floats | None:
        """Return when the elements of a spherical wave fire, after it passes the origin."""
        if self.source_m is None or geometry is None or not speed_m_s:
            return None
        way_m = np.linalg.norm(geometry[:3].T - self.source_m, axis=1)
        later_m = way_m - float(np.linalg.norm(self.source_m))
        return np.asarray(later_m * (-np.sign(self.source_m[2]) or -1.0) / speed_m_s)


def _waves(path: Path, group: h5py.Group, count: int) -> list[Wave]:
    """Return every wave, straight down and without delay where the file does not tell."""
    angles = values_of(path, group, "angles")
    if angles is not None and angles.size == count:  # PICMUS
        return [Wave(0.0, angle, angle, PLANE) for angle in np.ravel(angles).tolist()]
    sequence = group.get("sequence", {})
    groups = [sequence] if "source" in sequence else [sequence[name] for name in sorted(sequence)]
    if len(groups) != count:
        return [Wave(0.0, 0.0, 0.0, PLANE)] * count
    return [_wave(path, wave) for wave in groups]


def _wave(path: Path, wave: h5py.Group) -> Wave:
    """Return a wave; one from a source behind the array goes away from it."""
    distance, azimuth, elevation, delay_s = (
        number_of(path, wave, name) or 0.0
        for name in ("source/distance", "source/azimuth", "source/elevation", "delay")
    )
    kind = number_of(path, wave, "wavefront")
    x, y = np.sin(azimuth) * np.cos(elevation), np.sin(elevation)
    z = np.cos(azimuth) * np.cos(elevation)
    side = -1 if z < 0 and 0 < distance < np.inf else 1
    x, y, z = side * x, side * y, side * z
    angle, off_axis = float(np.arctan2(x, z)), float(np.arctan2(np.hypot(x, y), z))
    kind = PLANE if kind is None else int(kind)
    is_plane = kind == PLANE or not 0 < distance < np.inf
    source_m = None if is_plane else distance * side * np.array([x, y, z])
    return Wave(delay_s, angle, np.copysign(off_axis, angle), kind, source_m)


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
