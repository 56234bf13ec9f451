"""The Lightning trainer: loop, precision, devices, with our checkpoints, logs and guards."""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from bubbleloc.console import signals
from bubbleloc.console.progress import TrainingProgress
from bubbleloc.errors import BAD_INPUT, InputError
from bubbleloc.training.batchnorm import GlobalBatchNorm
from bubbleloc.training.checkpoints import AtomicCheckpoints, keepers
from bubbleloc.training.divergence import DivergenceGuard
from bubbleloc.training.logs import loggers
from bubbleloc.training.randomness import RandomnessByEpoch


def is_first_process() -> bool:
    """Return whether this is the first of the processes that train together, or the only one."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


class StopTogether(L.Callback):
    """Ends between batches when told to, and ends the processes that were started for training.

    Lightning would let processes wait for each other in vain.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take signals over from Lightning, which gives them back at the end."""
        signals.stop_on_signals(immediately=not trainer.is_global_zero)

    def on_train_batch_start(self, *_: Any) -> None:
        """Stop before a batch of training."""
        signals.stop_if_requested()

    def on_validation_batch_start(self, *_: Any, **__: Any) -> None:
        """Stop before a batch of validation."""
        signals.stop_if_requested()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """End the processes that this one has started."""
        _stop_watching()
        if _has_lost_a_peer(exception):
            _let_end(_started(trainer))
        if kill := getattr(trainer.strategy.launcher, "kill", None):
            kill(signal.SIGTERM)


@contextlib.contextmanager
def one_reason(trainer: L.Trainer) -> Iterator[None]:
    """End without a word a process that only lost another one, which said why it was refused."""
    try:
        yield
    except RuntimeError as error:
        ends = {process.returncode for process in _started(trainer)}
        refused = BAD_INPUT in ends or not is_first_process()
        if not _has_lost_a_peer(error) or not refused or ends - {BAD_INPUT, -signal.SIGTERM}:
            raise
        raise SystemExit(BAD_INPUT) from None


def _started(trainer: L.Trainer) -> Sequence[subprocess.Popen[bytes]]:
    """Processes of the training that this one has started; the first one does."""
    return getattr(trainer.strategy.launcher, "procs", ())


def _has_lost_a_peer(error: BaseException) -> bool:
    """Return whether an error is that another process of the training has ended."""
    return isinstance(error, RuntimeError) and "by peer" in str(error)


def _stop_watching() -> None:
    """Keep Lightning from killing this process, which is about to end, because another one has."""
    for thread in threading.enumerate():
        if thread.name == "child-process-observer":
            vars(thread)["_child_processes"] = []


def _let_end(processes: Sequence[subprocess.Popen[bytes]], patience_s: float = 5.0) -> None:
    """Wait for processes that are about to end, so that they can say why."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        for process in processes:
            process.wait(patience_s)


def build_trainer(settings: Mapping[str, Any], folder: Path, seed: int, batches: int) -> L.Trainer:
    """Return a trainer that keeps checkpoints and logs in ``folder``.

    Args:
        settings: arguments of ``lightning.Trainer``; ``accumulate_grad_batches`` may be
            ``"epoch"`` for one optimiser step per epoch.
        seed: of what layers draw.
        batches: batches per epoch.

    Raises:
        InputError: an argument that Lightning refuses, such as a device that is not there.
    """
    arguments = dict(settings)
    if arguments["accumulate_grad_batches"] == "epoch":
        arguments["accumulate_grad_batches"] = batches
    if arguments["check_val_every_n_epoch"] > arguments["max_epochs"]:
        raise InputError(
            f"trainer.check_val_every_n_epoch={arguments['check_val_every_n_epoch']}: give at "
            f"most trainer.max_epochs={arguments['max_epochs']}, or nothing is ever kept"
        )
    plugins: list[Any] = [AtomicCheckpoints(), GlobalBatchNorm()]
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # it would swallow SIGTERM
    try:
        return L.Trainer(
            **arguments,
            default_root_dir=folder,
            logger=loggers(folder),
            callbacks=[
                StopTogether(),
                RandomnessByEpoch(seed),
                DivergenceGuard(folder),
                TrainingProgress(),
                *keepers(folder),
            ],
            plugins=plugins,
            enable_model_summary=False,
            log_every_n_steps=min(50, batches),
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # the data module shares the lines out itself
        )
    except (MisconfigurationException, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"trainer: {reason}; see trainer.* in --help") from error
