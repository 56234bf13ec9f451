"""A training session: a new run, or the next part of one that was cut."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import torch
from filelock import FileLock

from bubbleloc.console import job, threads
from bubbleloc.data.generate import DatasetPlan, ensure_dataset, plan_of
from bubbleloc.data.module import LoaderSettings, RFDataModule
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.files import exclusive, explain_write_errors
from bubbleloc.nn import Localizer
from bubbleloc.training import provenance, runs
from bubbleloc.training.learner import Learner
from bubbleloc.training.loss import DualLoss
from bubbleloc.training.resuming import is_begun_job, resumable, where_it_stopped
from bubbleloc.training.trainer import build_trainer, is_first_process, one_reason


def start(config: runs.Config, folder: Path) -> Path | None:
    """Train a new run in ``folder``; return it in the first of the processes, None in others.

    The jobs of a sweep that was cut, and is started again in its folder, go on where they stopped.
    """
    if job.is_sweep_job() and config["trainer"].get("strategy") != "auto":
        raise InputError(
            "trainer.strategy: the jobs of a sweep use one process each; leave out trainer=ddp, "
            "and run jobs side by side with hydra/launcher=joblib or submitit_slurm"
        )
    cut = is_begun_job(folder) and runs.read_config(folder) == config
    return _train(config, folder, resume=cut)


def go_on(folder: Path) -> Path | None:
    """Go on with the run in ``folder`` under its own settings."""
    return _train(runs.read_config(folder), folder, resume=True)


def _train(config: runs.Config, folder: Path, *, resume: bool) -> Path | None:
    plan = plan_of(config["data"])
    simulated = None if plan.path("train").exists() else plan.setup().samples
    check(config, folder, samples=simulated)  # before a long simulation
    if is_first_process():
        with _turn(plan):
            ensure_dataset(plan, config["workers"])
    fit(config, folder, resume=resume)
    return folder if is_first_process() else None


@contextlib.contextmanager
def _turn(plan: DatasetPlan) -> Iterator[None]:
    """Let the jobs of a sweep take turns where data is missing: the first simulates for all."""
    missing = not all(plan.path(split).exists() for split in plan.signals)
    if not missing or not job.is_sweep_job():
        yield
        return
    with explain_write_errors(plan.folder):
        plan.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(plan.folder / "sweep.lock")
        lock.acquire()
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def check(config: runs.Config, folder: Path, samples: int | None = None) -> Localizer:
    """Return the untrained network after refusing settings that cannot work together.

    Args:
        samples: of the RF lines, where they are known.

    Raises:
        InputError: settings that make no sense.
    """
    network = runs.network_of(config)
    if samples is not None:
        _refuse_short_lines(config, network, samples)
    loader = LoaderSettings(**config["loader"])
    Noise(config["noise"], config.get("snr_db"))
    processes = build_trainer(config["trainer"], folder, config["seed"], batches=1).world_size
    if loader.batch_size % processes:
        raise InputError(
            f"loader.batch_size={loader.batch_size} cannot be shared by {processes} processes; "
            f"give a multiple of {processes}"
        )
    return network


def _refuse_short_lines(config: runs.Config, network: Localizer, samples: int) -> None:
    if network.receptive_field // 2 >= samples:
        what = "model" if config["kernel"] is None else f"kernel={config['kernel']}"
        raise InputError(
            f"{what}: the network sees {network.receptive_field} samples, too many for RF lines of "
            f"{samples}; choose a smaller kernel, or fewer blocks or levels where it has them"
        )


def fit(config: runs.Config, folder: Path, *, resume: bool = False) -> None:
    """Train as ``config`` says and leave checkpoints, logs and the configuration in ``folder``.

    Args:
        config: resolved settings of ``conf/train.yaml``.
        resume: go on from the last checkpoint in ``folder``.

    Raises:
        InputError: a setting that makes no sense, a folder that holds another run or is in use,
            or a training that diverged.
    """
    L.seed_everything(config["seed"], verbose=False)
    network = check(config, folder)
    data = RFDataModule(
        Path(config["data"]["folder"]),
        LoaderSettings(**config["loader"]),
        halo=network.receptive_field // 2,
        noise=Noise(config["noise"], config.get("snr_db")),
        seed=config["seed"],
    )
    _refuse_short_lines(config, network, data.train.samples)
    learner = Learner(network, DualLoss(**config["loss"]), config["optimizer"])
    batches = len(data.train_dataloader())
    trainer = build_trainer(config["trainer"], folder, config["seed"], batches)
    readers = data.settings.workers
    torch.set_num_threads(threads.threads_per_process(trainer.num_devices, readers))
    with _owned(folder, config, resume):
        checkpoint = where_it_stopped(folder, learner) if resume else None
        with one_reason(trainer), resumable(folder, "train"):
            trainer.fit(learner, data, ckpt_path=checkpoint, weights_only=True)
        if is_first_process():
            runs.write_run_card(folder)


@contextlib.contextmanager
def _owned(folder: Path, config: runs.Config, resume: bool) -> Iterator[None]:
    """Hold a run's folder, which is new or goes on; the first process does it for all.

    Raises:
        InputError: it holds another run, is in use, or the run's dataset has changed.
    """
    if not is_first_process():
        yield
        return
    with exclusive(folder / provenance.RUN_FILE):
        if not resume and (folder / runs.CHECKPOINTS).exists():
            raise InputError(f"{folder} holds a run; go on with resume={folder} or choose another")
        if not resume:
            (folder / runs.CHECKPOINTS).mkdir()
            runs.write_config(folder, config)
        provenance.write(folder, config["seed"], Path(config["data"]["folder"]))
        yield
