"""A report's folder is replaced as a whole, never file by file."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from bubbleloc.errors import InputError
from bubbleloc.files import exclusive


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder, which takes the place of the folder ``path`` on success.

    An error or a kill leaves the folder that was there before. Writers of one folder take turns;
    the last one stays.
    """
    path = path.resolve()  # a link to a folder stays one
    new, old = _beside(path)
    with exclusive(path, wait=True):
        _tidy(path)
        try:
            new.mkdir()
            yield new
            if path.exists():
                path.rename(old)
            new.rename(path)
        finally:
            _tidy(path)


def tidy_folder(path: Path) -> None:
    """Clear away what a killed `atomic_folder` left, unless another one is at work."""
    path = path.resolve()
    if any(place.exists() for place in _beside(path)):
        with contextlib.suppress(InputError), exclusive(path):
            _tidy(path)


def _tidy(path: Path) -> None:
    new, old = _beside(path)
    if old.exists() and not path.exists():  # killed between the two renames
        old.rename(path)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
