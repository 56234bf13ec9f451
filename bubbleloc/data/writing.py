"""Write dataset files that survive a killed process and a full disk.

Storage of the RF lines is allocated, and written, when the file is created. Filling them in later
changes raw data only: a killed process leaves a readable file, and a full disk is noticed before
anything is simulated.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import ArrayLike

from bubbleloc import __version__
from bubbleloc.arrays import Float32s
from bubbleloc.data.store import SCHEMA_VERSION
from bubbleloc.files import atomic, explain_write_errors
from bubbleloc.physics import Bubbles, Signal
from bubbleloc.physics.scene import BUBBLE_FIELDS
from bubbleloc.units import Scale

BUBBLE_CHUNK = 4096  # bubbles stored side by side
SIGNAL_CHUNK = 1024


@contextlib.contextmanager
def create(
    path: Path,
    *,
    samples: int,
    scale: Scale,
    seed: int,
    split: str,
    config: str,
) -> Iterator[h5py.File]:
    """Open a new dataset file of no signals, which appears at ``path`` when the block ends.

    The caller holds the lock of the file.

    Args:
        samples: of an RF line.
        scale: what one of them is worth.
        config: resolved YAML that defines the content; a resumed file must have the same.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    with (
        explain_write_errors(path),
        atomic(path) as unfinished,
        h5py.File(unfinished, "w") as file,
    ):
        file.attrs.update(
            schema_version=SCHEMA_VERSION,
            sampling_rate_hz=scale.sampling_rate_hz,
            speed_of_sound_m_s=scale.speed_of_sound_m_s,
            seed=seed,
            split=split,
            config=config,
            software=f"bubbleloc {__version__}",
        )
        if scale.frequency_hz is not None:
            file.attrs["frequency_hz"] = scale.frequency_hz
        _allocate(file, "rf", np.float32, (1, samples))
        _allocate(file, "done", np.bool_, (SIGNAL_CHUNK,))
        _allocate(file, "pressure_pa", np.float64, (SIGNAL_CHUNK,))
        file.create_group("bubbles")
        _allocate(file, "bubbles/offset", np.int64, (SIGNAL_CHUNK,))
        file["bubbles/offset"].resize(1, axis=0)
        for field in BUBBLE_FIELDS:
            _allocate(file, f"bubbles/{field}", np.float64, (BUBBLE_CHUNK,))
        yield file


def _allocate(file: h5py.File, name: str, dtype: type, chunk: tuple[int, ...]) -> None:
    """Create a growing dataset of zeros whose storage exists as soon as it grows."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_ALLOC)
    settings.set_chunk(chunk)
    space = h5py.h5s.create_simple((0, *chunk[1:]), (h5py.h5s.UNLIMITED, *chunk[1:]))
    kind = h5py.h5t.py_create(dtype, logical=True)
    h5py.h5d.create(file.id, name.encode(), kind, space, settings)


def append_truth(file: h5py.File, pressure_pa: Sequence[float], bubbles: Sequence[Bubbles]) -> None:
    """Add the pressure and the bubbles of signals after those that are there."""
    ends = np.cumsum([len(of_signal) for of_signal in bubbles])
    _append(file["pressure_pa"], pressure_pa)
    _append(file["bubbles/offset"], file["bubbles/offset"][-1] + ends)
    together = Bubbles.concatenate(bubbles)
    for field in BUBBLE_FIELDS:
        _append(file[f"bubbles/{field}"], getattr(together, field))


def append_signal(file: h5py.File, signal: Signal) -> None:
    """Add a finished signal."""
    append_truth(file, [signal.pressure_pa], [signal.bubbles])
    _append(file["rf"], [signal.volts])
    _append(file["done"], [True])


def reserve_lines(file: h5py.File) -> None:
    """Allocate an RF line, not done, for every signal whose truth is there."""
    for name in ("rf", "done"):
        file[name].resize(file["pressure_pa"].shape[0], axis=0)


def _append(dataset: h5py.Dataset, rows: ArrayLike) -> None:
    count = len(np.asarray(rows))
    dataset.resize(dataset.shape[0] + count, axis=0)
    if count:
        dataset[-count:] = rows


def write_line(file: h5py.File, index: int, volts: Float32s) -> None:
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
