"""Import a folder of published signals into a dataset file, one signal at a time."""

from collections import defaultdict
from collections.abc import Iterator
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

    def read(self, files: list[Path], scale: Scale) -> Iterator[Signal]:
        """Yield the signals of files, as long as the first; note why the others are skipped."""
        twins = {path.with_suffix(".txt") for path in files if path.suffix == ".mat"}
        samples = None
        for path in tqdm(files, f"import {files[0].parent}", unit="file", dynamic_ncols=True):
            try:
                if path in twins:
                    raise InputError("the same signal is there as .mat")
                signal = read_signal(path, scale)
                samples = samples or len(signal.volts)
                if len(signal.volts) != samples:
                    raise InputError(f"{len(signal.volts)} samples, not {samples}")
            except InputError as error:  # a name must not move the cursor of a terminal
                self.skipped[str(error)].append(printable(path.name))
            else:
                self.imported += 1
                yield signal


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
    report = ImportReport()
    signals = report.read(_files(source), scale)
    with exclusive(output):
        if output.exists():
            raise InputError(f"{output} exists; remove it or choose another output")
        first = next(signals, None)
        if first is None:
            raise InputError(f"nothing to import in {source}: {'; '.join(report.reasons())}")
        pulse = {"frequency_hz": scale.frequency_hz}
        origin = {"source": "imported", "from": source.name, "physics": pulse}
        with store.create(
            output,
            samples=len(first.volts),
            scale=scale,
            seed=0,
            split=output.stem,
            config=yaml.safe_dump(origin),
        ) as file:
            store.append_signal(file, first)
            for signal in signals:
                store.append_signal(file, signal)
    return report


def _files(source: Path) -> list[Path]:
    """Return the files of a folder that may hold signals, sorted by name."""
    if not source.is_dir():
        raise InputError(f"source={source} is no folder; give the one that holds the signals")
    files = sorted(path for path in source.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not files:
        raise InputError(f"{source} holds no {' or '.join(SUFFIXES)} files; give the folder itself")
    return files
