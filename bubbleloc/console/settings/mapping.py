"""Settings of maps: simulated recordings, how bubbles are found, and how they are followed."""

from typing import Annotated, Literal

from pydantic import Field

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.types import Group, setting
from bubbleloc.console.settings.using import OwnRecording

PhantomName = Literal["pair", "tree", "crossing", "uniform"]
Method = Literal["conventional", "wiener", "clean", "network", "learned"]


class Flow(Group):
    """What flows in a phantom, and how it is recorded."""

    density_mm2: t.Positive = setting(
        "bubbles per mm² of the vessels; of the region, if uniform", 10
    )
    speed_mm_s: t.Positive = setting("speed on the centre line where bubbles enter", 20)
    duration_s: t.Positive = setting("duration of the phantom", 1)
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
    seed: t.Seed = setting("seed of bubbles, tissue and noise", 0)


class Phantom(Flow):
    """A simulated recording of an array above vessels, or above bubbles that lie anywhere."""

    phantom: PhantomName = setting(
        "vessels, or uniform: new bubbles anywhere in every frame", "pair"
    )
    frame_rate_hz: t.Positive = setting("frames per second", 500)
    lateral_mm: t.Interval[t.Number] = setting("lateral region of the phantom", [-5, 5])
    depth_mm: t.Depths = setting("depths of the phantom", [30, 50])


class Tracking(Group):
    """How positions in frames become tracks."""

    most_speed_mm_s: t.Positive = setting("speed of the fastest bubbles, mm/s", 50)
    gap: t.CountFromZero = setting("most frames that may be missing between two of a track", 2)
    least_length: t.Count = setting("frames in which a bubble was found that make a track", 5)
    turn: t.Positive = setting(
        "standard deviation of the change of velocity per frame, as a share of the speed", 0.15
    )


class Mapping(Group):
    """What is mapped, and how."""

    phantom: PhantomName | None = setting(
        "simulate vessels: a pair that meets, a tree, a crossing; uniform: bubbles anywhere", None
    )
    input: t.PathName | None = setting("recording of an array, in place of a phantom", None)
    output: t.PathName = setting(
        "folder of positions, tracks, maps, report and viewer", "outputs/map"
    )
    method: Annotated[t.Listed[Method], Field(min_length=1)] = setting(
        "how bubbles are found", ["conventional", "learned"]
    )
    run: t.PathName = setting(
        "run directory, or a network of the package, for network and learned", "bubbleloc:robust"
    )
    checkpoint: t.Checkpoint = setting("checkpoint of the run", "best")
    frame_rate_hz: t.Positive | None = setting(
        "frames per second; null: 500 of a phantom, of a recording it must be given", None
    )
    lateral_mm: t.Interval[t.Number] | None = setting(
        "lateral region; null: [-5, 5] of a phantom, what lies below the array of a recording", None
    )
    depth_mm: t.Depths | None = setting(
        "depths; null: [30, 50] of a phantom, what was recorded of a recording", None
    )
    aperture_mm: t.Positive = setting(
        "width that the elements of a recording fill that does not tell their places", 28
    )
    clutter_filter: t.Flag = setting("filter tissue out of the frames, by an SVD", False)
    threshold: t.Number | None = setting(
        "least probability, or height, of a bubble; null: that of the method", None
    )
    pixel_um: t.Positive | None = setting("side of a pixel of the maps; null: λ/20", None)
    workers: t.Count | None = setting("processes; null is one per core", None)
    executor: t.Text = setting("processes, or dask for the workers of a cluster", "processes")
    address: t.Text | None = setting("Dask scheduler, tcp://host:port, or its scheduler file", None)


class Map(Tracking, Flow, OwnRecording, Mapping):
    """Map vessels: bubbles in every frame of an array, their tracks, and the maps of these.

    Settings from density_mm2 to seed are those of a phantom; those of tracks follow.

    bubbleloc map phantom=pair
    bubbleloc map input=array.h5 frame_rate_hz=500 method=learned
    """

    def of_phantom(self) -> Phantom:
        """Return the settings of the phantom, its own defaults where there is nothing else."""
        given = self.model_dump(
            include=set(Phantom.model_fields), exclude_none=True, warnings=False
        )
        return Phantom.of(given)

    def of_tracks(self) -> Tracking:
        """Return how positions become tracks."""
        return Tracking.of(self.model_dump(include=set(Tracking.model_fields), warnings=False))
