"""The settings of every command, typed once: checks, ``--help`` and docs/settings.md use them."""

from bubbleloc.console.settings.catalogue import (
    COMMANDS,
    Settings,
    catalogue,
    check,
    default_values,
)

__all__ = ["COMMANDS", "Settings", "catalogue", "check", "default_values"]
