"""Positions of the bubbles in a recording, block of frames by block, on one or many machines.

A block is a file of its own, written whole or not at all, so that an interrupted mapping goes on
with the blocks that are missing, on whatever machine the others were made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from bubbleloc.files import atomic
from bubbleloc.formats import Recording
from bubbleloc.imaging.positions import FrameMethod

FRAMES = 16  # of a block: seconds of work

Prepare = Callable[[], tuple[Recording, FrameMethod]]
"""Opens the recording and makes the method, in the process that needs them."""


@dataclass(frozen=True)
class Blocks:
    """The positions in the frames of a recording, a file per block.

    Attributes:
        folder: of the files; what is there was made by the same method from the same frames.
        frames: of the recording.
    """

    folder: Path
    frames: int

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield the tables of all blocks, which are there, in the order of frames."""
        for block in self._blocks:
            yield pd.DataFrame(np.load(self._path(block), allow_pickle=False))

    @property
    def missing(self) -> list[range]:
        """Frames of the blocks that are not there."""
        return [block for block in self._blocks if not self._path(block).exists()]

    def fill(self, prepare: Prepare, name: str) -> None:
        """Find the bubbles in the blocks that are missing.

        Runs on the workers of `bubbleloc.data.execution.run_workers`.

        Args:
            name: of the method, for the progress bar.
        """
        missing = self.missing
        done = self.frames - sum(map(len, missing))
        bar = tqdm(desc=f"localize ({name})", unit="frame", total=self.frames, initial=done)
        with bar:
            made = Parallel(return_as="generator_unordered")(
                delayed(_locate)(prepare, block, self._path(block)) for block in missing
            )
            for count in made:
                bar.update(count)

    @property
    def _blocks(self) -> list[range]:
        firsts = range(0, self.frames, FRAMES)
        return [range(first, min(first + FRAMES, self.frames)) for first in firsts]

    def _path(self, block: range) -> Path:
        return self.folder / f"{block.start:07d}.npy"


def _locate(prepare: Prepare, block: range, path: Path) -> int:
    """Write the positions in a block of frames; return how many frames these are."""
    recording, method = prepare()
    first = recording.first_frame
    tables = [method(recording.volts[frame]).to_table(first + frame) for frame in block]
    with atomic(path) as unfinished, unfinished.open("wb") as file:
        np.save(file, pd.concat(tables).to_records(index=False), allow_pickle=False)
    return len(block)
