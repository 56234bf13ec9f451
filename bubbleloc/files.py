"""Atomic writes of files and folders, locks, and size limits for files from elsewhere."""

import contextlib
import hashlib
import os
import re
import shutil
import socket
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from bubbleloc.errors import InputError

MOST_BYTES = 2**31  # of what has to be read in one piece
MOST_SAMPLES = 2**18  # of an RF line: 3 m at 62.5 MHz
MOST_YAML_BYTES = 2**20
WRITTEN = ".bubbleloc"  # a file in a folder that is replaced as a whole: the names that we wrote

CUT_OFF = "is cut off, as by a copy that was interrupted or a full disk: copy it again"
IN_USE = "is open in another program, which has locked it: close it there"
HDF5_TROUBLES = {"unable to lock file": IN_USE, "truncated file": CUT_OFF}
"""What HDF5 says of a file, and what we say."""


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path of the same suffix, which is renamed to ``path`` on success.

    An error, a kill or a power cut leaves the file that was there before. Missing folders are
    made, and temporary files of killed processes in the folder are removed.
    """
    unfinished = path.with_name(f"{_temporary_prefix()}{os.getpid()}-{path.name}")
    with folder_of(path):
        remove_stale(path.parent)
        try:
            yield unfinished
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()


@contextlib.contextmanager
def folder_of(path: Path) -> Iterator[None]:
    """Make the missing folders of a file; remove those that are still empty when the block ends."""
    missing = [folder for folder in path.parents if not folder.exists()]  # innermost first
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for folder in missing:
                folder.rmdir()


def remove_stale(folder: Path) -> None:
    """Remove temporary files that killed processes of this machine left in a folder."""
    prefix = _temporary_prefix()
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{prefix}*"):
            pid = path.name.removeprefix(prefix).partition("-")[0]
            if pid.isdecimal() and not _is_running(int(pid)):
                path.unlink(missing_ok=True)


def _temporary_prefix() -> str:
    """Return how names of our temporary files begin; other machines may share the folder."""
    return f".bubbleloc-{zlib.crc32(socket.gethostname().encode()):x}-"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def write_text(path: Path, text: str) -> Path:
    """Write a text in UTF-8 with plain line ends."""
    with atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
    return path


def write_yaml(path: Path, content: Any) -> Path:
    """Write plain data, in its order."""
    return write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read_yaml(path: Path) -> Any:
    """Read plain data; the file cannot make Python run anything.

    Raises:
        InputError: no YAML, or more than a megabyte.
    """
    try:
        if path.stat().st_size > MOST_YAML_BYTES:
            raise ValueError("too large")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        raise InputError(f"{path} is damaged: it is not readable YAML; restore it") from error


def fingerprint(path: Path) -> str:
    """Return a short hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@contextlib.contextmanager
