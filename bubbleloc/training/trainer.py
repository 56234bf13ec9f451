"""The Lightning trainer: loop, precision, devices, with our checkpoints, logs and guards."""

import contextlib
import logging
import subprocess
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import lightning as L
import numpy as np
import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.nn.utils import get_total_norm

from bubbleloc import process
from bubbleloc.console.settings.training import Trainer
from bubbleloc.errors import InputError
from bubbleloc.files import write_yaml
from bubbleloc.training.checkpoints import AtomicCheckpoints, keepers
from bubbleloc.training.learner import METRIC_NAMES
from bubbleloc.training.logs import MetricsLog, TrainingProgress, loggers

LOUD = ("lightning.pytorch", "lightning.fabric")  # loggers of tips and inventories
NEEDLESS = (
    r".*LeafSpec.*|.*does not have many workers.*",
    r"Checkpoint directory .* exists and is not empty",  # that is what resuming means
)
PATIENCE_S = 5.0  # for other processes to say why they end


@contextlib.contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed PyTorch, quieten Lightning, and give the process back as it was.

    Afterwards random state and threads of PyTorch, warning filters and levels of loggers are those
    of before: a training may be one step of somebody's program.
    """
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    threads = torch.get_num_threads()
    levels = {name: logging.getLogger(name).level for name in LOUD}
    with torch.random.fork_rng(gpus), warnings.catch_warnings():
        for message in NEEDLESS:
            warnings.filterwarnings("ignore", message)
        for name in levels:
            logging.getLogger(name).setLevel(logging.WARNING)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


class RandomnessByEpoch(L.Callback):
    """Keys what layers draw in an epoch, such as dropout masks, by seed, epoch and process.

    Checkpoints are written at the end of epochs; a training that goes on from one therefore needs
    no random state of the process that was stopped.

    The key is set before the first batch, because Lightning reads loaders, which draw a number,
    before ``on_train_epoch_start`` in an epoch after resuming, and after it in others.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set PyTorch's generators, those of GPUs as well, before the first batch."""
        if batch_idx == 0:
            key = (trainer.current_epoch, trainer.global_rank)
            state = np.random.SeedSequence(self.seed, spawn_key=key).generate_state(1, np.uint64)
            torch.manual_seed(int(state[0]))


class DivergenceGuard(L.Callback):
    """Stops a training before a step whose loss or gradients are not finite.

    Weights are checked before they are scored and kept. The batch, where it came from, and the
    weights before the step go to ``diverged.yaml`` and ``diverged.pt`` in the run's folder; earlier
    checkpoints are left as they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._losses: list[Tensor] = []  # of the batches since the last step

    def on_before_backward(
        self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor
    ) -> None:
        """Note the loss; to look at it here would make a GPU wait once more."""
        self._losses.append(loss.detach())

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Check losses and gradients; a scaler skips steps whose gradients are too large itself."""
        scaled = trainer.precision == "16-mixed"
        norm = _norm([] if scaled else [p.grad for p in pl_module.parameters()])
        finite = torch.stack([*self._losses, norm.to(self._losses[0])]).isfinite().tolist()
        batches, self._losses = len(self._losses), []
        if not all(finite):
            bad = finite.index(False)
            what, ago = ("loss", batches - 1 - bad) if bad < batches else ("gradients", 0)
            self._stop(what, trainer.fit_loop.batch_idx - ago, trainer, pl_module)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the weights."""
        if not _norm(list(pl_module.parameters())).isfinite():
            self._stop("weights", trainer.fit_loop.batch_idx, trainer, pl_module)

    def _stop(
        self, what: str, batch: int, trainer: L.Trainer, module: L.LightningModule
    ) -> NoReturn:
        """Write what is known of a batch, which is read again; crops depend on seed and epoch.

        Processes after the first add their number to the names of the files.
        """
        loader: Any = trainer.train_dataloader
        first = batch * loader.batch_size
        crops = list(islice(loader.sampler, first, first + loader.batch_size))
        parameters = module.named_parameters()
        norms = {name: float(p.grad.norm()) for name, p in parameters if p.grad is not None}
        rank = f"-{trainer.global_rank}" if trainer.global_rank else ""
        report = self.folder / f"diverged{rank}.yaml"
        facts = {
            "not_finite": what,
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "batch": batch,
            "learning_rate": [group["lr"] for o in trainer.optimizers for group in o.param_groups],
            "crops": [{"signal": c.signal, "start": c.start, "samples": c.samples} for c in crops],
            "gradient_norms": norms,
        }
        write_yaml(report, facts)
        lines = dict(loader.collate_fn([loader.dataset[crop] for crop in crops]))
        content = {"batch": lines, "facts": facts, "state_dict": module.state_dict()}
        torch.save(content, report.with_suffix(".pt"))
        signals = ", ".join(str(crop.signal) for crop in crops[:8]) + ", …" * (len(crops) > 8)
        raise InputError(
            f"training diverged: {what} NaN or infinite at step {trainer.global_step}, epoch "
            f"{trainer.current_epoch} (training signals {signals}; see {report}); earlier "
            "checkpoints are kept, train again with a lower optimizer.lr or a lower "
            "trainer.gradient_clip_val"
        )


def _norm(tensors: Sequence[Tensor | None]) -> Tensor:
    """Return the norm of all values together, in float32, whose range is wide enough."""
    return get_total_norm([t.detach().float() for t in tensors if t is not None])


class StopBetweenBatches(L.Callback):
    """Ends a training after the batch it is at, when a signal asks for it.

    The first process ends those that it started; they would wait for it in vain. On CPUs it learns
    by itself when one of them ends, and takes them off the list that Lightning watches: Lightning
    would kill this process before it has said anything.
    """

    def __init__(self) -> None:
        self._others: list[subprocess.Popen[bytes]] = []

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Note the processes that Lightning has started."""
        started = getattr(trainer.strategy.launcher, "procs", [])
        self._others = list(started)
        if trainer.strategy.root_device.type == "cpu":
            started.clear()

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
        for other in self._others:
            if _has_lost_a_peer(exception):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    other.wait(PATIENCE_S)
            other.kill()


