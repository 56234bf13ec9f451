"""Atomic file writes, and size limits for files from elsewhere."""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import yaml

from bubbleloc.errors import InputError

MOST_BYTES = 2**31  # of what has to be read in one piece
MOST_SAMPLES = 2**24  # of an RF line
_PIECE = 2**20
_MAT_HEADER, _MAT_COMPRESSED = 128, 15


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
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
    with atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_yaml(path: Path, content: Any) -> Path:
    """Write plain data, in its order."""
    return write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def check_bytes(path: Path, claimed: int | None = None) -> None:
    """Refuse a file that is, or claims to be, too large to be read in one piece.

    Raises:
        InputError: more than `MOST_BYTES`.
    """
    found = path.stat().st_size if claimed is None else claimed
    if found > MOST_BYTES:
        raise InputError(
            f"{path} holds {found / 2**30:.1f} GiB in one piece, more than the "
            f"{MOST_BYTES / 2**30:g} that are read; split it, or give HDF5 or .npy"
        )


def check_zip(path: Path) -> None:
    """Refuse a zip archive (``.npz``, checkpoints) whose contents are too large together.

    Raises:
        InputError: so, or it is no zip archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged: it is no zip archive") from error
    check_bytes(path, claimed)


def check_mat(path: Path) -> None:
    """Refuse a MATLAB 5 file whose compressed variables are too large when unpacked.

    They are unpacked piece by piece, keeping nothing.

    Raises:
        InputError: so.
    """
    check_bytes(path)
    total = 0
    with path.open("rb") as file:
        order = file.read(_MAT_HEADER)[126:128]
        tag = "<II" if order == b"IM" else ">II"
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack(tag, head)
            end = file.tell() + size
            if kind == _MAT_COMPRESSED:
                stream = zlib.decompressobj()
                try:
                    while file.tell() < end and (
                        piece := file.read(min(_PIECE, end - file.tell()))
                    ):
                        while piece:
                            total += len(stream.decompress(piece, _PIECE))
                            check_bytes(path, total)
                            piece = stream.unconsumed_tail
                except zlib.error:
                    return  # the reader says better what is wrong
            file.seek(end)


def check_hdf5(path: Path, dataset: h5py.Dataset, whole: bool = False) -> None:
    """Refuse an HDF5 dataset whose chunks, or which itself if read whole, are too large.

    Raises:
        InputError: so.
    """
    chunk = dataset.dtype.itemsize
    for length in dataset.shape if whole else dataset.chunks or ():
        chunk *= int(length)
    check_bytes(path, chunk)
