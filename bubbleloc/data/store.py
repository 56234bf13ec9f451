"""The dataset file: HDF5, schema version 1.

A file under construction has the suffix ``.partial``; it is renamed when every signal is done.
All datasets are allocated before the first signal is written, so filling them changes raw data
only and a killed process leaves a readable file.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import yaml
from numpy.typing import NDArray

from bubbleloc import __version__
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, arrival_sample

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test")  # a split's place here is part of its signals' random key
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


def create(
    path: Path, truth: Truth, *, samples: int, setup: Setup, seed: int, split: str, config: str
) -> None:
    """Write a dataset file with all truth and empty RF lines of ``samples`` samples.

    Args:
        config: resolved YAML that defines the content; a resumed file must have the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    signals = truth.pressure_pa.size
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs.update(
                schema_version=SCHEMA_VERSION,
                sampling_rate_hz=setup.sampling_rate_hz,
                speed_of_sound_m_s=setup.medium.speed_of_sound_m_s,
                seed=seed,
                split=split,
                config=config,
                software=f"bubbleloc {__version__}",
            )
            _allocate(file, "rf", (signals, samples), np.float32, chunks=(1, samples))
            _allocate(file, "done", (signals,), np.bool_)
            file["pressure_pa"] = truth.pressure_pa
            file["bubbles/offset"] = truth.offset
            for field in BUBBLE_FIELDS:
                file[f"bubbles/{field}"] = getattr(truth, field)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _allocate(
    file: h5py.File,
    name: str,
    shape: tuple[int, ...],
    dtype: type,
    chunks: tuple[int, ...] | None = None,
) -> None:
    """Create a dataset of zeros whose storage exists from the start."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    if chunks is not None:
        settings.set_chunk(chunks)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(
        file.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, settings
    )


def open_dataset(path: Path, mode: str = "r") -> h5py.File:
    """Open and check a dataset file.

    Raises:
        InputError: missing, unreadable, of another schema, or locked by another process.
    """
    if not path.is_file():
        raise InputError(f"no dataset at {path}; make it with python -m bubbleloc.simulate")
    try:
        file = h5py.File(path, mode)
    except BlockingIOError as error:
        raise InputError(f"{path} is in use by another process; wait for it or stop it") from error
    except OSError as error:
        raise InputError(f"{path} is not a readable HDF5 file ({error})".splitlines()[0]) from error
    if problem := _schema_problem(file):
        file.close()
        raise InputError(
            f"{path}: {problem}; simulate it again or import it with bubbleloc.convert"
        )
    return file


def _schema_problem(file: h5py.File) -> str | None:
    """Say what keeps a file from being a dataset, or None."""
    if "schema_version" not in file.attrs:
        return "not a bubbleloc dataset (no schema_version)"
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        return f"schema version {file.attrs['schema_version']} is not {SCHEMA_VERSION}"
    keys = ("rf", "pressure_pa", "done", "bubbles/offset", *(f"bubbles/{f}" for f in BUBBLE_FIELDS))
    missing = [key for key in keys if key not in file]
    if missing:
        return f"dataset {missing[0]!r} is missing"
    signals = file["rf"].shape[0]
    if file["rf"].ndim != 2 or file["bubbles/offset"].shape != (signals + 1,):
        return f"rf {file['rf'].shape} and bubbles/offset {file['bubbles/offset'].shape} disagree"
    if signals == 0:
        return "it holds no signals"
    return None


def is_complete(path: Path) -> bool:
    """Return whether ``path`` is a dataset whose signals are all done."""
    if not path.exists():
        return False
    with open_dataset(path) as file:
        return bool(file["done"][:].all())


def settings_of(path: Path) -> dict[str, object]:
    """Return the configuration a dataset was made with."""
    with open_dataset(path) as file:
        settings: dict[str, object] = yaml.safe_load(file.attrs["config"])
    return settings


def fingerprint(path: Path) -> str:
    """Return a short hash of a dataset's content: RF lines, pressures, arrival samples."""
    digest = hashlib.sha256()
    with open_dataset(path) as file:
        for row in range(file["rf"].shape[0]):
            digest.update(file["rf"][row].tobytes())
        for key in ("pressure_pa", "bubbles/offset", "bubbles/arrival_sample"):
            digest.update(file[key][:].tobytes())
    return digest.hexdigest()[:16]
