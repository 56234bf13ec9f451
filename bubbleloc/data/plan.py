"""What defines a simulated dataset, down to every signal's random key."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bubbleloc.data import store
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, draw_scene
from bubbleloc.physics.scene import COUNT, DISTRIBUTIONS, MARGIN_M, PRESSURE_PA, RadiusDistribution
from bubbleloc.physics.waveform_files import split_number
from bubbleloc.physics.waveforms import NAMES, TRISTATE

DATASETS = Path("data")  # where the folders of datasets are, unless a user names another
FILE_SETTINGS = (
    "transducer",
    "transmit",
    "receive",
    "drive",
    "waveform",
)  # of Setup, when they name a file
PLAIN = (*DISTRIBUTIONS, *NAMES, "p4-1", "gaussian")  # names that are no files


@dataclass(frozen=True)
class DatasetPlan:
    """What defines a dataset; the fields are the settings of ``conf/data``.

    Attributes:
        signals: number of signals of each split.
        bubbles: how radii are drawn, see `draw_scene`.
        count: fewest and most bubbles of a signal; None for the published range.
        count_power: 1 for uniform counts, more for more signals with few bubbles.
        pressure_pa: lowest and highest amplitude of the pulse; None for the published range.
        deepest_m: depth of the deepest bubble; None for 3.7 mm above the end of the record.
        stream: whether a training simulates its signals as it goes on, see `StreamedLines`.
        physics: arguments of `Setup.from_config`; None stands for the published default.
    """

    name: str
    folder: Path
    signals: Mapping[str, int]
    seed: int = 0
    bubbles: RadiusDistribution = "monodisperse"
    count: tuple[int, int] | None = None
    count_power: float = 1.0
    pressure_pa: tuple[float, float] | None = None
    deepest_m: float | None = None
    stream: bool = False
    physics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "physics", _without_defaults(self.physics))

    def only(self, splits: Sequence[str]) -> "DatasetPlan":
        """Return the plan of some of the splits; their signals stay the same."""
        if missing := [split for split in splits if split not in self.signals]:
            raise InputError(f"data.signals.{missing[0]} is missing; say how many signals it has")
        return replace(self, signals={split: self.signals[split] for split in splits})

    def files(self) -> "DatasetPlan":
        """Return the plan of the splits that are files: all but a streamed training split."""
        return self.only(["val", "test"]) if self.stream else self

    def path(self, split: str) -> Path:
        """Return the file of a split."""
        return Path(self.folder) / f"{split}.h5"

    def refuse_mistyped_folder(self) -> None:
        """Refuse to simulate, unasked, in a folder that the user named.

        Raises:
            InputError: the folder is not the usual one, and holds no dataset, not even a part.
        """
        paths = [self.path(split) for split in self.signals]
        begun = any(path.exists() or store.partial_path(path).exists() for path in paths)
        if not begun and self.folder.absolute() != (DATASETS / self.name).absolute():
            raise InputError(
                f"data.folder={self.folder}: no dataset there; correct the folder, or simulate the "
                f"dataset first: python -m bubbleloc.simulate data={self.name} "
                f"data.folder={self.folder}"
            )

    def config(self, split: str) -> str:
        """Return the YAML that is stored in the file and defines its content."""
        content = {
            "name": self.name,
            "split": split,
            "signals": self.signals[split],
            "seed": self.seed,
            "bubbles": self.bubbles,
            "physics": dict(self.physics),
        }
        for name in ("count", "pressure_pa"):
            if ends := getattr(self, name):
                content[name] = list(ends)
        if self.count_power != 1:
            content["count_power"] = self.count_power
        if self.deepest_m:
            content["deepest_m"] = self.deepest_m
        if hashes := self._input_hashes():
            content["inputs"] = hashes
        return yaml.safe_dump(content, sort_keys=False)

    def _input_hashes(self) -> dict[str, str]:
        """Return a short hash of every file the settings name, for its content defines ours."""
        kinds = [self.bubbles] if isinstance(self.bubbles, str) else list(self.bubbles)
        named: dict[str, Any] = {"bubbles" if len(kinds) == 1 else kind: kind for kind in kinds}
        named |= {key: self.physics.get(key) for key in FILE_SETTINGS}
        names = {k: v for k, v in named.items() if isinstance(v, str) and v not in PLAIN}
        files = {key: split_number(name)[0] for key, name in names.items()}
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
        setup = Setup.from_config(self.physics)
        if setup.elements != 1:
            raise InputError(
                f"data.physics.elements={setup.elements}: datasets hold one receive element; "
                "use bubbleloc.physics.simulate_rf for arrays"
            )
        half_width = setup.transducer.aperture_m / 2
        shallowest = max(half_width**2 / (4 * MARGIN_M), 2 * MARGIN_M)  # z + r ≤ 2·depth in corners
        if setup.depth_m <= shallowest:
            least_mm = math.ceil(shallowest * 1e3)
            raise InputError(
                f"data.physics.depth_m={setup.depth_m:g}: echoes from beside the axis would arrive "
                f"after the record; give at least {least_mm / 1e3:g}"
            )
        if self.deepest_m and self.deepest_m > setup.depth_m - MARGIN_M:
            raise InputError(
                f"data.deepest_m={self.deepest_m:g}: give at most {setup.depth_m - MARGIN_M:g}, "
                "or a deeper record, data.physics.depth_m"
            )
        return setup

    def scene(self, split: str, index: int, setup: Setup | None = None) -> Scene:
        """Draw signal ``index`` of a split; it depends on nothing but seed, split and index.

        Args:
            setup: what `setup` returns, where it is at hand.
        """
        setup = setup or self.setup()
        key = (store.SPLITS.index(split), index)
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
        depth_m = self.deepest_m + MARGIN_M if self.deepest_m else setup.depth_m
        return draw_scene(
            rng,
            self.bubbles,
            count=self.count or COUNT,
            count_power=self.count_power,
            pressure_pa=self.pressure_pa or PRESSURE_PA,
            depth_m=depth_m,
            width_m=setup.transducer.aperture_m,
        )


def plan_of(settings: Mapping[str, Any]) -> DatasetPlan:
    """Return the plan that the settings of ``conf/data`` describe."""
    plain = {**settings, "folder": Path(settings["folder"])}
    name = plain.pop("waveform", TRISTATE)
    name = name.lower() if name.lower() in NAMES else name
    if name != TRISTATE:  # the default changes no file
        plain["physics"] = {**plain["physics"], "waveform": name}
    return DatasetPlan(**plain)


def _without_defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without None and empty groups, so that naming a default changes nothing."""
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        plain = _without_defaults(value) if isinstance(value, Mapping) else value
        if plain is not None and plain != {}:
            kept[key] = plain
    return kept
