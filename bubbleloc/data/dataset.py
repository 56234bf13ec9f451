"""RF lines with their bubble counts, read from a dataset file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, default_collate

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.store import SPLITS, open_dataset, receive_response, scale_of
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene
from bubbleloc.physics.transducer import P4_1

NOISE, AUGMENTATION = 1, 2  # first part of random keys: what the numbers are for


class Line(TypedDict):
    """A line, rf (1, L) volts, with its bubbles.

    For training on crops: the bubbles of one crop alone, from sample ``start`` () on.

    Attributes:
        count: bubbles per sample, (1, L) or (1, crop).
        bubbles: arrival in samples from ``start`` on, and radius in µm, (E, 2). In batches, lines
            with fewer bubbles end with NaN.
    """

    rf: Tensor
    count: Tensor
    start: Tensor
    bubbles: Tensor


def collate(lines: Sequence[Line]) -> Line:
    """Return lines as one batch."""
    batch: Line = default_collate([{**line, "bubbles": 0} for line in lines])
    bubbles = [line["bubbles"] for line in lines]
    batch["bubbles"] = pad_sequence(bubbles, batch_first=True, padding_value=np.nan)
    return batch


@dataclass(frozen=True)
class Batch:
    """Lines with their truth: rf (b, L) volts, count (b, L) bubbles per sample.

    ``arrival_sample`` holds the arrival samples of each line's bubbles, not rounded.
    """

    rf: Float32s
    count: Float32s
    arrival_sample: list[Floats]


class RFDataset(Dataset[Line]):
    """The signals of a dataset file, or some of them.

    The file is opened on first use, once in every worker process.

    Args:
        path: dataset file.
        noise: added to every line, see `volts`.
        split: whose noise it is; no two splits share noise.
        seed: another seed gives other noise.
        signals: which signals of the file; None for all.
    """

    def __init__(
        self,
        path: Path,
        noise: Noise = NO_NOISE,
        split: str = "test",
        seed: int = 0,
        signals: Sequence[int] | None = None,
    ) -> None:
        self.path, self.noise, self.split, self.seed = Path(path), noise, split, seed
        self._file: h5py.File | None = None
        with open_dataset(self.path) as file:
            if not file["done"][:].all():
                raise InputError(f"{path} is incomplete; run bubbleloc.simulate to finish it")
            self.signals_in_file, self.samples = (int(size) for size in file["rf"].shape)
            self.signals = list(range(self.signals_in_file) if signals is None else signals)
            self.scale = scale_of(file)
            self._receive = receive_response(file) if noise.is_received else P4_1.receive
            self.pressure_pa: Floats = file["pressure_pa"][:][self.signals]
            self._offset: Ints = file["bubbles/offset"][:]

    def __len__(self) -> int:
        return len(self.signals)

    def begin(self, epoch: int) -> None:
        """Prepare the lines of an epoch; those of a file are always there."""

    def __getitem__(self, index: int) -> Line:
        return self.line(index, self.volts(index), 0, self.samples)

    def line(self, index: int, volts: Float32s, start: int, samples: int) -> Line:
        """Return a line as ``volts`` (L,) with the bubbles of ``samples`` from ``start`` on."""
        arrival, radius_m = self.arrival_sample(index), self.radius_m(index)
        count = self._counted(arrival, index)[start : start + samples]
        own = np.rint(arrival) - start
        inside = (own >= 0) & (own < samples)
        bubbles = np.stack([arrival - start, 1e6 * radius_m], axis=1)[inside]
        return Line(
            rf=torch.from_numpy(volts).unsqueeze(0),
            count=torch.from_numpy(count).unsqueeze(0),
            start=torch.tensor(start),
            bubbles=torch.from_numpy(bubbles.astype(np.float32)),
        )

    @property
    def bubbles(self) -> Ints:
        """Number of bubbles of each signal, (n,)."""
        return np.diff(self._offset)[self.signals]

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate of the lines."""
        return self.scale.sampling_rate_hz

    def volts(self, index: int, *draw: int) -> Float32s:
        """Return an RF line, (L,) volts, with its noise.

        Args:
            draw: numbers that choose the noise, such as epoch and place in it; without them, a
                signal has the same noise every time.
        """
        rng = self.rng(NOISE, index, *draw)
        return self.noise(self.raw_volts(index), rng, self.sampling_rate_hz, self._receive)

    def raw_volts(self, index: int) -> Float32s:
        """Return an RF line, (L,) volts, without noise."""
        signal = self.signals[index]
        volts: Float32s = self.file["rf"][signal]
        if not np.isfinite(volts).all():
            raise InputError(f"{self.path}: signal {signal} has NaN or infinite volts; remove it")
        return volts

    def rng(self, purpose: int, index: int, *draw: int) -> np.random.Generator:
        """Return the random numbers of a line for one purpose; ``draw`` as in `volts`."""
        key = (purpose, SPLITS.index(self.split), self.signals[index], *draw)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def arrival_sample(self, index: int) -> Floats:
        """Return the arrival samples of a signal's bubbles, not rounded."""
        return self._of_bubbles("arrival_sample", index)

    def radius_m(self, index: int) -> Floats:
        """Return the radii of a signal's bubbles; NaN where an imported file does not tell."""
        return self._of_bubbles("radius_m", index)

    def _of_bubbles(self, field: str, index: int) -> Floats:
        signal = self.signals[index]
        values: Floats = self.file[f"bubbles/{field}"][slice(*self._offset[signal : signal + 2])]
        return values

    def scene(self, index: int) -> Scene:
        """Return the bubbles of a signal, and the pressure that they met."""
        depth_m, lateral_m = (self._of_bubbles(f, index) for f in ("depth_m", "lateral_m"))
        return Scene(depth_m, lateral_m, self.radius_m(index), float(self.pressure_pa[index]))

    def count(self, index: int) -> Float32s:
        """Return the bubbles per sample (L,), each bubble at its rounded arrival sample."""
        return self._counted(self.arrival_sample(index), index)

    def _counted(self, arrival: Floats, index: int) -> Float32s:
        samples = np.rint(arrival).astype(np.int64)
        if samples.size and not 0 <= samples.min() <= samples.max() < self.samples:
            raise InputError(
                f"{self.path}: signal {self.signals[index]} has an arrival outside its "
                f"{self.samples} samples; correct bubbles/arrival_sample"
            )
        return np.bincount(samples, minlength=self.samples).astype(np.float32)

    @property
    def file(self) -> h5py.File:
        """The open file of this process."""
        if self._file is None:
            self._file = open_dataset(self.path)
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}  # an open file cannot travel to a worker
