"""Randomness keyed by seed and epoch, so that an epoch done again is the same epoch.

Checkpoints are written at the end of epochs; a training that goes on from one therefore needs no
random state of the process that was stopped.
"""

from collections.abc import Iterator
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.utils.data import Sampler


class RandomnessByEpoch(L.Callback):
    """Keys what layers draw in an epoch, such as dropout masks, by seed, epoch and process.

    It does so before the first batch, because Lightning reads loaders, which draw a number, before
    ``on_train_epoch_start`` in an epoch after resuming, and after it in others.
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
