"""Simulate datasets: resumable, and the same arrays whatever the number of workers."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data import store, writing
from bubbleloc.data.execution import Executor
from bubbleloc.data.plan import DatasetPlan, plan_of
from bubbleloc.errors import InputError
from bubbleloc.files import exclusive, explain_write_errors
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.physics.bubble import warn_large

__all__ = ["DatasetPlan", "ensure_dataset", "plan_of"]

SCENES_AT_A_TIME = 256  # whose truth is in memory together
# Lines that a large cluster may simulate ahead of the one process that writes: 280 MB.
SIGNALS_AT_A_TIME = 8192


def ensure_dataset(
    plan: DatasetPlan,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
) -> None:
    """Simulate what is missing of a dataset; files a user put there are taken as they are.

    Args:
        workers, executor, address: see `Executor`.

    Raises:
        InputError: a file exists that was made with other settings, is being written by another
            process, or cannot be written.
    """
    where = Executor(executor, workers, address)
    train = plan.path("train")
    if train.exists() and store.is_imported(train):
        return
    done = {split: _signals_done(plan, split) for split in plan.signals}
    todo = {s: n - done[s] for s, n in plan.signals.items() if done[s] < n or not _named(plan, s)}
    if not todo:
        return
    bar = tqdm(
        desc=f"simulate {plan.folder}",
        unit="signal",
        total=sum(plan.signals.values()),
        initial=sum(done.values()),
        delay=0.2,  # a refusal at the start stays the only line
        dynamic_ncols=True,
    )
    with bar, where.workers_for(sum(todo.values())):
        for split in todo:
            _simulate_split(plan, split, bar)


def _named(plan: DatasetPlan, split: str) -> bool:
    """Return whether the file of a split has its final name."""
    return plan.path(split).exists()


def _signals_done(plan: DatasetPlan, split: str) -> int:
    """Return how many signals of a split are there, after checking that they are the plan's."""
    path = _building_path(plan.path(split))
    if not path.exists():
        return 0
    _check_same_plan(path, plan.config(split))
    with store.open_dataset(path) as file:
        return int(file["done"][:].sum())


def _building_path(path: Path) -> Path:
    """Return the file to go on with: the final one where it exists."""
    return path if path.exists() else store.partial_path(path)


def _simulate_split(plan: DatasetPlan, split: str, bar: "tqdm[Any]") -> None:
    """Simulate one split, or what is missing of it after an interruption."""
    path, setup = plan.path(split), plan.setup()
    with exclusive(path):
        building = _building_path(path)
        if not building.exists():
            _create(building, plan, split, setup)
        _fill(building, plan, split, setup, bar)
        if building != path:
            with explain_write_errors(path):
                building.replace(path)


def _check_same_plan(path: Path, config: str) -> None:
    """Refuse to go on with a file that was begun with other settings."""
    found, wanted = store.settings_of(path), yaml.safe_load(config)
    for key in [*wanted, *(found.keys() - wanted.keys())]:
        if found.get(key) != wanted.get(key):
            raise InputError(
                f"{path} was made with {key}={found.get(key)}, not {wanted.get(key)}; "
                "choose another data.folder, or remove the file"
            )


def _create(path: Path, plan: DatasetPlan, split: str, setup: Setup) -> None:
    """Write the truth of all signals and make room for their RF lines."""
    header = writing.Header(
        samples=setup.samples,
        sampling_rate_hz=setup.sampling_rate_hz,
        speed_of_sound_m_s=setup.medium.speed_of_sound_m_s,
        seed=plan.seed,
        split=split,
        config=plan.config(split),
    )
    signals = plan.signals[split]
    with writing.create(path, header) as file:
        for first in range(0, signals, SCENES_AT_A_TIME):
            block = range(first, min(first + SCENES_AT_A_TIME, signals))
            scenes = [plan.scene(split, index, setup) for index in block]
            warn_large(np.concatenate([scene.radius_m for scene in scenes]))
            writing.append_truth(file, store.Truth.of_scenes(scenes, setup))
        writing.reserve_lines(file)


def _fill(path: Path, plan: DatasetPlan, split: str, setup: Setup, bar: "tqdm[Any]") -> None:
    """Simulate the signals that are not done yet and write each as it arrives."""
    with writing.closing(store.open_dataset(path, "r+")) as file:
        missing = np.flatnonzero(~file["done"][:])
        for first in range(0, missing.size, SIGNALS_AT_A_TIME):
            lines = Parallel(return_as="generator_unordered")(
                delayed(_simulate)(i, plan.scene(split, i, setup), setup)
                for i in missing[first : first + SIGNALS_AT_A_TIME].tolist()
            )
            for index, volts in lines:
                writing.write_line(file, index, volts)
                bar.update()


def _simulate(index: int, scene: Scene, setup: Setup) -> tuple[int, NDArray[np.float32]]:
    """Return a signal with its place, because signals arrive in any order."""
    with warnings.catch_warnings(action="ignore"):  # said once, where the file was created
        return index, simulate_rf(scene, setup).volts
