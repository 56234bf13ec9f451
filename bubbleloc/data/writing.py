"""Write dataset files so that neither a kill, a full disk nor a second writer spoils one.

A file is laid out under the name ``train.h5.new`` and renamed when all truth is in it. Storage of
the RF lines is allocated, and written, by then: filling them later changes raw data only, so a
killed process leaves a readable file, and a full disk is noticed before anything is simulated.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bubbleloc import __version__
from bubbleloc.data.schema import BUBBLE_FIELDS, SCHEMA_VERSION
from bubbleloc.data.store import Truth
from bubbleloc.files import atomic, explain_write_errors

BUBBLE_CHUNK = 4096  # bubbles stored side by side
SIGNAL_CHUNK = 1024


@dataclass(frozen=True)
class Header:
    """What a dataset file says of itself in its root attributes.

    Attributes:
        samples: of an RF line.
        config: resolved YAML that defines the content; a resumed file must have the same.
    """

    samples: int
    sampling_rate_hz: float
    speed_of_sound_m_s: float
    seed: int
    split: str
    config: str


@contextlib.contextmanager
def create(path: Path, header: Header) -> Iterator[h5py.File]:
    """Open a new dataset file of no signals, to be renamed to ``path`` when the block ends.

    The caller holds the claim; what a killed predecessor left is overwritten.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    with (
        explain_write_errors(path),
        atomic(path) as unfinished,
        h5py.File(unfinished, "w") as file,
    ):
        _lay_out(file, header)
        yield file


def _lay_out(file: h5py.File, header: Header) -> None:
    """Write the attributes and empty datasets."""
    file.attrs.update(
        schema_version=SCHEMA_VERSION,
        sampling_rate_hz=header.sampling_rate_hz,
        speed_of_sound_m_s=header.speed_of_sound_m_s,
        seed=header.seed,
        split=header.split,
        config=header.config,
        software=f"bubbleloc {__version__}",
    )
    _allocate(file, "rf", np.float32, (1, header.samples))
    _allocate(file, "done", np.bool_, (SIGNAL_CHUNK,))
    _allocate(file, "pressure_pa", np.float64, (SIGNAL_CHUNK,))
    file.create_group("bubbles")
    _allocate(file, "bubbles/offset", np.int64, (SIGNAL_CHUNK,))
    file["bubbles/offset"].resize(1, axis=0)
    for field in BUBBLE_FIELDS:
        _allocate(file, f"bubbles/{field}", np.float64, (BUBBLE_CHUNK,))


def _allocate(file: h5py.File, name: str, dtype: type, chunk: tuple[int, ...]) -> None:
    """Create a growing dataset of zeros whose storage exists as soon as it grows."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_ALLOC)
    settings.set_chunk(chunk)
    space = h5py.h5s.create_simple((0, *chunk[1:]), (h5py.h5s.UNLIMITED, *chunk[1:]))
    kind = h5py.h5t.py_create(dtype, logical=True)
    h5py.h5d.create(file.id, name.encode(), kind, space, settings)


def append_truth(file: h5py.File, truth: Truth) -> None:
    """Add the truth of k signals after those that are there."""
    bubbles = int(file["bubbles/offset"][-1])
    _append(file["pressure_pa"], truth.pressure_pa)
    _append(file["bubbles/offset"], truth.offset[1:] + bubbles)
    for field in BUBBLE_FIELDS:
        _append(file[f"bubbles/{field}"], getattr(truth, field))


def append_signal(file: h5py.File, volts: NDArray[np.float32], truth: Truth) -> None:
    """Add a signal that is done, (samples,) volts, with its truth."""
    append_truth(file, truth)
    _append(file["rf"], volts[None])
    _append(file["done"], np.ones(1, dtype=np.bool_))


def reserve_lines(file: h5py.File) -> None:
    """Allocate an RF line, not done, for every signal whose truth is there."""
    for name in ("rf", "done"):
        file[name].resize(file["pressure_pa"].shape[0], axis=0)


def _append(dataset: h5py.Dataset, rows: NDArray[np.generic]) -> None:
    dataset.resize(dataset.shape[0] + len(rows), axis=0)
    if len(rows):
        dataset[-len(rows) :] = rows


def write_line(file: h5py.File, index: int, volts: NDArray[np.float32]) -> None:
    """Fill in the RF line of a signal and mark it done.

    Raises:
        InputError: the write failed; the signal then does not count as done.
    """
    with explain_write_errors(Path(file.filename)):
        file["rf"][index] = volts
        file.flush()  # the line is on its way to the disk before it counts as done
        file["done"][index] = True


@contextlib.contextmanager
def closing(file: h5py.File) -> Iterator[h5py.File]:
    """Close a file at the end of a block, where the last writes may fail."""
    try:
        yield file
    finally:
        with explain_write_errors(Path(file.filename)):
            file.close()
