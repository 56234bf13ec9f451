"""Import a folder of published signals into a dataset file, one signal at a time."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from tqdm import tqdm

from bubbleloc.data import store
from bubbleloc.errors import InputError, printable
from bubbleloc.files import exclusive
from bubbleloc.formats.srml import PUBLISHED, SUFFIXES, read_signal
from bubbleloc.physics import Signal
from bubbleloc.units import Scale

NAMES_SHOWN = 3


@dataclass
class ImportReport:
    """How many signals were imported, and the files that were skipped for each reason."""

    imported: int = 0
    skipped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def reasons(self) -> list[str]:
        """Return a line for every reason, the most frequent first."""
        lines = []
        for reason, names in sorted(self.skipped.items(), key=lambda item: -len(item[1])):
            shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
            lines.append(f"{len(names)} × {reason} ({shown})")
        return lines

    def skip(self, path: Path, reason: str) -> None:
        """Note why a file is skipped; its name must not move the cursor of a terminal."""
        self.skipped[reason].append(printable(path.name))

    def read(self, path: Path, scale: Scale, samples: int | None = None) -> Signal | None:
        """Read a file; note why it is skipped if it cannot be used or has another length."""
        try:
            signal = read_signal(path, scale)
            if samples not in (None, len(signal.volts)):
                raise InputError(f"{len(signal.volts)} samples, not {samples}")
        except InputError as error:
            self.skip(path, str(error))
            return None
        return signal


def import_folder(source: Path, output: Path, scale: Scale = PUBLISHED) -> ImportReport:
    """Import the ``.txt`` and ``.mat`` files of a folder, in the order of their names.

    All signals have the length of the first one. Of a signal in both formats the ``.mat`` file is
    imported.

    Args:
        scale: sampling rate and speed of sound of the signals, and the frequency of their pulse
            where it is known.

    Raises:
        InputError: nothing to import, or ``output`` exists or cannot be written.
    """
    if output.suffix != ".h5":
        raise InputError(f"output={output} must end in .h5, such as data/x/train.h5")
    files = _files(source)
    twins = {path.with_suffix(".txt") for path in files if path.suffix == ".mat"}
    report = ImportReport()
    with exclusive(output):
        if output.exists():
            raise InputError(f"{output} exists; remove it or choose another output")
        samples = _first_length(files, scale)
        pulse = {"frequency_hz": scale.frequency_hz}
        origin = {"source": "imported", "from": source.name, "physics": pulse}
        with store.create(
            output,
            samples=samples,
            scale=scale,
            seed=0,
            split=output.stem,
            config=yaml.safe_dump(origin),
        ) as file:
            for path in tqdm(files, desc=f"import {source}", unit="file", dynamic_ncols=True):
                if path in twins:
                    report.skip(path, "the same signal is there as .mat")
                elif signal := report.read(path, scale, samples):
                    store.append_signal(file, signal)
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


def _first_length(files: list[Path], scale: Scale) -> int:
    """Return the samples of the first readable signal."""
    report = ImportReport()
    for path in files:
        if signal := report.read(path, scale):
            return len(signal.volts)
    raise InputError(f"nothing to import in {files[0].parent}: {'; '.join(report.reasons())}")
