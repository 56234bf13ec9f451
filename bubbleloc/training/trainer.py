"""The Lightning trainer: loop, precision, devices, with our checkpoints, logs and guards."""

import contextlib
import logging
import subprocess
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from bubbleloc import process
from bubbleloc.console.progress import TrainingProgress
from bubbleloc.errors import InputError
from bubbleloc.training.checkpoints import AtomicCheckpoints, keepers
from bubbleloc.training.divergence import DivergenceGuard
from bubbleloc.training.learner import METRIC_NAMES
from bubbleloc.training.logs import MetricsLog, loggers
from bubbleloc.training.randomness import RandomnessByEpoch

for part in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(part).setLevel(logging.WARNING)  # no tips and inventories
warnings.filterwarnings("ignore", r".*LeafSpec.*|.*does not have many workers.*")
warnings.filterwarnings("ignore", r"Checkpoint directory .* exists and is not empty")  # resuming

PATIENCE_S = 5.0  # for other processes to say why they end


def is_first_process() -> bool:
    """Return whether this is the first of the processes that train together, or the only one."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


class StopBetweenBatches(L.Callback):
    """Ends a training after the batch it is at, when a signal asks for it.

    The first process ends those that it started; they would wait for it in vain.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take signals over from Lightning, which gives them back at the end."""
        process.stop_on_signals(immediately=not trainer.is_global_zero)

    def on_train_batch_start(self, *_: Any) -> None:
        """Stop before a batch of training."""
        process.stop_if_requested()

    def on_validation_batch_start(self, *_: Any, **__: Any) -> None:
        """Stop before a batch of validation."""
        process.stop_if_requested()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """End the processes that this one has started."""
        started = getattr(trainer.strategy.launcher, "procs", [])
        for other in started:
            if _has_lost_a_peer(exception):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    other.wait(PATIENCE_S)
            other.kill()
        started.clear()  # Lightning, which watches them, would kill this process, too


@contextlib.contextmanager
def resumable(folder: Path, command: str) -> Iterator[None]:
    """Turn the ways in which a training is stopped into errors that say how to resume it.

    Args:
        command: module of the package, such as ``train``.

    Raises:
        InputError: another process of the training has ended.
    """
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:  # Lightning turns Ctrl-C into SystemExit
        stop = error if isinstance(error, process.Terminated) else KeyboardInterrupt()
        stop.add_note(f"go on with: python -m bubbleloc.{command} resume={folder}")
        raise stop from None
    except RuntimeError as error:
        if not _has_lost_a_peer(error):
            raise
        raise InputError("another process of this training has ended; see its message") from None
    finally:
        process.clear_requests()


def _has_lost_a_peer(error: BaseException) -> bool:
    """Return whether an error is that another process of the training has ended."""
    return isinstance(error, RuntimeError) and "by peer" in str(error)


def build_trainer(
    settings: Mapping[str, Any], folder: Path, seed: int, logger: Sequence[str] | None = None
) -> L.Trainer:
    """Return a trainer that keeps checkpoints and logs in ``folder``.

    Args:
        settings: arguments of ``lightning.Trainer``; ``accumulate_grad_batches`` may be
            ``"epoch"``, which the caller replaces by the number of batches once it is known.
        seed: of what layers draw.
        logger: names of logs, see `loggers`.

    Raises:
        InputError: an argument that Lightning refuses, such as a device that is not there.
    """
    arguments = dict(settings)
    if arguments["accumulate_grad_batches"] == "epoch":
        arguments["accumulate_grad_batches"] = 1
    if arguments["check_val_every_n_epoch"] > arguments["max_epochs"]:
        raise InputError(
            f"trainer.check_val_every_n_epoch={arguments['check_val_every_n_epoch']}: give at "
            f"most trainer.max_epochs={arguments['max_epochs']}, or nothing is ever kept"
        )
    plugins: list[Any] = [AtomicCheckpoints()]
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # it would swallow SIGTERM
    logs = loggers(folder, logger)
    on_gpu = arguments["accelerator"] != "cpu" and torch.cuda.is_available()
    try:
        return L.Trainer(
            **{"sync_batchnorm": on_gpu, **arguments},
            default_root_dir=folder,
            logger=logs,
            callbacks=[
                StopBetweenBatches(),
                RandomnessByEpoch(seed),
                DivergenceGuard(folder),
                TrainingProgress(),
                MetricsLog(folder, METRIC_NAMES),
                *keepers(folder),
            ],
            plugins=plugins,
            enable_model_summary=False,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # the data module shares the lines out itself
        )
    except (MisconfigurationException, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"trainer: {reason}; see trainer.* in --help") from error
