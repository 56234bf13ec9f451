"""The settings of every command, typed once: checks, ``--help`` and docs/settings.md use them."""

from bubbleloc.console.settings.catalogue import COMMANDS, Setting, catalogue, default_values
from bubbleloc.console.settings.checks import Settings, check

__all__ = ["COMMANDS", "Setting", "Settings", "catalogue", "check", "default_values"]
