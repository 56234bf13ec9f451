"""Errors and warnings in one line, with a suggestion where a setting is misspelt."""

import errno
import multiprocessing
import re
import sys
from collections.abc import Collection, Sequence
from typing import Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from bubbleloc.console.settings.catalogue import suggestion
from bubbleloc.errors import InputError, printable

OPEN_GROUP = "trainer."  # +trainer.x=… reaches lightning.Trainer, which checks its arguments

USER_CAN_FIX = {  # errors of the operating system
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EFBIG, errno.EISDIR,
    errno.ENAMETOOLONG, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
}  # fmt: skip
FULL = {errno.EDQUOT, errno.EFBIG, errno.ENOSPC}


def explain(error: Exception, known: Collection[str] = ()) -> str | None:
    """Return the line that explains an error to a user; None where it is our bug.

    Args:
        known: settings of the command, among which a misspelt one is searched.
    """
    if isinstance(error, InputError):
        return printable(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return printable(_in_one_line(str(error), known))
    if isinstance(error, MemoryError) or re.search(
        "out of memory|not enough memory|can't allocate memory|failed to map segment", str(error)
    ):
        return "out of memory; choose a smaller batch size or network, or fewer workers"
    if isinstance(error, OSError) and error.errno == errno.EMFILE:
        return "too many open files; allow more (ulimit -n), or choose fewer workers"
    if isinstance(error, OSError) and error.errno in USER_CAN_FIX:
        place = printable(error.filename or "a file")
        remedy = "free space, or choose" if error.errno in FULL else "choose"
        return f"{place}: {error.strerror}; {remedy} another place"
    return None


def _in_one_line(text: str, known: Collection[str]) -> str:
    """Rewrite what Hydra says in the words of this package; shorten the rest to one line."""
    if match := re.search(r"Could not override '([^']+)'", text):
        return f"unknown setting {match[1]!r}{suggestion(match[1], known)}; see --help"
    if match := re.search(r"Could not find '([^/']+)/([^']+)'.*?:((?:\n\t\S+)+)", text, re.DOTALL):
        names = [name for name in match[3].split() if name != "base"]  # which holds defaults
        return f"unknown {match[1]} {match[2]!r}; choose one of {', '.join(names)}"
    if match := re.search(r"Missing mandatory value: (\S+)", text):
        return f"{match[1]}=… is missing; see --help"
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(
        line for line in lines if line and not line.startswith(("full_key", "object_type"))
    )


def refuse_added_settings(overrides: Sequence[str], known: Collection[str]) -> None:
    """Refuse ``+key=…``, ``++key=…`` and ``~key``, which Hydra accepts without a check.

    Raises:
        InputError: names the first of them.
    """
    parts = {part for name in known for part in name.split(".")}
    for override in overrides:
        sign, key = re.findall(r"^(\+\+|\+|~|)([^=]*)", override)[0]
        if not sign or (sign != "~" and key.startswith(OPEN_GROUP)):
            continue
        if key.split(".")[-1] not in parts:
            raise InputError(f"unknown setting {key!r}{suggestion(key, known)}; see --help")
        raise InputError(
            f"{override}: write {key}=… without {sign!r}; settings cannot be added or removed"
        )


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning in one line; it takes the place of ``warnings.showwarning``."""
    tell(f"warning: {' '.join(str(message).split())}")


def tell(line: str) -> None:
    """Print one line on stderr."""
    from tqdm import tqdm

    if multiprocessing.parent_process():  # a killed worker must not hold the bar's lock
        print(printable(line), file=sys.stderr)
    else:
        tqdm.write(printable(line), file=sys.stderr)  # above a progress bar, not into it
