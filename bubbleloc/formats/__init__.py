"""RF lines in users' files, one reader per file format. No torch."""

from bubbleloc.formats.lines import RFLines, lines_of_array
from bubbleloc.formats.readers import open_lines

__all__ = ["RFLines", "lines_of_array", "open_lines"]
