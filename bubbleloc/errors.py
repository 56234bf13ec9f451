"""The one exception that is the user's to fix."""


class InputError(ValueError):
    """Bad input: one line that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


BAD_INPUT = 2
"""Exit code of a command that refuses its input."""
