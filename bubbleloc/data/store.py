"""Read dataset files: HDF5, schema version 1, checked before anything else is read.

An unfinished file has the suffix ``.partial``; it is renamed when every signal is done.
"""

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.physics import Setup
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.physics.transducer import P4_1, Response
from bubbleloc.physics.waveforms import TRISTATE, TRISTATE_HZ
from bubbleloc.units import Scale

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")  # a split's place here is part of its signals' random key
ATTRIBUTES = ("sampling_rate_hz", "speed_of_sound_m_s", "config")  # those that readers need
KINDS = {"rf": "f", "pressure_pa": "fiu", "done": "bu", "bubbles/offset": "iu"}  # NumPy's letters
KINDS |= {f"bubbles/{field}": "fiu" for field in BUBBLE_FIELDS}
MOST_SIGNALS = 2**28
_NUMBERS_AT_A_TIME = 2**16  # read for a fingerprint


def partial_path(path: Path) -> Path:
    """Return the name of a file that is not complete."""
    return path.with_name(path.name + ".partial")


def open_dataset(path: Path, mode: str = "r") -> h5py.File:
    """Open and check a dataset file.

    Raises:
        InputError: missing, unreadable, of another schema, or locked by another process.
    """
    if not path.is_file():
        raise InputError(
            f"no dataset at {path}; simulate it with bubbleloc.simulate or import it with "
            "bubbleloc.convert"
        )
    try:
        file = h5py.File(path, mode)
    except BlockingIOError as error:
        raise InputError(f"{path} is in use by another process; wait for it or stop it") from error
    except PermissionError as error:
        raise InputError(f"{path}: {error.strerror}; change its permissions") from error
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} is not a readable HDF5 file ({reason}); remove it and make it again"
        ) from error
    try:
        problem = _header_problem(file) or _shape_problem(file)
    except Exception as error:  # HDF5 meets damage with many types, undocumented
        problem = f"damaged ({error})".splitlines()[0]
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}; remove it and simulate or import it again")
    return file


def _header_problem(file: h5py.File) -> str | None:
    """Return what is wrong with a file's attributes and the types of its datasets, or None."""
    if "schema_version" not in file.attrs:
        return "not a bubbleloc dataset (no schema_version)"
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        return f"schema version {file.attrs['schema_version']} is not {SCHEMA_VERSION}"
    for name in ATTRIBUTES:
        if name not in file.attrs:
            return f"attribute {name!r} is missing"
    try:
        scale_of(file)
    except InputError as error:
        return f"attribute {error}"
    for key, kind in KINDS.items():
        if not isinstance(file.get(key), h5py.Dataset):
            return f"dataset {key!r} is missing"
        if file[key].dtype.kind not in kind:
            return f"{key} holds {file[key].dtype}, not numbers of the right kind"
    return None


def _shape_problem(file: h5py.File) -> str | None:
    """Return what is wrong with the shapes of a file's datasets, or None."""
    shape = file["rf"].shape
    if len(shape) != 2:
        return f"rf has shape {shape}, not (signals, samples)"
    if shape[0] == 0:
        return "it holds no signals"
    if shape[0] > MOST_SIGNALS or not 0 < shape[1] <= MOST_SAMPLES:
        return f"rf has shape {shape}, more than can be"
    bubbles = int(file["bubbles/offset"][-1]) if file["bubbles/offset"].size else 0
    lengths = {"pressure_pa": shape[0], "done": shape[0], "bubbles/offset": shape[0] + 1}
    lengths |= {f"bubbles/{field}": bubbles for field in BUBBLE_FIELDS}
    for key, length in lengths.items():
        if file[key].shape != (length,):
            return f"{key} has shape {file[key].shape}, not ({length},)"
    offset = file["bubbles/offset"][:].astype(np.int64)
    if offset[0] != 0 or (np.diff(offset) < 0).any():
        return "bubbles/offset does not rise from 0"
    return None


def settings_of(path: Path) -> dict[str, Any]:
    """Return the configuration a dataset was made with."""
    with open_dataset(path) as file:
        return _settings(file)


def _settings(file: h5py.File) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(str(file.attrs["config"]))
    except yaml.YAMLError as error:
        raise InputError("config is not YAML") from error
    return settings if isinstance(settings, dict) else {}


def scale_of(file: h5py.File) -> Scale:
    """Return what a sample is worth; an imported file may not say the frequency of the pulse."""
    settings = _settings(file)
    frequency_hz = _physics(settings).get("frequency_hz", file.attrs.get("frequency_hz"))
    if frequency_hz is None and settings.get("source") != "imported":
        frequency_hz = TRISTATE_HZ  # files of before 0.1 do not tell
    rate, sound = (float(file.attrs[name]) for name in ("sampling_rate_hz", "speed_of_sound_m_s"))
    return Scale(rate, sound, frequency_hz)


def waveform_name(path: Path) -> str | None:
    """Return the name of the waveform that a dataset was simulated with, None if imported."""
    settings = settings_of(path)
    own = "drive" if _physics(settings).get("drive") else TRISTATE
    return None if settings.get("source") == "imported" else _physics(settings).get("waveform", own)


def _physics(settings: dict[str, Any]) -> dict[str, Any]:
    physics = settings.get("physics")
    return physics if isinstance(physics, dict) else {}


def receive_response(file: h5py.File) -> Response:
    """Return the receive response that the lines were made with; the P4-1's if imported."""
    physics = _physics(_settings(file))
    return Setup.from_config(physics).transducer.receive if physics else P4_1.receive


def is_imported(path: Path) -> bool:
    """Return whether a dataset was made elsewhere, so that no settings of ours define it."""
    return settings_of(path).get("source") == "imported"


def fingerprint(path: Path) -> str:
    """Return a short hash of a dataset's content.

    Sampling rate, speed of sound, RF lines, pressures, arrival samples.
    """
    digest = hashlib.sha256()
    with open_dataset(path) as file:
        scale = scale_of(file)
        digest.update(np.array([scale.sampling_rate_hz, scale.speed_of_sound_m_s]).tobytes())
        for row in range(file["rf"].shape[0]):
            digest.update(file["rf"][row].tobytes())
        for key in ("pressure_pa", "bubbles/offset", "bubbles/arrival_sample"):
            for first in range(0, len(file[key]), _NUMBERS_AT_A_TIME):
                digest.update(file[key][first : first + _NUMBERS_AT_A_TIME].tobytes())
    return digest.hexdigest()[:16]
