"""What is mapped: the frames of a recording or a phantom, and what is known of them."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc import __version__
from bubbleloc.console.settings.mapping import Map, Phantom
from bubbleloc.console.settings.using import OwnRecording
from bubbleloc.data.phantom import PhantomPlan, truth_of
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.formats import Recording, read
from bubbleloc.formats.clutter import without_clutter
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.echoes import Echo, simulated_echo
from bubbleloc.imaging.learned import learned_echo
from bubbleloc.imaging.methods import build
from bubbleloc.imaging.positions import FrameMethod
from bubbleloc.imaging.run import array_of, at_scale
from bubbleloc.maps.grids import PIXEL_WAVELENGTHS, FlowMap
from bubbleloc.models.runs import Run, open_run
from bubbleloc.physics.vessels import Vessels
from bubbleloc.units import Scale

LEARNED_FROM = 24  # frames, evenly spread, in which the echo is looked for
POSITION_SETTINGS = {"lateral_mm", "depth_mm", "aperture_mm", "clutter_filter", "pressure_pa"}


@dataclass(frozen=True)
class Source:
    """The frames of a file, as the settings of a mapping read them.

    Attributes:
        path: the file.
        settings: of the mapping.
        phantom: what the file was simulated with; None of a recording.
    """

    path: Path
    settings: Map
    phantom: Phantom | None

    @cached_property
    def run(self) -> Run:
        """The network that the settings name."""
        run = open_run(self.settings.run, self.settings.checkpoint)
        return run.knowing_its_pulse("map")

    @cached_property
    def recording(self) -> Recording:
        """The frames, without tissue if that is asked for."""
        recording = read(self.path, **self.settings.hints())
        return without_clutter(recording) if self.settings.clutter_filter else recording

    @cached_property
    def scale(self) -> Scale:
        """What a sample of the lines is worth."""
        return self.recording.scale(self.run.card.scale)

    @cached_property
    def array(self) -> Array:
        """The array, and the wave that it sent."""
        return array_of(self.recording, self.scale, 1e-3 * self.settings.aperture_mm)

    @property
    def wavelength_m(self) -> float:
        """Of the pulse: of the recording, else of the network's training.

        Raises:
            InputError: nothing tells it.
        """
        frequency_hz = self.recording.frequency_hz or self.scale.frequency_hz
        if frequency_hz is None:
            raise InputError(
                f"{self.path}: neither it nor {self.run.name} tells the frequency of the pulse"
            )
        return self.scale.speed_of_sound_m_s / frequency_hz

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second.

        Raises:
            InputError: nothing tells it.
        """
        rate_hz = self.settings.frame_rate_hz
        if rate_hz is None and self.phantom is None:
            raise InputError(
                "frame_rate_hz=… is missing: speeds depend on it; give frames per second"
            )
        return rate_hz or (self.phantom.frame_rate_hz if self.phantom else 0.0)

    @property
    def region(self) -> Region:
        """Where bubbles are looked for."""
        lateral_mm, depth_mm = self.settings.lateral_mm, self.settings.depth_mm
        if self.phantom is not None:
            lateral_mm = lateral_mm or self.phantom.lateral_mm
            depth_mm = depth_mm or self.phantom.depth_mm
        x_m, recording = self.array.element_m, self.recording
        duration_s = (recording.samples - 1) / self.scale.sampling_rate_hz
        ends_s = np.array([recording.start_s, recording.start_s + duration_s])
        seen_m = np.maximum(ends_s * self.scale.speed_of_sound_m_s / 2, 0)
        left, right = (x_m.min(), x_m.max()) if lateral_mm is None else 1e-3 * np.array(lateral_mm)
        top, bottom = seen_m if depth_mm is None else 1e-3 * np.array(depth_mm)
        return Region((float(left), float(right)), (float(top), float(bottom)))

    @property
    def pixel_m(self) -> float:
        """Side of a pixel of the maps."""
        given_um = self.settings.pixel_um
        return PIXEL_WAVELENGTHS * self.wavelength_m if given_um is None else 1e-6 * given_um

    def check(self) -> None:
        """Refuse what else would be noticed after the work.

        Raises:
            InputError: frames per second or wavelength are unknown, the region was not recorded or
                has too many pixels, or the network does not suit a method.
        """
        _ = self.frame_rate_hz
        first, last = self.array.sample_range(self.region)
        if last < 0 or first >= self.recording.samples:
            ends_mm = " to ".join(f"{1e3 * end:g}" for end in self.region.depth_m)
            raise InputError(
                f"{self.path}: nothing was recorded of depths of {ends_mm} mm: give depth_mm= in "
                "mm, and start_s= if the file does not tell it"
            )
        FlowMap.empty(self.region, self.pixel_m)
        if {"network", "learned"} & set(self.settings.method):
            self.method("network")

    @property
    def truth(self) -> pd.DataFrame | None:
        """The bubbles of a phantom in the frames and the region; None of a recording."""
        if self.phantom is None:
            return None
        truth, recording = truth_of(self.path), self.recording
        x_m, z_m = 1e-3 * truth[["x_mm", "z_mm"]].to_numpy(np.float64).T
        frame = truth["frame"] - recording.first_frame
        return truth[frame.between(0, recording.frames - 1) & self.region.holds(x_m, z_m)]

    @property
    def vessels(self) -> Vessels | None:
        """The vessels of a phantom that has some."""
        return (PhantomPlan(self.phantom).vessels or None) if self.phantom else None

    @property
    def name(self) -> str:
        """What is mapped, for a title."""
        simulated = self.phantom is not None and self.settings.input is None
        return (
            f"the phantom {self.phantom.phantom}" if simulated and self.phantom else self.path.name
        )

    @property
    def facts(self) -> dict[str, str]:
        """What a reader of the maps should know of the frames, by name."""
        lines = self.recording.describe(self.scale)
        told = {
            "recording": lines[0],
            "scale": lines[1],
            "steps": "; ".join(lines[2:]),
            "frames per second": f"{self.frame_rate_hz:g}",
            "wavelength": f"{1e3 * self.wavelength_m:.3f} mm",
            "network": self.run.name,
            "software": f"bubbleloc {__version__}",
        }
        if self.phantom is not None:
            told["phantom"] = ", ".join(
                f"{n}={v}" for n, v in self.phantom.model_dump(warnings=False).items()
            )
        return {name: text for name, text in told.items() if text}

    @property
    def key(self) -> str:
        """A hash of all that positions depend on, but for the method."""
        file = self.path.stat()
        names = {*OwnRecording.model_fields, *POSITION_SETTINGS}
        told = self.settings.model_dump(mode="json", include=names, warnings=False)
        parts = [__version__, str(self.path), file.st_size, file.st_mtime_ns, told]
        text = json.dumps([*parts, self.run.card.fingerprint])
        return hashlib.sha256(text.encode()).hexdigest()

    def echo(self, method: str) -> Echo:
        """Return the mean echo of a bubble: learned from the frames, or simulated.

        It is simulated for the bubbles and the pressure that the settings tell, with the probe and
        the pulse of the phantom or the network's training, at the rate of the frames.
        """
        if method == "learned":
            frames = np.unique(np.linspace(0, self.recording.frames - 1, LEARNED_FROM).astype(int))
            lines = [self.recording.volts[frame] for frame in frames]
            return learned_echo(lines, self.array, self.region, self.run.network)
        if self.phantom is None:
            plan = DatasetPlan(self.run.config.data)
            setup = at_scale(plan.setup(), self.scale)
            return simulated_echo(setup, plan.population, self.settings.pressure_pa)
        setup = at_scale(PhantomPlan(self.phantom).setup, self.scale)
        return simulated_echo(setup, self.phantom.bubbles, self.phantom.pressure_pa)

    def method(self, name: str, echo: Echo | None = None) -> FrameMethod:
        """Return a method for these frames."""
        network = self.run.network if name == "network" else None
        return build(name, self.array, self.region, echo=echo, network=network)


def prepared(source: Source, name: str, echo: Echo) -> tuple[Recording, FrameMethod]:
    """Open the frames in a worker, and make the method."""
    return source.recording, source.method(name, echo)
