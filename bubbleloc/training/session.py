"""A training session: a new run, or the next part of one that was cut."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from bubbleloc import learner, runs
from bubbleloc.data.generate import DatasetPlan, ensure_dataset, plan_of
from bubbleloc.data.writing import writing
from bubbleloc.errors import InputError
from bubbleloc.training.resuming import discard_empty, is_begun_job, refuse_other_settings
from bubbleloc.training.trainer import is_first_process


def start(config: runs.Config, folder: Path) -> Path | None:
    """Train a new run in ``folder``; return it in the first of the processes, None in others.

    The jobs of a sweep that was cut, and is started again in its folder, go on where they stopped.
    """
    in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if in_sweep and config["trainer"].get("strategy") != "auto":
        raise InputError(
            "trainer.strategy: the jobs of a sweep use one process each; leave out trainer=ddp, "
            "and run jobs side by side with hydra/launcher=joblib or submitit_slurm"
        )
    cut = is_begun_job(folder) and runs.read_config(folder) == config
    return _train(config, folder, resume=cut)


def go_on(folder: Path, created: Path) -> Path | None:
    """Go on with the run in ``folder`` under its own settings.

    Args:
        created: the folder that was made for a new run, not needed here.
    """
    refuse_other_settings(folder)
    config = runs.read_config(folder)
    discard_empty(created)
    return _train(config, folder, resume=True)


def _train(config: runs.Config, folder: Path, *, resume: bool) -> Path | None:
    plan = plan_of(config["data"])
    simulated = None if plan.path("train").exists() else plan.setup().samples
    learner.check(config, folder, samples=simulated)  # before a long simulation
    if is_first_process():
        with _turn(plan):
            ensure_dataset(plan, config["workers"])
    learner.fit(config, folder, resume=resume)
    return folder if is_first_process() else None


@contextlib.contextmanager
def _turn(plan: DatasetPlan) -> Iterator[None]:
    """Let the jobs of a sweep take turns where data is missing: the first simulates for all."""
    missing = not all(plan.path(split).exists() for split in plan.signals)
    if not missing or HydraConfig.get().mode != RunMode.MULTIRUN:
        yield
        return
    with writing(plan.folder):
        plan.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(plan.folder / "sweep.lock")
        lock.acquire()
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
