"""From RF lines, in a file or an array, to tables of bubbles."""

from bubbleloc.localization.run import Localized, localize_file, localize_lines

__all__ = ["Localized", "localize_file", "localize_lines"]
