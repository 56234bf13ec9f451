"""One progress bar over a whole training, with an estimate of its end."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm


class TrainingProgress(ProgressBar):
    """Counts batches over all epochs and shows the latest loss and validation F1."""

    _bar: "tqdm[Any]" = tqdm(disable=True)

    def disable(self) -> None:
        """Lightning asks for it in all processes but the first, where `on_train_start` does it."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar, at the place where a resumed training goes on."""
        batches, epochs = int(trainer.num_training_batches), trainer.max_epochs or 1
        self._bar = tqdm(
            desc="train",
            unit="batch",
            total=batches * epochs,
            initial=batches * trainer.current_epoch,
            dynamic_ncols=True,
            disable=not trainer.is_global_zero,
        )

    def on_train_batch_end(self, *_: Any) -> None:
        """Move on by one batch."""
        self._bar.update()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the metrics of the epoch."""
        metrics = sorted(self.get_metrics(trainer, pl_module).items())
        self._bar.set_postfix({k: f"{value:.3f}" for k, value in metrics if k != "v_num"})

    def on_train_end(self, *_: Any) -> None:
        """Close the bar."""
        self._bar.close()

    def on_exception(self, *_: Any) -> None:
        """Close the bar before the error is shown."""
        self._bar.close()
