"""The settings of every command, typed once: checks, ``--help`` and docs/settings.md use them."""

from bubbleloc.console.settings.catalogue import (
    COMMANDS,
    STUDIES,
    catalogue,
    check,
    default_values,
)
from bubbleloc.console.settings.data import Convert, Simulate
from bubbleloc.console.settings.mapping import Map
from bubbleloc.console.settings.training import Smnist, Train
from bubbleloc.console.settings.types import Group
from bubbleloc.console.settings.using import Compare, Evaluate, Export, Image, Localize

__all__ = [
    "COMMANDS",
    "STUDIES",
    "Compare",
    "Convert",
    "Evaluate",
    "Export",
    "Group",
    "Image",
    "Localize",
    "Map",
    "Simulate",
    "Smnist",
    "Train",
    "catalogue",
    "check",
    "default_values",
]
