"""The dataset file: HDF5, schema version 1.

A file under construction has the suffix ``.partial``; it is renamed when every signal is done.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import yaml
from numpy.typing import NDArray

from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, arrival_sample

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")  # a split's place here is part of its signals' random key
ATTRIBUTES = ("sampling_rate_hz", "speed_of_sound_m_s", "config")  # those that readers need
BUBBLE_FIELDS = ("arrival_sample", "depth_m", "lateral_m", "radius_m")


@dataclass(frozen=True)
class Truth:
    """Everything about a dataset's signals but the RF lines themselves.

    Attributes:
        pressure_pa: (n,) transmitted pressure amplitude.
        offset: (n + 1,) signal i owns rows offset[i]:offset[i + 1] of the bubble arrays.
        arrival_sample, depth_m, lateral_m, radius_m: (bubbles of all signals,).
    """

    pressure_pa: NDArray[np.float64]
    offset: NDArray[np.int64]
    arrival_sample: NDArray[np.float64]
    depth_m: NDArray[np.float64]
    lateral_m: NDArray[np.float64]
    radius_m: NDArray[np.float64]

    @classmethod
    def of_scenes(cls, scenes: Sequence[Scene], setup: Setup) -> "Truth":
        """Collect scenes and the arrival times of their echoes."""
        depth, lateral, radius = (
            np.concatenate([getattr(scene, field) for scene in scenes])
            for field in ("depth_m", "lateral_m", "radius_m")
        )
        return cls(
            pressure_pa=np.array([scene.pressure_pa for scene in scenes]),
            offset=np.cumsum([0, *(scene.depth_m.size for scene in scenes)]),
            arrival_sample=np.concatenate(
                [arrival_sample(scene.depth_m, scene.lateral_m, setup) for scene in scenes]
            ),
            depth_m=depth,
            lateral_m=lateral,
            radius_m=radius,
        )


def partial_path(path: Path) -> Path:
    """Return where a file is built before it is complete."""
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
        problem = _schema_problem(file)
    except (OSError, RuntimeError, AttributeError, KeyError, TypeError) as error:
        problem = f"damaged ({error})".splitlines()[0]
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}; remove it and simulate or import it again")
    return file


def _schema_problem(file: h5py.File) -> str | None:
    """Say what keeps a file from being a dataset, or None."""
    if "schema_version" not in file.attrs:
        return "not a bubbleloc dataset (no schema_version)"
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        return f"schema version {file.attrs['schema_version']} is not {SCHEMA_VERSION}"
    for name in ATTRIBUTES:
        if name not in file.attrs:
            return f"attribute {name!r} is missing"
    keys = ("rf", "pressure_pa", "done", "bubbles/offset", *(f"bubbles/{f}" for f in BUBBLE_FIELDS))
    for key in keys:
        if key not in file:
            return f"dataset {key!r} is missing"
    if file["rf"].ndim != 2:
        return f"rf has shape {file['rf'].shape}, not (signals, samples)"
    signals = file["rf"].shape[0]
    if signals == 0:
        return "it holds no signals"
    bubbles = int(file["bubbles/offset"][-1]) if file["bubbles/offset"].size else 0
    lengths = {"pressure_pa": signals, "done": signals, "bubbles/offset": signals + 1}
    lengths |= {f"bubbles/{field}": bubbles for field in BUBBLE_FIELDS}
    for key, length in lengths.items():
        if file[key].shape != (length,):
            return f"{key} has shape {file[key].shape}, not ({length},)"
    return None


def is_complete(path: Path) -> bool:
    """Return whether ``path`` is a dataset whose signals are all done."""
    if not path.exists():
        return False
    with open_dataset(path) as file:
        return bool(file["done"][:].all())


def settings_of(path: Path) -> dict[str, object]:
    """Return the configuration a dataset was made with.

    Raises:
        InputError: besides what `open_dataset` raises, a configuration that is not YAML.
    """
    with open_dataset(path) as file:
        config = str(file.attrs["config"])
    try:
        settings = yaml.safe_load(config)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: its attribute config is not YAML; write it again") from error
    return settings if isinstance(settings, dict) else {}


def is_imported(path: Path) -> bool:
    """Return whether a dataset was made elsewhere, so that no settings of ours define it."""
    return settings_of(path).get("source") == "imported"


def fingerprint(path: Path) -> str:
    """Return a short hash of a dataset's content: RF lines, pressures, arrival samples."""
    digest = hashlib.sha256()
    with open_dataset(path) as file:
        for row in range(file["rf"].shape[0]):
            digest.update(file["rf"][row].tobytes())
        for key in ("pressure_pa", "bubbles/offset", "bubbles/arrival_sample"):
            digest.update(file[key][:].tobytes())
    return digest.hexdigest()[:16]
