"""Processes: how signals end them, what they print to, and how many threads they may use."""

import io
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

INTERRUPTED = 130  # exit codes as shells give them, 128 + number of the signal
TERMINATED = 143

_received: list[int] = []  # signals that have not ended this process yet

THREAD_VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")  # read by torch, NumPy and Numba
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of cores, per period

Item = TypeVar("Item")


class Terminated(SystemExit):
    """SIGTERM, which batch systems send before they stop a job."""


def stop_on_signals(immediately: bool = True) -> None:
    """Let SIGTERM raise `Terminated`, as Ctrl-C raises KeyboardInterrupt.

    Args:
        immediately: else at the next `stop_if_requested`, or at a second signal. Python loses
            exceptions in clean-up code that it calls itself, and threads of libraries may wait
            for ever for one that was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    handler = _stop if immediately else _note
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _stop):  # else ignored
        signal.signal(signal.SIGINT, handler)


def stop_if_requested() -> None:
    """Raise what a noted signal has asked for."""
    if _received:
        _stop(_received[-1])


def clear_requests() -> None:
    """Forget noted signals, after one has ended what it was meant for."""
    _received.clear()


def stop_in(error: BaseException | None) -> KeyboardInterrupt | Terminated | None:
    """Return the signal behind an error; compiled code turns it into a SystemError, for one."""
    if error is None or isinstance(error, KeyboardInterrupt | Terminated):
        return error
    return stop_in(error.__cause__ or error.__context__)


def end_with_parent() -> None:
    """End this process within a second of its parent, even if that is killed, if it is a worker."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        while parent and os.getppid() == parent.pid:
            time.sleep(1)
        os._exit(1)

    if parent:
        threading.Thread(target=watch, daemon=True).start()


def _stop(signum: int, frame: FrameType | None = None) -> None:
    _received.append(signum)
    sys.unraisablehook = lambda _: None  # nothing from objects that are thrown away half made
    raise KeyboardInterrupt if signum == signal.SIGINT else Terminated(TERMINATED)


def _note(signum: int, frame: FrameType | None = None) -> None:
    if _received:  # a second signal
        _stop(signum)
    _received.append(signum)


class _ToReader(io.FileIO):
    """A stream whose reader may have seen enough before its end: ``… | head``."""

    def write(self, data: Any) -> int:
        """Write bytes; once the reader is gone, nowhere."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def open_streams() -> None:
    """Let stdout and stderr go nowhere where the shell has closed them or their reader is gone.

    With ``2>&-``, the next file that is opened would take the number of the stream, and what
    libraries print. With ``| head``, a print would end work that is not finished.
    """
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif stream is getattr(sys, f"__{name}__"):
            stream.flush()
            raw = io.BufferedWriter(_ToReader(number, "w", closefd=False))
            lines = stream.line_buffering
            text = io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=lines)
            setattr(sys, name, text)


def available_cores() -> int:
    """Return the cores this process may use, by its affinity and its container's limit."""
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return max(1, min(len(affinity) or os.cpu_count() or 1, _container_cores()))


def _container_cores() -> int:
    try:
        quota, period = CGROUP_LIMIT.read_text().split()
        return 2**31 if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return 2**31


def limit_threads() -> None:
    """Let libraries that are imported from now on use as many threads as there are cores.

    A limit that the user, or a launcher of several jobs, has set before is kept.
    """
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, str(available_cores()))


def threads_per_process(processes: int, readers: int = 0) -> int:
    """Return the threads of each of several processes beside ``readers`` reading processes."""
    allowed = os.environ.get(THREAD_VARIABLES[0], "")
    cores = int(allowed) if allowed.isdecimal() and int(allowed) > 0 else available_cores()
    return max(1, cores // processes - readers)


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items that a thread of their own makes, one more than was asked for.

    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, source, end)
        while (item := following.result()) is not end:
            following = thread.submit(next, source, end)
            yield item  # type: ignore[misc]  # not `end`
