"""A training session: a new run, or the next part of one that was cut."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from bubbleloc import learner, runs
from bubbleloc.data.generate import ensure_dataset, plan_of
from bubbleloc.errors import InputError
from bubbleloc.training.trainer import is_first_process


def start(config: runs.Config, folder: Path) -> Path | None:
    """Train a new run in ``folder``; return it in the first of the processes, None in others."""
    if config["trainer"].get("strategy") != "auto" and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise InputError(
            "trainer.strategy: the jobs of a sweep use one process each; leave out trainer=ddp, "
            "and run jobs side by side with hydra/launcher=joblib or submitit_slurm"
        )
    return _train(config, folder, resume=False)


def go_on(folder: Path, created: Path) -> Path | None:
    """Go on with the run in ``folder`` under its own settings.

    Args:
        created: the folder that was made for a new run, not needed here.
    """
    others = [o for o in HydraConfig.get().overrides.task if not str(o).startswith("resume=")]
    if others:
        raise InputError(
            f"{others[0]}: a resumed run keeps its own settings; leave out all but resume={folder}"
        )
    config = runs.read_config(folder)
    if created.is_dir() and created.resolve() != Path.cwd() and not any(created.iterdir()):
        created.rmdir()
    return _train(config, folder, resume=True)


def _train(config: runs.Config, folder: Path, *, resume: bool) -> Path | None:
    plan = plan_of(config["data"])
    simulated = None if plan.path("train").exists() else plan.setup().samples
    learner.check(config, folder, samples=simulated)  # before a long simulation
    if is_first_process():
        ensure_dataset(plan, config["workers"])
    learner.fit(config, folder, resume=resume)
    return folder if is_first_process() else None
