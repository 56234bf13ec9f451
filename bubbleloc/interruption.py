"""How a command ends when it is told to: by unwinding, so that nothing is left half-written."""

import signal
import threading
from types import FrameType

INTERRUPTED = 130  # exit codes as shells give them, 128 + number of the signal
TERMINATED = 143


class Terminated(SystemExit):
    """SIGTERM, which batch systems send before they take a machine away."""


def _raise(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough; clean-up is not interrupted
    raise Terminated(TERMINATED)


def unwind_on_sigterm() -> None:
    """Let SIGTERM raise `Terminated`, as Ctrl-C raises KeyboardInterrupt."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _raise)
