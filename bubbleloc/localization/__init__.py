"""From a user's file of RF lines to a file of bubbles."""

from bubbleloc.localization.lines import RFLines, open_lines
from bubbleloc.localization.run import Localized, localize_file

__all__ = ["Localized", "RFLines", "localize_file", "open_lines"]
