"""Open a recording by the suffix and the content of its file."""

from pathlib import Path
from typing import Unpack

import h5py

from bubbleloc.errors import InputError
from bubbleloc.formats.hdf5 import read_plain
from bubbleloc.formats.matfile import MatFile
from bubbleloc.formats.numpy_files import read_npy, read_npz
from bubbleloc.formats.plain import FACTS, choose_array, recording_of_array
from bubbleloc.formats.recording import Hints, Recording
from bubbleloc.formats.srml import STRUCTS, read_published
from bubbleloc.formats.text import read_text
from bubbleloc.formats.uff import find_channel_data, read_uff
from bubbleloc.formats.verasonics import read_verasonics
from bubbleloc.formats.volts import unreadable_is_input_error
from bubbleloc.formats.zea import find_track, read_zea


def read(path: str | Path, **hints: Unpack[Hints]) -> Recording:
    """Open a recording: RF lines in element order, with what the file tells of them.

    Reads ``.mat`` (Verasonics workspaces, published results, plain arrays; version 5 and 7.3),
    ``.h5``, ``.hdf5`` and ``.uff`` (UFF, PICMUS, zea, datasets of this package, plain arrays),
    ``.npy``, ``.npz``, ``.csv`` and ``.txt``. HDF5, MATLAB 7.3 and ``.npy`` files are read when
    their lines are, the others at once.

    Args:
        hints: what the file does not tell, or tells wrongly, see `Hints`.

    Raises:
        InputError: no such file, format or array, or an array that is not RF lines.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}: give input=<file of RF lines>")
    with unreadable_is_input_error(path):
        recording = _read_any(path, hints)
    frames = hints.get("frames")
    return recording if frames is None else recording.only_frames(*frames)


def _read_any(path: Path, hints: Hints) -> Recording:
    match path.suffix.lower():
        case ".h5" | ".hdf5" | ".uff":
            return _read_hdf5(path, hints)
        case ".mat":
            return _read_mat(path, hints)
        case ".npz":
            return read_npz(path, hints)
        case ".npy":
            return read_npy(path, hints)
        case ".csv" | ".txt":
            return read_text(path, hints)
        case suffix:
            raise InputError(
                f"{path}: cannot read {suffix or 'a file without suffix'}; "
                "give .mat, .h5, .uff, .npy, .npz, .csv or .txt"
            )


def _read_hdf5(path: Path, hints: Hints) -> Recording:
    with h5py.File(path) as file:
        if (track := find_track(file, hints.get("key"))) is not None:
            return read_zea(path, file, track, hints)
        if (group := find_channel_data(file, hints.get("key"))) is not None:
            return read_uff(path, group, hints)
        return read_plain(path, file, hints)


def _read_mat(path: Path, hints: Hints) -> Recording:
    mat, key = MatFile(path), hints.get("key")
    if "RcvData" in mat.names and (key is None or key.startswith("RcvData")):
        return read_verasonics(mat, hints)
    if key is None and mat.names.issuperset(STRUCTS):
        return read_published(mat, hints)
    if mat.is_hdf5:  # MATLAB stores the last axis first
        with h5py.File(path) as file:
            return read_plain(path, file, {**hints, "transpose": not hints.get("transpose")})
    name = choose_array(path, mat.shapes, key)
    facts = {fact: mat.column(fact)[0] for fact in FACTS if fact in mat.names}
    return recording_of_array(path, mat.entries(name)[0], hints, facts)
