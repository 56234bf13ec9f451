"""Recordings in URX files (Ultrasound Raw data eXchange 1.4): HDF5 with samples in one row."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bubbleloc.arrays import Floats, Ints
from bubbleloc.errors import InputError
from bubbleloc.formats.recording import Carrier, Hints, OpenFile, Recording
from bubbleloc.formats.transmits import Firing, choose_transmit, firing
from bubbleloc.formats.uff import number_of, values_of
from bubbleloc.formats.volts import Piece, Volts, in_element_order
from bubbleloc.hdf5 import StoredArray

SOURCES = {
    "sampling_rate_hz": "receive_setup/sampling_frequency",
    "start_s": "receive_setup/time_offset − transmit_setup/delays at x = 0",
    "speed_of_sound_m_s": "sound_speed of the group",
    "element_m": "probes",
}


def read_urx(file: OpenFile, hints: Hints) -> Recording | None:
    """Read a group: the frames of the event nearest to straight down, or of ``transmit=``.

    Samples follow each other by sequence, event and channel. Time 0 of an event is that of its
    transmit delays.

    Raises:
        InputError: no such group, or samples that do not fill its sequences.
    """
    path, place = file.path, "dataset/acquisition"
    if f"{place}/groups_data" not in file.hdf5:
        return None
    acquisition = file.hdf5[place]
    names = sorted(acquisition["groups_data"])
    key = names[0] if hints.key is None else hints.key.rpartition("/")[2].zfill(8)
    if key not in names:
        raise InputError(f"{path} has no group {hints.key!r}; it holds {', '.join(names)}")
    group_data = acquisition["groups_data"][key]
    group = acquisition["groups"][f"{int(group_data['group'][()]):08d}"]
    events = [group["sequence"][name] for name in sorted(group["sequence"])]
    receives = [event["receive_setup"] for event in events]
    samples = [int(receive["number_samples"][()]) for receive in receives]
    channels = [len(receive["active_elements"]) for receive in receives]
    begin = np.concatenate([[0], np.cumsum(np.multiply(samples, channels))]).astype(int)
    data = StoredArray(path, group_data["raw_data"])
    frames, rest = divmod(data.shape[0], int(begin[-1]))
    if rest or not frames:
        raise InputError(f"{path}: {data.shape[0]} samples do not fill sequences of {begin[-1]}")
    speed_m_s = hints.speed_of_sound_m_s or _number(path, group, "sound_speed")
    shots = [_firing(path, acquisition, event["transmit_setup"], speed_m_s) for event in events]
    angles = {number: shot.angle_rad for number, shot in enumerate(shots)}
    number, notes = choose_transmit(path, angles, hints.transmit)
    receive, length, shot = receives[number], samples[number], shots[number]
    piece = _piece(data, int(begin[-1]), int(begin[number]), length)
    piece, element = in_element_order(piece, _elements(receive))

    modulation_hz = _number(path, receive, "modulation_frequency")
    return Recording(
        path,
        Volts(path, (frames, channels[number], length), piece),
        _number(path, receive, "sampling_frequency"),
        (_number(path, receive, "time_offset") or 0.0) - shot.origin_s,
        _number(path, group, "sound_speed"),
        _positions(path, acquisition, receive)[element],
        delay_s=shot.delay_s[element],
        angle_rad=shot.angle_rad,
        sources=SOURCES,
        notes=(*notes, *shot.notes),
        carrier=None if data.shape[1] == 1 else Carrier(modulation_hz, 0.0),
    )


def _piece(data: StoredArray, sequence: int, first: int, length: int) -> Piece:
    """Return what reads lines of `length` samples from sample `first` of every sequence on."""

    def piece(frame: int, wanted: slice) -> Any:
        start = frame * sequence + first
        rows = data[start + wanted.start * length : start + wanted.stop * length]
        rows = rows[:, 0] + 1j * rows[:, 1] if rows.shape[1] == 2 else rows[:, 0]
        return rows.reshape(-1, length)

    return piece


def _number(path: Path, group: h5py.Group, name: str) -> float | None:
    """Return a number of a group; NaN stands for none."""
    number = number_of(path, group, name)
    return None if number is None or np.isnan(number) else number


def _elements(setup: h5py.Group) -> Ints:
    """Return the element of each channel of a setup, the first of those that share it."""
    active = setup["active_elements"]
    return np.array([int(active[name][0]) for name in sorted(active)], dtype=np.int64)


def _positions(path: Path, acquisition: h5py.Group, setup: h5py.Group) -> Floats:
    """Return the positions (elements, 3) of the elements of the probe of a setup."""
    elements = acquisition["probes"][f"{int(setup['probe'][()]):08d}"]["elements"]
    places = [elements[name]["transform/translation"] for name in sorted(elements)]
    return np.array([[number_of(path, place, axis) for axis in "xyz"] for place in places])


def _firing(
    path: Path, acquisition: h5py.Group, setup: h5py.Group, speed_m_s: float | None
) -> Firing:
    """Return when the elements fire in a transmit."""
    element_m, active = _positions(path, acquisition, setup), _elements(setup)
    delay_s, weight = np.zeros(len(element_m)), np.zeros(len(element_m))
    told = values_of(path, setup, "delays")
    delay_s[active] = 0.0 if told is None or told.size != active.size else told
    weight[active] = 1.0
    offset_s = _number(path, setup, "time_offset") or 0.0
    return firing(element_m, delay_s + offset_s, weight, speed_m_s)
