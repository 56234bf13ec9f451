"""The one exception that is the user's to fix, and how its text is made safe to print."""

import unicodedata


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


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
