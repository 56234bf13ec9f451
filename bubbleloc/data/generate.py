"""Simulate datasets: resumable, and the same arrays whatever the number of workers."""

import contextlib
import logging
import warnings
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from bubbleloc.arrays import Float32s
from bubbleloc.data import store, universal
from bubbleloc.data.execution import run_workers
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.data.stored import refuse_changed_inputs, refuse_other_settings
from bubbleloc.files import exclusive, explain_write_errors
from bubbleloc.physics import Scene, Setup, simulate_rf, true_bubbles
from bubbleloc.physics.bubble import warn_large
from bubbleloc.physics.pulse import warn_of

log = logging.getLogger(__name__)

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
        workers, executor, address: see `run_workers`.

    Raises:
        InputError: a file exists that was made with other settings, is being written by another
            process, or cannot be written.
    """
    train = plan.path("train")
    if train.exists() and store.is_imported(train):
        return
    done = {split: _signals_done(plan, split) for split in plan.signals}
    unfinished = [
        split
        for split, signals in plan.signals.items()
        if done[split] < signals or not plan.path(split).exists()
    ]
    if not unfinished:
        return
    warn_of(plan.setup())
    total, finished = sum(plan.signals.values()), sum(done.values())
    bar = tqdm(
        desc=f"simulate {plan.folder}",
        unit="signal",
        total=total,
        initial=finished,
        delay=0.2,  # a refusal at the start stays the only line
        dynamic_ncols=True,
    )
    with bar, run_workers(total - finished, executor, workers, address):
        for split in unfinished:
            _simulate_split(plan, split, bar)


def simulate_missing(plan: DatasetPlan, workers: int | None = None) -> None:
    """Simulate what a training or evaluation lacks of its dataset, after saying so.

    Raises:
        InputError: the user named a folder without a dataset, or as `ensure_dataset` raises.
    """
    plan.refuse_mistyped_folder()
    train = plan.path("train")
    if train.exists() and store.is_imported(train):
        return
    missing = [split for split in plan.signals if not store.is_finished(plan.path(split))]
    for split in plan.signals.keys() - missing:  # needs none of the files that it was made with
        refuse_other_settings(plan, split)
    if missing:
        what = ", ".join(f"{plan.signals[split]} signals of {split}" for split in missing)
        log.info("%s lacks %s; simulating them first", plan.folder, what)
        ensure_dataset(plan.only(missing), workers)


def turns(plan: DatasetPlan, side_by_side: bool) -> contextlib.AbstractContextManager[None]:
    """Return a block for which the jobs of a sweep take turns where a dataset lacks a file.

    The first of them simulates for all; the others neither read nor write a file meanwhile.

    Args:
        side_by_side: whether this is one of several jobs.
    """
    missing = not all(plan.path(split).exists() for split in plan.signals)
    lock = exclusive(plan.folder / "sweep", wait=True)
    return lock if side_by_side and missing else contextlib.nullcontext()


def _signals_done(plan: DatasetPlan, split: str) -> int:
    """Return how many signals of a split are there; refuse a file made with other settings."""
    path = plan.path(split)
    if not path.exists():
        path = store.partial_path(path)
    if not path.exists():
        return 0
    refuse_other_settings(plan, split)
    refuse_changed_inputs(plan, split)
    with store.open_dataset(path) as file:
        return int(file["done"][:].sum())


def _simulate_split(plan: DatasetPlan, split: str, bar: "tqdm[Any]") -> None:
    """Simulate one split, or what is missing of it after an interruption."""
    path, setup = plan.path(split), plan.setup()
    with exclusive(path):
        partial = path if path.exists() else store.partial_path(path)
        if not partial.exists():
            _create(plan, split, setup)
        with store.closing(store.open_dataset(partial, "r+")) as file:
            missing = np.flatnonzero(~file["done"][:])
            for first in range(0, missing.size, SIGNALS_AT_A_TIME):
                lines = Parallel(return_as="generator_unordered")(
                    delayed(_simulate)(i, plan.scene(split, i, setup), setup, plan.draw(split, i))
                    for i in missing[first : first + SIGNALS_AT_A_TIME].tolist()
                )
                for index, line in lines:
                    store.write_line(file, index, line)
                    bar.update()
        with explain_write_errors(path):
            partial.replace(path)


def _create(plan: DatasetPlan, split: str, setup: Setup) -> None:
    """Write the truth of all signals and make room for their RF lines."""
    signals = plan.signals[split]
    with store.create(
        store.partial_path(plan.path(split)),
        samples=setup.samples,
        scale=setup.scale,
        seed=plan.settings.seed,
        split=split,
        config=plan.config(split),
    ) as file:
        for first in range(0, signals, SCENES_AT_A_TIME):
            block = range(first, min(first + SCENES_AT_A_TIME, signals))
            scenes = [plan.scene(split, index, setup) for index in block]
            warn_large(np.concatenate([scene.radius_m for scene in scenes]))
            bubbles = [true_bubbles(scene, setup) for scene in scenes]
            store.append_truth(file, [scene.pressure_pa for scene in scenes], bubbles)
        drawn = plan.settings.setups != "one"
        store.reserve_lines(file, universal.TOLD if drawn else None)


def _simulate(
    index: int, scene: Scene, setup: Setup, draw: universal.Draw | None
) -> tuple[int, dict[str, Float32s]]:
    """Return a signal with its place, because signals arrive in any order."""
    if draw is not None:
        return index, universal.simulated(scene, draw, setup)._asdict()
    with warnings.catch_warnings(action="ignore"):  # given once, where the file was created
        return index, {"rf": simulate_rf(scene, setup).volts}
