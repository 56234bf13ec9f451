"""RF lines in users' files, one reader per file format. No torch."""

from bubbleloc.formats.plain import recording_of_array
from bubbleloc.formats.readers import read
from bubbleloc.formats.recording import Hints, Recording
from bubbleloc.formats.volts import Volts

__all__ = ["Hints", "Recording", "Volts", "read", "recording_of_array"]
