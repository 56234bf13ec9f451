"""Going on with a run that was stopped: under its own settings, from its last checkpoint."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import lightning as L

from bubbleloc.console import job, signals
from bubbleloc.errors import InputError
from bubbleloc.training import logs, runs
from bubbleloc.training.checkpoints import checkpoint_to_resume
from bubbleloc.training.trainer import is_first_process


def is_begun_job(folder: Path) -> bool:
    """Return whether a sweep was started again in a folder where this job of it had begun."""
    return job.is_sweep_job() and (folder / runs.CONFIG_FILE).is_file()


def where_it_stopped(folder: Path, learner: L.LightningModule) -> Path | None:
    """Return the checkpoint to go on from, and let the logs end where it ends.

    Raises:
        InputError: it is damaged, or of another network.
    """
    checkpoint, content = checkpoint_to_resume(folder), None
    if checkpoint is not None:
        content = runs.read_checkpoint(checkpoint)
        try:
            learner.load_state_dict(content["state_dict"])
        except RuntimeError as error:
            raise InputError(
                f"{checkpoint} does not fit the model in {runs.CONFIG_FILE} beside it"
            ) from error
    if is_first_process():
        logs.align(folder, content)
    return checkpoint


@contextlib.contextmanager
def resumable(folder: Path, command: str) -> Iterator[None]:
    """Tell who interrupts a training how to go on with it.

    Args:
        command: module of the package, such as ``train``.
    """
    try:
        yield
    except SystemExit as error:  # Lightning turns Ctrl-C into one
        known = isinstance(error, signals.Terminated)
        stop: BaseException = error if known else KeyboardInterrupt()
        stop.add_note(f"go on with: python -m bubbleloc.{command} resume={folder}")
        raise stop from None
    finally:
        signals.clear_requests()
