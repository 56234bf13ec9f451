"""What defines a simulated dataset, down to every signal's random key."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bubbleloc.console.settings.data import Data
from bubbleloc.console.settings.physics import TRISTATE, WAVEFORMS, Physics
from bubbleloc.console.settings.probes import GAUSSIAN, P4_1, PROBES
from bubbleloc.data import store, universal
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, draw_scene
from bubbleloc.physics.scene import (
    COUNT,
    DISTRIBUTIONS,
    MARGIN_M,
    MONODISPERSE,
    PRESSURE_PA,
    RadiusDistribution,
)
from bubbleloc.physics.waveforms import split_number

DATASETS = Path("data")  # where the folders of datasets are, unless a user names another
FILE_SETTINGS = (
    "transducer",
    "transmit",
    "receive",
    "drive",
    "waveform",
)  # of Setup, when they name a file
# Settings that data.setups=drawn leaves to a user; all others of scene and setup it draws itself.
WITH_DRAWN = {"name", "folder", "signals", "seed", "setups", "physics", "physics.depth_m"}
# With data.setups=told, scenes are drawn likewise, and lines are of the standard rate.
WITH_TOLD = WITH_DRAWN | {"waveform", "radius_um"} | {f"physics.{f}" for f in Physics.model_fields}
WITH_TOLD -= {"physics.sampling_rate_hz", "physics.elements"}
PLAIN = (*DISTRIBUTIONS, *WAVEFORMS, *PROBES, P4_1, GAUSSIAN)  # names that are no files


@dataclass(frozen=True)
class DatasetPlan:
    """What the settings of a dataset mean: its files, its setup, and the scene of every signal.

    Attributes:
        settings: the settings of the dataset.
        splits: the splits that are planned; None for all.
    """

    settings: Data
    splits: tuple[str, ...] | None = None

    @property
    def folder(self) -> Path:
        """The folder of the dataset."""
        return Path(self.settings.folder)

    @property
    def signals(self) -> dict[str, int]:
        """Number of signals of every planned split."""
        signals = dict(self.settings.signals)
        return signals if self.splits is None else {name: signals[name] for name in self.splits}

    @cached_property
    def physics(self) -> dict[str, Any]:
        """The physics and the waveform as a dataset stores them, see `Physics.differing`."""
        physics, name = self.settings.physics.differing(), self.settings.waveform
        name = name.lower() if name.lower() in WAVEFORMS else name
        return physics if name == TRISTATE else physics | {"waveform": name}

    @property
    def population(self) -> RadiusDistribution:
        """How `draw_scene` draws radii: `Data.bubbles`, the monodisperse of `Data.radius_um`.

        Raises:
            InputError: none of them are monodisperse.
        """
        bubbles, radius_um = self.settings.bubbles, self.settings.radius_um
        if radius_um is None:
            return bubbles
        kinds = [bubbles] if isinstance(bubbles, str) else list(bubbles)
        if MONODISPERSE not in kinds:
            raise InputError(
                f"data.radius_um={list(radius_um)}: bubbles={bubbles} have radii of their own; "
                "give one of them"
            )
        size = (1e-6 * radius_um[0], 1e-6 * radius_um[1])
        if isinstance(bubbles, str):
            return size
        return {size if kind == MONODISPERSE else kind: share for kind, share in bubbles.items()}

    def only(self, splits: Sequence[str]) -> "DatasetPlan":
        """Return the plan of some of the splits; their signals stay the same."""
        return DatasetPlan(self.settings, tuple(splits))

    def files(self) -> "DatasetPlan":
        """Return the plan of the splits that are files: all but a streamed training split."""
        return self.only(["val", "test"]) if self.settings.stream else self

    def path(self, split: str) -> Path:
        """Return the file of a split."""
        return self.folder / f"{split}.h5"

    def refuse_mistyped_folder(self) -> None:
        """Refuse to simulate, unasked, in a folder that the user named.

        Raises:
            InputError: the folder is not the usual one, and holds no dataset, not even a part.
        """
        paths = [self.path(split) for split in self.signals]
        begun = any(path.exists() or store.partial_path(path).exists() for path in paths)
        if not begun and self.folder.absolute() != (DATASETS / self.settings.name).absolute():
            raise InputError(
                f"data.folder={self.folder}: no dataset there; correct the folder, or simulate the "
                f"dataset first: bubbleloc simulate data={self.settings.name} "
                f"data.folder={self.folder}"
            )

    def config(self, split: str) -> str:
        """Return the YAML that is stored in the file and defines its content."""
        hashes = self.input_hashes()
        content = self.content(split) | ({"inputs": hashes} if hashes else {})
        return yaml.safe_dump(content, sort_keys=False)

    def content(self, split: str) -> dict[str, Any]:
        """Return what defines a file's content, all but the hashes of input files."""
        data = self.settings
        content = {
            "name": data.name,
            "split": split,
            "signals": self.signals[split],
            "seed": data.seed,
            "bubbles": data.bubbles,
            "physics": self.physics,
        }
        if data.count:
            content["count"] = list(data.count)
        if data.pressure_pa:
            content["pressure_pa"] = list(data.pressure_pa)
        if data.radius_um:
            content["radius_um"] = list(data.radius_um)
        if data.count_power != 1:
            content["count_power"] = data.count_power
        if data.deepest_m:
            content["deepest_m"] = data.deepest_m
        if data.setups != "one":
            content["setups"] = data.setups
        return content

    def input_files(self) -> dict[str, Path]:
        """Return every file that the settings name, for its content defines ours."""
        bubbles = self.settings.bubbles
        kinds = [bubbles] if isinstance(bubbles, str) else list(bubbles)
        named: dict[str, Any] = {"bubbles" if len(kinds) == 1 else kind: kind for kind in kinds}
        named |= {key: self.physics.get(key) for key in FILE_SETTINGS}
        names = {k: v for k, v in named.items() if isinstance(v, str) and v not in PLAIN}
        return {key: split_number(name)[0] for key, name in names.items()}

    def input_hashes(self) -> dict[str, str]:
        """Return a short hash of every file that the settings name.

        Raises:
            InputError: one of them is not there.
        """
        files = self.input_files()
        for key, file in files.items():
            if not file.is_file():
                raise InputError(f"{key}={file}: no such file; correct its name or restore it")
        return {k: hashlib.sha256(v.read_bytes()).hexdigest()[:16] for k, v in files.items()}

    def setup(self) -> Setup:
        """Return the acquisition and physics of the dataset.

        Raises:
            InputError: settings that make no sense, several receive elements, or so little depth
                that an echo from beside the axis could end after the record.
        """
        _ = self.population
        self._refuse_undrawn()
        setup = Setup.load(self.settings.physics, self.settings.waveform)
        if self.settings.setups == "told":
            return Setup(medium=setup.medium, depth_m=setup.depth_m)
        if setup.elements != 1:
            raise InputError(
                f"data.physics.elements={setup.elements}: datasets hold one receive element; "
                "use bubbleloc.physics.simulate_rf for arrays"
            )
        half_width = setup.probe.aperture_m / 2
        shallowest = max(half_width**2 / (4 * MARGIN_M), 2 * MARGIN_M)  # z + r ≤ 2·depth in corners
        if setup.depth_m <= shallowest:
            least_mm = math.ceil(shallowest * 1e3)
            raise InputError(
                f"data.physics.depth_m={setup.depth_m:g}: echoes from beside the axis would arrive "
                f"after the record; give at least {least_mm / 1e3:g}"
            )
        deepest_m = self.settings.deepest_m
        if deepest_m and deepest_m > setup.depth_m - MARGIN_M:
            raise InputError(
                f"data.deepest_m={deepest_m:g}: give at most {setup.depth_m - MARGIN_M:g}, "
                "or a deeper record, data.physics.depth_m"
            )
        return setup

    def _refuse_undrawn(self) -> None:
        """Refuse settings of scenes and of one setup, where both are drawn for every line."""
        if self.settings.setups == "one":
            return
        typed = self.settings.model_dump(exclude_defaults=True, warnings=False)
        given = {*typed, *(f"physics.{name}" for name in typed.get("physics", {}))}
        kind = self.settings.setups
        if decided := sorted(given - (WITH_DRAWN if kind == "drawn" else WITH_TOLD)):
            raise InputError(
                f"data.{decided[0]}: data.setups={kind} decides it for every line; leave it out"
            )

    def draw(self, split: str, index: int) -> universal.Draw | None:
        """Return the random key of a signal that tells its pulse; None where all share one."""
        data = self.settings
        if data.setups == "one":
            return None
        key = data.seed, store.SPLITS.index(split), index
        if data.setups == "drawn":
            return universal.Draw(*key)
        radius_m = (
            None if data.radius_um is None else (1e-6 * data.radius_um[0], 1e-6 * data.radius_um[1])
        )
        return universal.Draw(*key, self._sent, radius_m)

    @cached_property
    def _sent(self) -> Setup:
        """The setup of all lines that are told of it; depth and rate are those of each line."""
        return Setup.load(self.settings.physics, self.settings.waveform)

    def scene(self, split: str, index: int, setup: Setup | None = None) -> Scene:
        """Draw signal ``index`` of a split; it depends on nothing but seed, split and index.

        Args:
            setup: what `setup` returns, where it is at hand.
        """
        setup, data = setup or self.setup(), self.settings
        if draw := self.draw(split, index):
            return universal.draw_scene(draw, setup)
        key = (store.SPLITS.index(split), index)
        rng = np.random.default_rng(np.random.SeedSequence(data.seed, spawn_key=key))
        return draw_scene(
            rng,
            self.population,
            count=data.count or COUNT,
            count_power=data.count_power,
            pressure_pa=data.pressure_pa or PRESSURE_PA,
            depth_m=data.deepest_m + MARGIN_M if data.deepest_m else setup.depth_m,
            width_m=setup.probe.aperture_m,
        )