@contextlib.contextmanager
def resumable(folder: Path, command: str) -> Iterator[None]:
    """Turn the ways in which a training is stopped into errors that say how to resume it.

    Args:
        command: the command that trains, such as ``train``.

    Raises:
        InputError: another process of the training has ended.
    """
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:  # Lightning turns Ctrl-C into SystemExit
        stop = error if isinstance(error, process.Terminated) else KeyboardInterrupt()
        stop.add_note(f"go on with: bubbleloc {command} resume={folder}")
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


def trainer_of_run(
    folder: Path, seed: int, metrics: Sequence[str], score: str, logger: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the arguments of a trainer that keeps checkpoints and logs in ``folder``.

    Args:
        seed: the key of what layers draw.
        metrics: the columns of ``metrics.csv``, see `MetricsLog`.
        score: the metric of which the best checkpoint has the highest value.
        logger: the names of logs, see `loggers`.
    """
    plugins: list[Any] = [AtomicCheckpoints()]
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # it would swallow SIGTERM
    return {
        "default_root_dir": folder,
        "logger": loggers(folder, logger),
        "callbacks": [
            StopBetweenBatches(),
            RandomnessByEpoch(seed),
            TrainingProgress(),
            MetricsLog(folder, metrics),
            *keepers(folder, score),
        ],
        "plugins": plugins,
        "enable_model_summary": False,
        "log_every_n_steps": 1,
        "num_sanity_val_steps": 0,
    }


def build_trainer(
    settings: Trainer, folder: Path, seed: int, logger: Sequence[str] | None = None
) -> L.Trainer:
    """Return the trainer of a network that localizes, see `trainer_of_run`.

    Args:
        settings: arguments of ``lightning.Trainer``; the caller replaces
            ``accumulate_grad_batches="epoch"`` by the number of batches once it is known.

    Raises:
        InputError: an argument that Lightning refuses, such as a device that is not there.
    """
    arguments = dict(settings)
    if settings.accumulate_grad_batches == "epoch":
        arguments["accumulate_grad_batches"] = 1
    if settings.check_val_every_n_epoch > settings.max_epochs:
        raise InputError(
            f"trainer.check_val_every_n_epoch={settings.check_val_every_n_epoch}: give at "
            f"most trainer.max_epochs={settings.max_epochs}, or nothing is ever kept"
        )
    common = trainer_of_run(folder, seed, METRIC_NAMES, "val_f1", logger)
    common["callbacks"].append(DivergenceGuard(folder))
    on_gpu = settings.accelerator != "cpu" and torch.cuda.is_available()
    try:
        return L.Trainer(
            **{"sync_batchnorm": on_gpu, **arguments},
            **common,
            use_distributed_sampler=False,  # the data module shares the lines out itself
        )
    except (MisconfigurationException, ImportError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        remedy = "see trainer.* in --help"
        if settings.accelerator not in ("auto", "cpu") and not torch.cuda.is_available():
            remedy = "use trainer.accelerator=cpu, or auto"
        raise InputError(f"trainer: {reason}; {remedy}") from error
