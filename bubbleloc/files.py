"""Files that are there when they are complete, and not before."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary name of the same suffix, whose file takes its own name if all went well.

    Folders that are missing are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8 with plain line ends."""
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_yaml(path: Path, content: Any) -> Path:
    """Write plain data, in its order."""
    return write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
