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

from bubbleloc.data.schema import BUBBLE_FIELDS as BUBBLE_FIELDS
from bubbleloc.data.schema import schema_problem
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, arrival_sample

_NUMBERS_AT_A_TIME = 2**16  # read for a fingerprint
SPLITS = ("train", "val", "test")  # a split's place here is part of its signals' random key


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
        problem = schema_problem(file)
    except Exception as error:  # HDF5 meets damage with many types, undocumented
        problem = f"damaged ({error})".splitlines()[0]
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}; remove it and simulate or import it again")
    return file


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
            for first in range(0, len(file[key]), _NUMBERS_AT_A_TIME):
                digest.update(file[key][first : first + _NUMBERS_AT_A_TIME].tobytes())
    return digest.hexdigest()[:16]
