"""Settings of maps: simulated recordings, and how bubbles are followed from frame to frame."""

from typing import Annotated, Literal

from pydantic import Field

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import Group, setting


class Phantom(Group):
    """A simulated recording of an array above vessels, or above bubbles that lie anywhere."""

    phantom: Literal["pair", "tree", "crossing", "uniform"] = setting(
        "vessels, or uniform: new bubbles anywhere in every frame", "pair"
    )
    density_mm2: t.Positive = setting(
        "bubbles per mm² of the vessels; of the region, if uniform", 20
    )
    speed_mm_s: t.Positive = setting("speed on the centre line where bubbles enter", 20)
    duration_s: t.Positive = setting("duration of the recording", 1)
    frame_rate_hz: t.Positive = setting("frames per second", 500)
    angles_deg: Annotated[t.Listed[t.Angle], Field(min_length=1)] = setting(
        "angles of the plane waves of every frame", [0]
    )
    pressure_pa: t.Pressure = setting("pressure of the pulse", 100e3)
    bubbles: t.PathName = setting("monodisperse, polydisperse, or a file of radii", "monodisperse")
    noise: t.Noise = setting("level of the noise, of 9.65 V", 0.04)
    clutter_db: t.Number | None = setting(
        "level of moving tissue over the bubbles' lines, dB; null: none", None
    )
    elements: t.Elements = setting("elements of the array, over its aperture", 96)
    lateral_mm: t.Interval[t.Number] = setting("lateral region of the phantom", [-5, 5])
    depth_mm: t.Depths = setting("depths of the phantom", [30, 50])
    seed: t.Seed = setting("seed of bubbles, tissue and noise", 0)


class Tracking(Group):
    """How positions in frames become tracks."""

    most_speed_mm_s: t.Positive = setting("speed of the fastest bubbles, mm/s", 50)
    gap: t.CountFromZero = setting("most frames that may be missing between two of a track", 2)
    least_length: t.Count = setting("frames in which a bubble was found that make a track", 5)
    turn: t.Positive = setting(
        "standard deviation of the change of velocity per frame, as a share of the speed", 0.15
    )
