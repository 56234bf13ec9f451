"""Checkpoints that survive kills, full disks, moved folders and strangers."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, explain_write_errors
from bubbleloc.training import runs

BEST, LAST, PREVIOUS = "best", "last", "previous"
NEEDED = {"epoch", "global_step", "loops", "optimizer_states", "lr_schedulers", "callbacks"}

log = logging.getLogger(__name__)


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place, then renames it; the last but one is kept, too.

    Lightning's own goes through the system's temporary folder, from where a file is copied, not
    renamed, if that is another disk.
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


def keepers(folder: Path, score: str = "val_f1") -> list[ModelCheckpoint]:
    """Return what keeps the checkpoint of the highest score, and that of the last epoch.

    Two, because Lightning's ``save_last`` skips the epochs that were not the best so far.
    """
    keep = partial(_Keeper, folder / runs.CHECKPOINTS, enable_version_counter=False)
    best = keep(filename=BEST, monitor=score, mode="max")
    return [best, keep(filename=LAST, save_on_train_epoch_end=True)]


class _Keeper(ModelCheckpoint):
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score; the run's folder may have moved since."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else path

        moved = {
            name: here(state_dict[name])
            for name in ("best_model_path", "kth_best_model_path", "last_model_path")
        }
        best = {here(path): score for path, score in state_dict["best_k_models"].items()}
        known = {"dirpath": self.dirpath, "best_k_models": best}
        super().load_state_dict({**state_dict, **moved, **known})


def checkpoint_to_resume(folder: Path) -> Path | None:
    """Return the last checkpoint of a run that can be read, None where there is none yet.

    Raises:
        InputError: there are some, and none can be read.
    """
    found = [folder / runs.CHECKPOINTS / f"{name}.ckpt" for name in (LAST, PREVIOUS)]
    damage = None
    for path in (path for path in found if path.is_file()):
        try:
            content = runs.read_checkpoint(path)
            if missing := sorted(NEEDED - content.keys()):
                raise InputError(f"{path} is not a checkpoint of a training (no {missing[0]})")
        except InputError as error:
            damage = error
            log.warning("%s; trying the one before it", error)
        else:
            return path
    if damage:
        raise InputError(f"{damage}; remove {folder / runs.CHECKPOINTS} to train from the start")
    log.warning("%s has no checkpoint yet; training starts anew", folder)
    return None
