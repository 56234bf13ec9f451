"""Training of sequence classifiers: Adam, a rate that drops on plateaus, the best checkpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Timer
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Sampler, TensorDataset

from bubbleloc.console.settings import Smnist
from bubbleloc.errors import InputError
from bubbleloc.examples.images import Part, SequentialImages
from bubbleloc.examples.sequence import CKCNNClassifier, SequenceClassifier, TCNClassifier
from bubbleloc.files import exclusive, write_yaml
from bubbleloc.models import run_folder
from bubbleloc.training.checkpoints import BEST, checkpoint_to_resume
from bubbleloc.training.trainer import isolated, resumable, trainer_of_run

METRIC_NAMES = ("train_loss", "val_accuracy")
RESULT_FILE = "result.yaml"
EVALUATION_BATCH = 256


class Classification(L.LightningModule):
    """A classifier, cross entropy, Adam, and a rate divided where validation stops improving."""

    def __init__(self, network: SequenceClassifier, settings: Smnist) -> None:
        super().__init__()
        self.network, self.settings = network, settings

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        """Return the cross entropy of a batch.

        Raises:
            InputError: it is no number.
        """
        loss = functional.cross_entropy(self.network(batch[0]), batch[1])
        if not loss.isfinite():
            raise InputError(f"the training diverged in epoch {self.current_epoch}; lower lr")
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        """Count the right answers of a batch."""
        right = (self.network(batch[0]).argmax(1) == batch[1]).float().mean()
        self.log("val_accuracy", right, prog_bar=True, batch_size=len(batch[1]))

    def configure_optimizers(self) -> Any:
        """Return Adam and its schedule."""
        adam = torch.optim.Adam(self.network.parameters(), lr=self.settings.lr)
        plateau = self.settings.plateau
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            adam, mode="max", factor=1 / plateau.factor, patience=plateau.patience
        )
        return [adam], [{"scheduler": schedule, "monitor": "val_accuracy"}]

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Leave the schedule to `on_train_epoch_end`, which comes before the checkpoint."""

    def on_train_epoch_end(self) -> None:
        """Divide the rate where the accuracy of validation has not improved for long."""
        schedule: Any = self.lr_schedulers()
        schedule.step(self.trainer.callback_metrics["val_accuracy"])


class Shuffled(Sampler[int]):
    """All of ``count`` items in an order keyed by seed and epoch."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self.epoch = count, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; the training loop calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        key = np.random.SeedSequence(self.seed, spawn_key=(self.epoch,))
        return iter(np.random.default_rng(key).permutation(self.count).tolist())


def run(
    settings: Smnist, data: SequentialImages, folder: Path, *, resume: bool = False
) -> dict[str, Any]:
    """Train and test as the settings of the command say; return the result.

    Writes the configuration, the best and the last checkpoint, logs and ``result.yaml`` to
    ``folder``; with `resume` continues from the last checkpoint there.

    Raises:
        InputError: a setting that makes no sense, a folder that holds another run or is in use,
            or a training that diverged.
    """
    with isolated(settings.seed):
        network = build_classifier(settings, data.samples)
        minutes = fit(network, data, settings, folder, resume=resume)
    result = {
        "images": data.name,
        "parameters": sum(p.numel() for p in network.parameters()),
        "val_accuracy": accuracy(network, data.val),
        "test_accuracy": accuracy(network, data.test),
        "minutes": round(minutes, 2),
    }
    write_yaml(folder / RESULT_FILE, result)
    return result


def build_classifier(settings: Smnist, samples: int) -> SequenceClassifier:
    """Return the untrained classifier of the settings for sequences of ``samples``.

    Raises:
        InputError: a setting that the network refuses.
    """
    names = ["hidden_channels", "dropout", "input_dropout"]
    network: type[Any]
    if settings.network == "tcn":
        network, kernel, names = TCNClassifier, 7, [*names, "levels"]
    else:
        network, kernel = CKCNNClassifier, samples | 1  # a kernel needs a middle
        names += ["blocks", "norm", "omega_0", "hidden_features", "init"]
    arguments = {name: getattr(settings, name) for name in names}
    try:
        return network(kernel=settings.kernel or kernel, **arguments)
    except ValueError as error:
        raise InputError(str(error)) from error


def fit(
    network: SequenceClassifier,
    data: SequentialImages,
    settings: Smnist,
    folder: Path,
    *,
    resume: bool = False,
) -> float:
    """Train ``network`` and leave it with the weights of its best epoch on the validation part.

    Returns:
        Minutes of training, without epochs that were interrupted.

    Raises:
        InputError: ``folder`` holds another run or is in use, or the training diverged.
    """
    learner, timer = Classification(network, settings), Timer()
    order = Shuffled(len(data.train.labels), settings.seed)
    train, val = _batches(data.train, settings.batch_size, order), _batches(data.val)
    with exclusive(folder / run_folder.CONFIG_FILE):
        if not resume:
            run_folder.begin(folder, settings)
        checkpoint = checkpoint_to_resume(folder, learner) if resume else None
        common = trainer_of_run(folder, settings.seed, METRIC_NAMES, "val_accuracy")
        common["callbacks"].append(timer)
        trainer = L.Trainer(
            max_epochs=settings.epochs, accelerator=settings.accelerator, devices=1, **common
        )
        with resumable(folder, "smnist"):
            trainer.fit(learner, train, val, ckpt_path=checkpoint, weights_only=True)
    _restore(network, folder)
    return timer.time_elapsed() / 60


def load_classifier(folder: Path, samples: int) -> SequenceClassifier:
    """Return the trained classifier of a run for sequences of ``samples``, in evaluation mode.

    Raises:
        InputError: ``folder`` holds no run, or a damaged one.
    """
    network = build_classifier(run_folder.read_settings(folder, Smnist), samples)
    _restore(network, folder)
    return network


def _restore(network: SequenceClassifier, folder: Path) -> None:
    """Give ``network`` the weights of the best epoch."""
    network.load_state_dict(run_folder.network_weights(run_folder.checkpoint_path(folder, BEST)))
    network.cpu().eval()


@torch.inference_mode()
def accuracy(network: SequenceClassifier, part: Part) -> float:
    """Return the share of sequences that ``network`` classifies right."""
    right = sum(int((network(x).argmax(1) == labels).sum()) for x, labels in _batches(part))
    return right / len(part.labels)


def _batches(
    part: Part, size: int = EVALUATION_BATCH, order: Sampler[int] | None = None
) -> DataLoader[tuple[Tensor, ...]]:
    """Return batches of sequences (b, 1, L) and labels (b,), in their own order if None."""
    sequences, labels = torch.from_numpy(part.sequences), torch.from_numpy(part.labels)
    return DataLoader(TensorDataset(sequences[:, None], labels), size, sampler=order)
