"""From RF lines, in a file or an array, to tables of bubbles."""

from bubbleloc.localization.output import describe
from bubbleloc.localization.run import Localized, localize_file, localize_lines

__all__ = ["Localized", "describe", "localize_file", "localize_lines"]
