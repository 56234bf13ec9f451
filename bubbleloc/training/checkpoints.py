"""Checkpoints: written atomically, the best and the last; and the one to resume from."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, explain_write_errors
from bubbleloc.models import run_folder

BEST, LAST, PREVIOUS = "best", "last", "previous"

log = logging.getLogger(__name__)


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes checkpoints atomically, and keeps the last but one.

    Lightning writes to the system's temporary folder first. From another disk, a file is copied
    into place, not renamed.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint so that a complete one is on the disk at any moment.

        Raises:
            InputError: it cannot be written.
        """
        path = Path(path)
        with explain_write_errors(path), atomic(path) as unfinished:
            with unfinished.open("wb") as file:
                torch.save(checkpoint, file)
            if path.stem == LAST and path.exists():
                path.replace(path.with_stem(PREVIOUS))


def keepers(folder: Path, score: str) -> list[ModelCheckpoint]:
    """Return what keeps the checkpoint of the highest score, and that of the last epoch.

    Two, because Lightning's ``save_last`` skips the epochs that were not the best so far.
    """
    keep = partial(_Keeper, folder / run_folder.CHECKPOINTS, enable_version_counter=False)
    best = keep(filename=BEST, monitor=score, mode="max")
    return [best, keep(filename=LAST, save_on_train_epoch_end=True)]


class _Keeper(ModelCheckpoint):
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score; the run's folder may have moved since."""
        path = str(Path(str(self.dirpath)) / f"{self.filename}.ckpt")
        best = dict.fromkeys([path], *state_dict["best_k_models"].values())
        here = {"dirpath": self.dirpath, "best_model_path": path, "kth_best_model_path": path}
        super().load_state_dict({**state_dict, **here, "best_k_models": best})


def checkpoint_to_resume(folder: Path, learner: L.LightningModule) -> Path | None:
    """Return the last checkpoint of a run that can be read, None where there is none yet.

    Args:
        learner: the training that goes on; it is given the weights, to see whether they fit.

    Raises:
        InputError: there are some and none can be read, or one is of another network.
    """
    checkpoints, damage = folder / run_folder.CHECKPOINTS, None
    paths = (checkpoints / f"{name}.ckpt" for name in (LAST, PREVIOUS))
    for path in filter(Path.is_file, paths):
        try:
            content = run_folder.read_checkpoint(path)
        except InputError as error:
            damage = error
            log.warning("%s; trying the one before it", error)
            continue
        run_folder.load_weights(learner, content["state_dict"], path)
        return path
    if damage:
        raise InputError(f"{damage}; remove {checkpoints} to train from the start")
    log.warning("%s has no checkpoint yet; training starts anew", folder)
    return None
