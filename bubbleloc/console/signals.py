"""How SIGINT and SIGTERM end a command: by an exception, so that no file is left half-written."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from types import FrameType

INTERRUPTED = 130  # exit codes as shells give them, 128 + number of the signal
TERMINATED = 143

_received: list[int] = []  # signals that have not ended this process yet


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
