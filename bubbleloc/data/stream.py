"""Training lines that never repeat, simulated while the training goes on."""

from collections.abc import Iterator
from typing import Any

from joblib import Parallel, delayed
from tqdm import tqdm

from bubbleloc.arrays import Float32s
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.execution import run_workers
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.physics import Bubbles, Setup, Signal, simulate_rf, true_bubbles


class StreamedLines(RFDataset):
    """The split "train" of a dataset as if it were endless, in memory one epoch at a time.

    Epoch e has its signals e·n … (e + 1)·n − 1: the same after a resumption and for any number of
    workers. Worker processes simulate the next epoch during the present one. What is common to
    all lines of a dataset is read from its validation split.

    Args:
        plan: of the dataset; n is its number of training signals.
        epochs: of the whole training.
        noise, seed: see `RFDataset`.
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
        super().__init__(plan.path("val"), noise, "train", seed)
        self.plan, self.epochs, self.workers = plan, epochs, workers
        self.signals = list(range(plan.signals["train"]))
        self._lines: list[Signal] = []
        self._epoch = -1
        self._next: tuple[int, Iterator[Signal]] | None = None

    def begin(self, epoch: int) -> None:
        """Wait for the lines of an epoch, and let workers simulate those of the next."""
        if epoch == self._epoch:
            return
        with run_workers(len(self.signals), workers=self.workers):
            if self._next is None or self._next[0] != epoch:
                self._next = epoch, self._simulate(epoch)
            waiting = f"simulate epoch {epoch}"
            bar = tqdm(self._next[1], waiting, len(self.signals), delay=1, unit="signal")
            self._lines, self._epoch = list(bar), epoch
            more = epoch + 1 < self.epochs
            self._next = (epoch + 1, self._simulate(epoch + 1)) if more else None

    def _simulate(self, epoch: int) -> Iterator[Signal]:
        first, setup = epoch * len(self.signals), self.plan.setup()
        tasks = (
            delayed(_simulated)(self.plan, setup, index)
            for index in range(first, first + len(self.signals))
        )
        lines: Iterator[Signal] = Parallel(return_as="generator", pre_dispatch="all")(tasks)
        return lines

    def raw_volts(self, index: int) -> Float32s:
        """Return a line of the present epoch, (L,) volts, without noise."""
        return self._lines[index].volts

    def bubbles(self, index: int) -> Bubbles:
        """Return the bubbles of a line of the present epoch."""
        return self._lines[index].bubbles

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_next": None}


def _simulated(plan: DatasetPlan, setup: Setup, index: int) -> Signal:
    scene = plan.scene("train", index, setup)
    volts = simulate_rf(scene, setup).volts
    return Signal(volts, true_bubbles(scene, setup), scene.pressure_pa)
