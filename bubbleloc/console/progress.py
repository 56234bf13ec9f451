"""One progress bar over a whole training, with an estimate of its end."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar
from tqdm import tqdm


class TrainingProgress(ProgressBar):
    """Counts batches over all epochs and shows the latest loss and validation F1."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm[Any] | None = None
        self._enabled = True

    def disable(self) -> None:
        """Show nothing; Lightning asks for it in all processes but the first."""
        self._enabled = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar, at the place where a resumed training goes on."""
        if not self._enabled:
            return
        batches, epochs = int(trainer.num_training_batches), trainer.max_epochs or 1
        self._bar = tqdm(
            desc="train",
            unit="batch",
            total=batches * epochs,
            initial=batches * trainer.current_epoch,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, *_: Any) -> None:
        """Move on by one batch."""
        if self._bar is not None:
            self._bar.update()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the metrics of the epoch."""
        if self._bar is not None:
            metrics = {
                name: f"{value:.3f}"
                for name, value in sorted(self.get_metrics(trainer, pl_module).items())
                if name != "v_num"
            }
            self._bar.set_postfix(metrics)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Close the bar before the error is shown."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
