"""The settings of every command, typed once: checks, ``--help`` and docs/settings.md use them."""

from bubbleloc.console.settings.catalogue import (
    COMMANDS,
    STUDIES,
    Settings,
    catalogue,
    check,
    default_values,
)

__all__ = ["COMMANDS", "STUDIES", "Settings", "catalogue", "check", "default_values"]
