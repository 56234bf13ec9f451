"""Training lines that never repeat, simulated while the training goes on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.data.dataset import Lines
from bubbleloc.data.execution import run_workers
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.physics import Bubbles, Setup, Signal, simulate_rf, true_bubbles


class StreamedLines(Lines):
    """The split "train" of a dataset as if it were endless, in memory one epoch at a time.

    Epoch e has its signals e·n … (e + 1)·n − 1: the same after a resumption and for any number of
    workers. Worker processes simulate the next epoch during the present one.

    Args:
        plan: of the dataset; n is its number of training signals.
        epochs: of the whole training.
        noise, seed: see `Lines`.
        workers: processes that simulate; None for one per core.
    """

    def __init__(
        self,
        plan: DatasetPlan,
        epochs: int,
        noise: Noise = NO_NOISE,
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        setup = plan.setup()
        super().__init__(
            setup.samples,
            setup.scale,
            range(plan.signals["train"]),
            noise=noise,
            split="train",
            seed=seed,
            receive=setup.probe.receive,
        )
        self.plan, self.epochs, self.workers = plan, epochs, workers
        self._lines: list[Signal] = []
        self._epoch = -1
        self._next: tuple[int, Iterator[Signal]] | None = None

    def begin(self, epoch: int) -> None:
        """Wait for the lines of an epoch, and let workers simulate those of the next."""
        if epoch == self._epoch:
            return
        with run_workers(len(self), workers=self.workers):
            if self._next is None or self._next[0] != epoch:
                self._next = epoch, self._simulate(epoch)
            bar = tqdm(self._next[1], f"simulate epoch {epoch}", len(self), delay=1, unit="signal")
            self._lines, self._epoch = list(bar), epoch
            more = epoch + 1 < self.epochs
            self._next = (epoch + 1, self._simulate(epoch + 1)) if more else None

    def _simulate(self, epoch: int) -> Iterator[Signal]:
        first, setup = epoch * len(self), self.plan.setup()
        tasks = (
            delayed(_simulated)(self.plan, setup, index)
            for index in range(first, first + len(self))
        )
        lines: Iterator[Signal] = Parallel(return_as="generator", pre_dispatch="all")(tasks)
        return lines

    def raw_volts(self, index: int) -> Float32s:
        """Return a line of the present epoch, (L,) volts, without noise."""
        return self._lines[index].volts

    def bubbles(self, index: int) -> Bubbles:
        """Return the true bubbles of a line of the present epoch."""
        return self._lines[index].bubbles

    @property
    def pressure_pa(self) -> Floats:
        """Amplitude of the pulse in every line of the present epoch, (n,)."""
        return np.array([line.pressure_pa for line in self._lines])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_next": None}


def _simulated(plan: DatasetPlan, setup: Setup, index: int) -> Signal:
    scene = plan.scene("train", index, setup)
    volts = simulate_rf(scene, setup).volts
    return Signal(volts, true_bubbles(scene, setup), scene.pressure_pa)
