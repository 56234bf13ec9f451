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


def unwind_on_signals() -> None:
    """Let SIGTERM raise `Terminated`, as Ctrl-C raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _unwind)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
        signal.signal(signal.SIGINT, _unwind)


def unwind_if_told() -> None:
    """Raise again what got lost, for Python ignores exceptions in clean-up code it calls itself."""
    if _received:
        _unwind(_received[-1])


def forget() -> None:
    """Go on as if no signal had come, after one has ended what it was meant for."""
    _received.clear()
