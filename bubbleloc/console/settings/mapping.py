"""Settings of maps: how bubbles are followed from frame to frame."""

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import Group, setting


class Tracking(Group):
    """How positions in frames become tracks."""

    most_speed_mm_s: t.Positive = setting("speed of the fastest bubbles, mm/s", 50)
    gap: t.CountFromZero = setting("most frames that may be missing between two of a track", 2)
    least_length: t.Count = setting("frames in which a bubble was found that make a track", 5)
    turn: t.Positive = setting(
        "standard deviation of the change of velocity per frame, as a share of the speed", 0.15
    )
