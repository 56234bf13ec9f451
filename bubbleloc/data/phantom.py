"""Phantoms: recordings of an array above flowing bubbles, simulated frame by frame to one file.

The file is laid out as those of zea, so that `bubbleloc.formats.read` and other programs open it:
``data/raw_data`` (frames, waves, samples, elements, 1), with ``scan`` and ``probe``. Beside it are
the bubbles of every frame, ``truth/<column>``, and the settings.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import yaml
from joblib import Parallel, delayed
from tqdm import tqdm

from bubbleloc import __version__
from bubbleloc.arrays import Float32s, Floats
from bubbleloc.console.settings.mapping import Phantom
from bubbleloc.data import store
from bubbleloc.data.execution import run_workers
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.files import atomic, exclusive, explain_write_errors, unreadable_is_input_error
from bubbleloc.physics.bubble import warn_large
from bubbleloc.physics.clutter import Tissue, simulate_clutter, tissue_region
from bubbleloc.physics.flow import TRUTH_COLUMNS, Carried, Flow, uniform_scene
from bubbleloc.physics.frames import echo_window, simulate_frame
from bubbleloc.physics.scene import Scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.vessels import VESSELS, Rectangle, Vessels

NOISE = 12  # what randomness is for, in the keys of its seed
MARGIN_S = 3e-6  # recorded before the first echo and after the last one
REFERENCE_FRAMES = 4  # a second apart, on which the level of clutter rests
LINES, DONE = "data/raw_data", "done"
FRAMES_AT_A_TIME = 1024  # whose lines may wait for the process that writes


@dataclass(frozen=True)
class PhantomPlan:
    """What the settings of a phantom mean."""

    settings: Phantom

    @property
    def frames(self) -> int:
        """Number of frames, at least one."""
        return max(1, round(self.settings.duration_s * self.settings.frame_rate_hz))

    @property
    def region(self) -> Rectangle:
        """Lateral positions and depths in m."""
        (left, right), (top, bottom) = self.settings.lateral_mm, self.settings.depth_mm
        return (1e-3 * left, 1e-3 * right), (1e-3 * top, 1e-3 * bottom)

    @cached_property
    def vessels(self) -> Vessels:
        """The vessels, none of uniform bubbles."""
        name = self.settings.phantom
        return VESSELS[name](self.region) if name in VESSELS else ()

    @cached_property
    def setup(self) -> Setup:
        """Probe and physics."""
        return Setup(elements=self.settings.elements)

    @property
    def angles_rad(self) -> list[float]:
        """Angles of the waves of a frame."""
        return [float(np.radians(angle)) for angle in self.settings.angles_deg]

    @cached_property
    def window(self) -> tuple[int, int]:
        """Samples that are recorded: the first and the one after the last."""
        windows = [echo_window(*self.region, self.setup, angle) for angle in self.angles_rad]
        margin = round(MARGIN_S * self.setup.sampling_rate_hz)
        first, stop = min(first for first, _ in windows), max(stop for _, stop in windows)
        return max(0, first - margin), stop + margin

    def bubbles(self, frames: Sequence[int], frame_rate_hz: float) -> Iterator[Carried]:
        """Yield the bubbles of some frames, which depend on no other; uniform ones are new in each.

        Args:
            frames: their numbers, rising.
        """
        phantom = self.settings
        if not self.vessels:
            for frame in frames:
                scene = uniform_scene(
                    phantom.seed, frame, phantom.density_mm2, *self.region, bubbles=phantom.bubbles
                )
                yield Carried.standing(scene, frame * len(scene))
            return
        speed_m_s = 1e-3 * phantom.speed_mm_s
        flow = Flow(self.vessels, phantom.density_mm2, speed_m_s, phantom.seed, phantom.bubbles)
        entered = flow.entered(frames[-1] / frame_rate_hz)
        for frame in frames:
            yield flow.at(frame / frame_rate_hz, entered)

    @property
    def tissue(self) -> Tissue:
        """What moves around the bubbles, if there is clutter."""
        regions = [tissue_region(self.setup, self.window, angle) for angle in self.angles_rad]
        tops, bottoms = zip(*(depth_m for _, depth_m in regions), strict=True)
        return Tissue.draw(self.settings.seed, (regions[0][0], (min(tops), max(bottoms))))

    def clutter_gain(self) -> float:
        """Return what lifts the lines of tissue to their level over those of bubbles, rms.

        Both are those of the first wave at 0, 1, 2 and 3 s, however long the recording is.

        Raises:
            InputError: there are no bubbles then.
        """
        if self.settings.clutter_db is None:
            return 0.0
        acquired: dict[str, Any] = {
            "angle_rad": self.angles_rad[0],
            "window": self.window,
            "directivity": True,
        }
        bubbles, clutter = 0.0, 0.0  # mean squares
        times = range(REFERENCE_FRAMES)
        for time_s, carried in zip(times, self.bubbles(times, 1.0), strict=True):
            scene = carried.scene(self.settings.pressure_pa)
            bubbles += np.square(simulate_frame(scene, self.setup, **acquired)).mean()
            moved = self.tissue.at(time_s)
            clutter += np.square(simulate_clutter(moved, self.setup, **acquired)).mean()
        if bubbles == 0:
            raise InputError(
                f"clutter_db={self.settings.clutter_db:g} is a level over that of bubbles, of "
                f"which there are none in the first {REFERENCE_FRAMES} s: raise density_mm2"
            )
        level = 10 ** (self.settings.clutter_db / 20)
        return level * float(np.sqrt(bubbles / clutter))

    def lines(self, frame: int, scene: Scene, clutter_gain: float = 0.0) -> Float32s:
        """Return the RF lines (waves, samples, elements) of a frame.

        Args:
            clutter_gain: what `PhantomPlan.clutter_gain` returns.
        """
        setup, settings, window = self.setup, self.settings, self.window
        tissue = self.tissue.at(frame / settings.frame_rate_hz) if clutter_gain else None
        waves = []
        for wave, angle in enumerate(self.angles_rad):
            volts = simulate_frame(scene, setup, angle_rad=angle, window=window, directivity=True)
            if tissue is not None:
                clutter = simulate_clutter(
                    tissue, setup, angle_rad=angle, window=window, directivity=True
                )
                volts += clutter_gain * clutter
            key = np.random.SeedSequence(settings.seed, spawn_key=(NOISE, frame, wave))
            rng = np.random.default_rng(key)
            waves.append(Noise(settings.noise)(volts, rng, setup.sampling_rate_hz).T)
        return np.stack(waves)


def simulate_phantom(
    settings: Phantom,
    path: str | Path,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
) -> Path:
    """Simulate a phantom to a file (.h5), or what is missing of it after an interruption.

    All waves of a frame meet the bubbles at the same places. Elements hear less from aside, see
    `bubbleloc.physics.frames.heard`.

    Args:
        workers, executor, address: see `run_workers`.

    Raises:
        InputError: the file was made with other settings, is being written by another process, or
            cannot be written.
    """
    path, plan = Path(path), PhantomPlan(settings)
    partial = store.partial_path(path)
    with exclusive(path):
        if path.exists():
            _refuse_other_settings(path, settings)
            return path
        gain = plan.clutter_gain()
        if partial.exists():
            _refuse_other_settings(partial, settings)
        else:
            _create(partial, plan, gain)
        with store.closing(h5py.File(partial, "r+")) as file:
            missing = np.flatnonzero(~file[DONE][:]).tolist()
            bar = tqdm(
                desc=f"simulate {path}",
                unit="frame",
                total=plan.frames,
                initial=plan.frames - len(missing),
                delay=0.2,
                dynamic_ncols=True,
            )
            with bar, run_workers(len(missing), executor, workers, address):
                for first in range(0, len(missing), FRAMES_AT_A_TIME):
                    for frame, volts in _simulated(
                        plan, missing[first : first + FRAMES_AT_A_TIME], gain
                    ):
                        _write(file, frame, volts)
                        bar.update()
        with explain_write_errors(path):
            partial.replace(path)
    return path


def truth_of(path: str | Path) -> pd.DataFrame:
    """Return the bubbles of all frames of a phantom's file, with the columns `TRUTH_COLUMNS`.

    Raises:
        InputError: no file of a phantom.
    """
    with unreadable_is_input_error(Path(path)), h5py.File(path) as file:
        if "truth" not in file:
            raise InputError(f"{path} is no phantom: it does not tell its bubbles")
        return pd.DataFrame({name: file["truth"][name][:] for name in TRUTH_COLUMNS})


def is_phantom(path: Path) -> bool:
    """Return whether a file is that of a phantom."""
    if not (path.is_file() and h5py.is_hdf5(path)):
        return False
    with unreadable_is_input_error(path), h5py.File(path) as file:
        return "phantom" in file.attrs


def settings_of(path: str | Path) -> Phantom:
    """Return the settings that a phantom's file was made with.

    Raises:
        InputError: no file of a phantom.
    """
    with unreadable_is_input_error(Path(path)), h5py.File(path) as file:
        if "phantom" not in file.attrs:
            raise InputError(f"{path} is no phantom: it does not tell its settings")
        return Phantom.of(yaml.safe_load(str(file.attrs["phantom"])))


def _refuse_other_settings(path: Path, settings: Phantom) -> None:
    stored, given = _plain(settings_of(path)), _plain(settings)
    for name, value in stored.items():
        if value != given[name]:
            raise InputError(
                f"{path} was made with {name}={value}, not {given[name]}; give that, or another "
                "output"
            )


def _plain(settings: Phantom) -> dict[str, Any]:
    """Return all settings, also those that are defaults today, as a file has them."""
    return settings.model_dump(mode="json", warnings=False)


def _simulated(
    plan: PhantomPlan, frames: list[int], clutter_gain: float
) -> Iterator[tuple[int, Float32s]]:
    """Yield frames with their numbers, as they are finished."""
    bubbles = plan.bubbles(frames, plan.settings.frame_rate_hz)
    tasks = (
        delayed(_simulate)(plan, frame, carried.scene(plan.settings.pressure_pa), clutter_gain)
        for frame, carried in zip(frames, bubbles, strict=True)
    )
    yield from Parallel(return_as="generator_unordered")(tasks)


def _simulate(
    plan: PhantomPlan, frame: int, scene: Scene, clutter_gain: float
) -> tuple[int, Float32s]:
    with warnings.catch_warnings(action="ignore"):  # given once, where the file was created
        return frame, plan.lines(frame, scene, clutter_gain)


def _write(file: h5py.File, frame: int, volts: Float32s) -> None:
    with explain_write_errors(Path(file.filename)):
        file[LINES][frame] = volts[..., None]
        file.flush()  # the lines are on their way to the disk before they count as done
        file[DONE][frame] = True


def _create(path: Path, plan: PhantomPlan, clutter_gain: float) -> None:
    """Write all but the lines, and make room for these."""
    first, stop = plan.window
    waves, elements = len(plan.angles_rad), plan.settings.elements
    with (
        explain_write_errors(path),
        atomic(path) as unfinished,
        h5py.File(unfinished, "w") as file,
    ):
        file.attrs["phantom"] = yaml.safe_dump(_plain(plan.settings))
        file.attrs["clutter_gain"] = clutter_gain
        file.attrs["software"] = f"bubbleloc {__version__}"
        for name, value in _facts(plan).items():
            file[name] = value
        bubbles = plan.bubbles(range(plan.frames), plan.settings.frame_rate_hz)
        truth = pd.concat([carried.to_table(i) for i, carried in enumerate(bubbles)])
        warn_large(1e-6 * truth["radius_um"].to_numpy())
        for name in TRUTH_COLUMNS:
            file[f"truth/{name}"] = truth[name].to_numpy()
        file[DONE] = np.zeros(plan.frames, dtype=np.bool_)
        shape = (plan.frames, waves, stop - first, elements, 1)
        lines = file.create_dataset(LINES, shape, np.float32)
        lines[0] = 0  # storage of all of it is allocated: a full disk is noticed now


def _facts(plan: PhantomPlan) -> dict[str, Any]:
    """Return what zea's readers need to know of the lines."""
    setup, settings = plan.setup, plan.settings
    waves, elements = len(plan.angles_rad), settings.elements
    element_m = np.zeros((elements, 3))
    element_m[:, 0] = setup.probe.element_positions_m(elements)
    delay_s = _firing_delays_s(plan, element_m[:, 0])
    soonest_s = delay_s.min(axis=1)  # zea's time 0; the wave is at x = 0 as much later
    carrier_hz = np.full(waves, setup.carrier_hz)
    return {
        "scan/sampling_frequency": setup.sampling_rate_hz,
        "scan/center_frequency": carrier_hz,
        "scan/demodulation_frequency": np.zeros(waves),
        "scan/sound_speed": setup.medium.speed_of_sound_m_s,
        "scan/initial_times": plan.window[0] / setup.sampling_rate_hz - soonest_s,
        "scan/t0_delays": delay_s - soonest_s[:, None],
        "scan/tx_apodizations": np.ones((waves, elements)),
        "scan/focus_distances": np.full(waves, np.inf),
        "scan/transmit_origins": np.zeros((waves, 3)),
        "scan/polar_angles": np.array(plan.angles_rad),
        "scan/time_to_next_transmit": np.full(
            (plan.frames, waves), 1 / (settings.frame_rate_hz * waves)
        ),
        "probe/name": "simulated",
        "probe/probe_geometry": element_m,
    }


def _firing_delays_s(plan: PhantomPlan, x_m: Floats) -> Floats:
    """Return when elements fire (waves, elements), 0 at x = 0."""
    sines = np.sin(plan.angles_rad)[:, None]
    return np.asarray(x_m * sines / plan.setup.medium.speed_of_sound_m_s)
