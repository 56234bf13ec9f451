"""Simulate datasets: resumable, and the same arrays whatever the number of workers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data import store
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, draw_scene, simulate_rf


@dataclass(frozen=True)
class DatasetPlan:
    """What defines a dataset; the fields are the settings of ``conf/data``.

    Attributes:
        signals: number of signals of each split.
        bubbles: how radii are drawn, see `draw_scene`.
        physics: arguments of `Setup`.
    """

    name: str
    folder: Path
    signals: Mapping[str, int]
    seed: int = 0
    bubbles: str = "monodisperse"
    physics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.signals) - set(store.SPLITS)):
            raise InputError(f"data.signals.{unknown[0]}: the splits are {', '.join(store.SPLITS)}")
        for split, signals in self.signals.items():
            if not isinstance(signals, int) or signals < 1:
                raise InputError(f"data.signals.{split}={signals!r} must be a whole number above 0")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed={self.seed!r} must be a whole number, 0 or more")

    def path(self, split: str) -> Path:
        """Return the file of a split."""
        return Path(self.folder) / f"{split}.h5"

    def config(self, split: str) -> str:
        """Return the YAML that is stored in the file and defines its content."""
        content = {
            "name": self.name,
            "split": split,
            "signals": self.signals[split],
            "seed": self.seed,
            "bubbles": self.bubbles,
            "physics": dict(self.physics),
        }
        return yaml.safe_dump(content, sort_keys=False)

    def setup(self) -> Setup:
        """Return the acquisition and physics of the dataset."""
        return Setup.from_config(self.physics)

    def scene(self, split: str, index: int) -> Scene:
        """Draw signal ``index`` of a split; it depends on nothing but seed, split and index."""
        key = (store.SPLITS.index(split), index)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
        return draw_scene(rng, bubbles=self.bubbles)


def plan_of(settings: Mapping[str, Any]) -> DatasetPlan:
    """Return the plan that the settings of ``conf/data`` describe."""
    return DatasetPlan(**{**settings, "folder": Path(settings["folder"])})


def ensure_dataset(plan: DatasetPlan, workers: int | None = None) -> None:
    """Simulate what is missing of a dataset; files a user put there are taken as they are.

    Raises:
        InputError: a file exists that was made with other settings.
    """
    train = plan.path("train")
    if train.exists() and store.settings_of(train).get("source") == "imported":
        return
    for split in plan.signals:
        simulate_split(plan, split, workers)


def simulate_split(plan: DatasetPlan, split: str, workers: int | None = None) -> None:
    """Simulate one split, or what is missing of it after an interruption."""
    path = plan.path(split)
    building = path if path.exists() else store.partial_path(path)
    setup = plan.setup()
    if building.exists():
        _check_same_plan(building, plan.config(split))
    scenes = [plan.scene(split, index) for index in range(plan.signals[split])]
    if not building.exists():
        truth = store.Truth.of_scenes(scenes, setup)
        store.create(
            building,
            truth,
            samples=setup.samples,
            setup=setup,
            seed=plan.seed,
            split=split,
            config=plan.config(split),
        )
    if not store.is_complete(building):
        with store.open_dataset(building, "r+") as file:
            _fill(file, scenes, setup, workers or available_cores(), f"simulate {path}")
    if building != path:
        building.replace(path)


def _check_same_plan(path: Path, config: str) -> None:
    """Refuse to go on with a file that was begun with other settings."""
    found, wanted = store.settings_of(path), yaml.safe_load(config)
    for key, value in wanted.items():
        if found.get(key) != value:
            raise InputError(
                f"{path} was made with {key}={found.get(key)}, not {value}; "
                "choose another data.folder, or remove the file"
            )


def _fill(
    file: h5py.File, scenes: list[Scene], setup: Setup, workers: int, description: str
) -> None:
    """Simulate the signals that are not done yet and write each as it arrives."""
    done = file["done"][:]
    missing = np.flatnonzero(~done)
    lines = Parallel(n_jobs=min(workers, missing.size), return_as="generator_unordered")(
        delayed(_simulate)(index, scenes[index], setup) for index in missing
    )
    bar = tqdm(lines, desc=description, unit="signal", total=done.size, initial=int(done.sum()))
    for index, volts in bar:
        file["rf"][index] = volts
        file.flush()  # the line is on its way to the disk before it counts as done
        file["done"][index] = True


def _simulate(index: int, scene: Scene, setup: Setup) -> tuple[int, NDArray[np.float32]]:
    """Return a signal with its place, because signals arrive in any order."""
    return index, simulate_rf(scene, setup).volts


def available_cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
