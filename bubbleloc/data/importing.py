"""Import a folder of published signals into a dataset file, one signal at a time."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data import store, writing
from bubbleloc.data.srml import SUFFIXES, Acquisition, UnusableError, read_signal
from bubbleloc.errors import InputError
from bubbleloc.files import exclusive

NAMES_SHOWN = 3


@dataclass
class ImportReport:
    """How many signals were imported, and which files were skipped for what reason."""

    imported: int = 0
    skipped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def reasons(self) -> list[str]:
        """Return a line for every reason, the most frequent first."""
        lines = []
        for reason, names in sorted(self.skipped.items(), key=lambda item: -len(item[1])):
            shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
            lines.append(f"{len(names)} × {reason} ({shown})")
        return lines


def import_folder(
    source: Path, output: Path, acquisition: Acquisition | None = None
) -> ImportReport:
    """Import the ``.txt`` and ``.mat`` files of a folder, in the order of their names.

    All signals have the length of the first one. The file appears when it is complete.

    Args:
        acquisition: sampling rate and speed of sound; the published ones by default.

    Raises:
        InputError: nothing to import, or ``output`` exists or cannot be written.
    """
    acquisition = acquisition or Acquisition()
    if output.suffix != ".h5":
        raise InputError(f"output={output} must end in .h5, such as data/x/train.h5")
    files = _files(source)
    twins = {path.with_suffix(".txt") for path in files if path.suffix == ".mat"}
    report = ImportReport()
    with exclusive(output):
        if output.exists():
            raise InputError(f"{output} exists; remove it or choose another output")
        first = _first_length(files, acquisition, report)
        header = writing.Header(
            samples=first,
            sampling_rate_hz=acquisition.sampling_rate_hz,
            speed_of_sound_m_s=acquisition.speed_of_sound_m_s,
            seed=0,
            split=output.stem,
            config=yaml.safe_dump({"source": "imported", "from": source.name}),
        )
        report = ImportReport()
        with writing.create(output, header) as file:
            for path in tqdm(files, desc=f"import {source}", unit="file", dynamic_ncols=True):
                try:
                    volts, truth = _read(path, twins, acquisition, first)
                except UnusableError as error:
                    report.skipped[str(error)].append(path.name)
                else:
                    writing.append_signal(file, volts, truth)
                    report.imported += 1
    return report


def _files(source: Path) -> list[Path]:
    """Return the files of a folder that may hold signals, sorted by name."""
    if not source.is_dir():
        raise InputError(f"source={source} is no folder; give the one that holds the signals")
    files = sorted(path for path in source.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not files:
        raise InputError(f"{source} holds no {' or '.join(SUFFIXES)} files; give the folder itself")
    return files


def _first_length(files: list[Path], acquisition: Acquisition, report: ImportReport) -> int:
    """Return the samples of the first readable signal."""
    for path in files:
        try:
            return len(read_signal(path, acquisition)[0])
        except UnusableError as error:
            report.skipped[str(error)].append(path.name)
    raise InputError(f"nothing to import in {files[0].parent}: {'; '.join(report.reasons())}")


def _read(
    path: Path, twins: set[Path], acquisition: Acquisition, samples: int
) -> tuple[NDArray[np.float32], store.Truth]:
    """Read one file, which must be no twin of another and of the given length."""
    if path in twins:
        raise UnusableError("the same signal is there as .mat")
    volts, truth = read_signal(path, acquisition)
    if len(volts) != samples:
        raise UnusableError(f"{len(volts)} samples, not {samples}")
    return volts, truth
