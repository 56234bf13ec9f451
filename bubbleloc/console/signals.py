"""How a command ends when it is told to: by unwinding, so that nothing is left half-written."""

import signal
import threading
from types import FrameType

INTERRUPTED = 130  # exit codes as shells give them, 128 + number of the signal
TERMINATED = 143

_received: list[int] = []  # signals that have not ended this process yet


class Terminated(SystemExit):
    """SIGTERM, which batch systems send before they take a machine away."""


def _unwind(signum: int, frame: FrameType | None = None) -> None:
    _received.append(signum)
    raise KeyboardInterrupt if signum == signal.SIGINT else Terminated(TERMINATED)


def _wait(signum: int, frame: FrameType | None = None) -> None:
    if _received:  # told twice
        _unwind(signum)
    _received.append(signum)


def unwind_on_signals(at_once: bool = True) -> None:
    """Let SIGTERM raise `Terminated`, as Ctrl-C raises KeyboardInterrupt.

    Args:
        at_once: where the program is; else where it next calls `unwind_if_told`, or when told
            twice. Python loses exceptions in clean-up code that it calls itself, and threads of
            libraries may wait for ever for one that was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    handler = _unwind if at_once else _wait
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _unwind):  # else ignored
        signal.signal(signal.SIGINT, handler)


def unwind_if_told() -> None:
    """Raise what a signal has asked for."""
    if _received:
        _unwind(_received[-1])


def forget() -> None:
    """Go on as if no signal had come, after one has ended what it was meant for."""
    _received.clear()
