"""The one exception that is the user's to fix, and how its text is made safe to print."""

import unicodedata
from numbers import Real


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


def require_between(owner: str, name: str, value: object, low: float, high: float) -> None:
    """Raise InputError unless ``value`` is a number from ``low`` to ``high``."""
    if not (isinstance(value, Real) and low <= float(value) <= high):
        raise InputError(f"{owner}: {name}={value!r}; give a number from {low:g} to {high:g}")


BAD_INPUT = 2
"""Exit code of a command that refuses its input."""


def printable(text: object) -> str:
    """Return a text with the characters escaped that a terminal obeys instead of showing them.

    File names may hold line ends, escape sequences, marks that turn the direction of writing, and
    bytes that are no text.
    """
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in hidden else c
        for c in str(text)
    )