def exclusive(path: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock on ``path``, and remove temporary files that killed processes left beside it.

    The system releases the lock of a killed process.

    Args:
        wait: for a process that holds the lock, in place of refusing.

    Raises:
        InputError: another process holds the lock, or the folder cannot be written.
    """
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=-1 if wait else 0)
    with contextlib.ExitStack() as stack:
        with explain_write_errors(path):
            stack.enter_context(folder_of(path))
            try:
                lock.acquire()
            except Timeout as error:
                raise InputError(
                    f"{path} is being written by another process; wait for it or stop it"
                ) from error
        try:
            remove_stale(path.parent)
            yield
        finally:
            with contextlib.suppress(OSError):
                Path(lock.lock_file).unlink()  # before the release: then it may be another's
            lock.release()


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder, which takes the place of the folder ``path`` on success.

    An error or a kill leaves the folder that was there before. Writers of one folder take turns;
    the last one stays.

    Raises:
        InputError: there is a folder with other files, see `check_replaceable`.
    """
    path = path.resolve()  # a link to a folder stays one
    new, old = _beside(path)
    with exclusive(path, wait=True):
        _tidy_beside(path)
        check_replaceable(path)
        try:
            new.mkdir()
            yield new
            write_text(new / WRITTEN, "".join(f"{name}\n" for name in sorted(_names_in(new))))
            check_replaceable(path)  # again: the work may have taken hours
            if path.exists():
                path.rename(old)
            new.rename(path)
        finally:
            _tidy_beside(path)


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that holds more than `atomic_folder` wrote there, which it would remove.

    Raises:
        InputError: it holds other files, hidden ones and empty folders among them.
    """
    names = _names_in(folder) if folder.is_dir() else set()
    listed = folder / WRITTEN
    written = set(listed.read_text(encoding="utf-8").splitlines()) if listed.is_file() else set()
    if others := sorted(names - written - {WRITTEN}):
        raise InputError(
            f"{folder}: the command replaces its folder, which holds {others[0]}; choose another "
            "folder, or move it away"
        )


def _names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def tidy_folder(path: Path) -> None:
    """Clear away what a killed `atomic_folder` left, unless another one is at work."""
    path = path.resolve()
    if any(left.exists() for left in _beside(path)):
        with contextlib.suppress(InputError), exclusive(path):
            _tidy_beside(path)


def _tidy_beside(path: Path) -> None:
    new, old = _beside(path)
    if old.exists() and not path.exists():  # killed between the two renames
        old.rename(path)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turn errors of a failed write into one line.

    Raises:
        InputError: in place of OSError and of HDF5's RuntimeError.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"cannot write {path}: {_reason(error)}; what was finished is kept, "
            "remove the cause and run the same command again"
        ) from error


def _reason(error: Exception) -> str:
    if found := re.search(r"error message = '([^']+)'", str(error)):  # HDF5 quotes the system
        return found[1]
    system = isinstance(error, OSError) and error.strerror
    return (system or str(error) or type(error).__name__).splitlines()[0]


def check_output(path: Path) -> None:
    """Refuse an output file that cannot be written, before any work is done for it.

    Raises:
        InputError: a folder of that name, or no folder that can be written above it.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; choose another name")
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise InputError(f"cannot write {path}: {above} is no folder that you may write to")


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


def existing(path: str | Path) -> Path:
    """Return the path of a file that is there.

    Raises:
        InputError: it is missing.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{file}: no such file; check the path")
    return file


def check_zip(path: Path) -> None:
    """Refuse a zip archive (``.npz``, checkpoints) whose contents are too large together.

    Raises:
        InputError: too large, or no zip archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged: it is no zip archive") from error
    check_bytes(path, claimed)


def check_mat(path: Path) -> None:
    """Refuse a MATLAB 5 file that is too large, or of which a variable is when unpacked.

    Raises:
        InputError: too large, or cut off.
    """
    check_bytes(path)
    with path.open("rb") as file:
        order = {b"IM": "<", b"MI": ">"}.get(file.read(128)[126:])  # none: MATLAB 4
        while order and len(tag := file.read(8)) == 8:
            (size,) = struct.unpack(f"{order}4xI", tag)
            variable = file.read(size)
            if len(variable) < size:
                raise InputError(f"{path} {CUT_OFF}")
            check_bytes(path, _unpacked_bytes(variable))


def _unpacked_bytes(packed: bytes) -> int:
    """Return how many bytes a zlib stream really holds, counted to just above `MOST_BYTES`."""
    unpack, total = zlib.decompressobj(), 0
    with contextlib.suppress(zlib.error):  # not packed, or damaged: the reader says it better
        while packed and total <= MOST_BYTES:
            total += len(unpack.decompress(packed, 2**20))
            packed = unpack.unconsumed_tail
    return total


@contextlib.contextmanager
def unreadable_is_input_error(source: str | Path, meant: str = "") -> Iterator[None]:
    """Raise an InputError in place of the many exceptions of libraries for damaged files.

    Args:
        meant: what the file should have been, such as " as a waveform".
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        for words, trouble in HDF5_TROUBLES.items():
            if words in reason:
                raise InputError(f"{source} {trouble}") from error
        raise InputError(f"{source} cannot be read{meant} ({reason}); write it again") from error
