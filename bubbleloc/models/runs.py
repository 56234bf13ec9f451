"""Runs: a trained network, its settings, its card, and where its reports are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from bubbleloc.console.settings import Train, check
from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
from bubbleloc.data.store import waveform_name
from bubbleloc.errors import InputError
from bubbleloc.files import fingerprint
from bubbleloc.models import provenance
from bubbleloc.models.card import Card, read_card
from bubbleloc.models.run_folder import (
    CARD_FILE,
    CONFIG_FILE,
    checkpoint_path,
    is_run,
    load_weights,
    network_of,
    network_weights,
    read_settings,
)
from bubbleloc.nn import Localizer, load_released, released_card
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.nn.released import RELEASED, WEIGHTS

SELECTION = "val"  # the split on which a training chooses thresholds
RELEASED_PREFIX = "bubbleloc:"  # before the name of a network that comes with the package


class Run(ABC):
    """A trained network with all that is known of it; each part is read once, when it is needed.

    Attributes:
        name: the run as a user names it: its folder, or ``bubbleloc:small``.
        checkpoint: the checkpoint that is used, ``best`` or ``last``.
    """

    def __init__(self, name: str, checkpoint: str = "best") -> None:
        self.name, self.checkpoint = name, checkpoint

    @property
    @abstractmethod
    def config(self) -> Train:
        """The settings of its training."""

    @property
    @abstractmethod
    def card(self) -> Card:
        """What one has to know to use the network."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """The folder in which the folders of its reports are."""

    @abstractmethod
    def uncalibrated(self) -> Localizer:
        """Return a new network with the weights of the checkpoint, in evaluation mode."""

    @cached_property
    def network(self) -> Localizer:
        """The network with its weights and its calibration, in evaluation mode."""
        card = self.card  # before the weights, which a training may replace at any time
        network = self.uncalibrated()
        network.sampling_rate_hz = card.scale.sampling_rate_hz  # older weights do not tell it
        if isinstance(network.head, EmitterHead):
            network.head.calibration = card.calibration
        return network

    def knowing_its_pulse(self, what: str) -> Self:
        """Return the run, unless it has to be told the pulse of lines.

        Args:
            what: a command that does not tell it.

        Raises:
            InputError: it has to.
        """
        if self.card.wants_standard_lines:
            raise InputError(
                f"run={self.name} has to be told the pulse, which {what} cannot do: give a network "
                "of one pulse, such as bubbleloc:robust, or use bubbleloc localize"
            )
        return self

    def report_folder(self, dataset: Path | None = None) -> Path:
        """Return where the report of the run is.

        Args:
            dataset: the folder that the run is scored on, if it is not the run's own data; such
                a report lies apart.
        """
        return self.folder / ("report" if dataset is None else f"report-{dataset.resolve().name}")

    def threshold(self, tolerance: int) -> float | None:
        """Return the best threshold at a tolerance in samples; None for a head of emitters.

        Raises:
            InputError: it is not known.
        """
        if tolerance not in self.card.thresholds:
            raise InputError(
                f"{self.name} has no threshold for tolerance {tolerance} that was chosen for this "
                "checkpoint: give threshold=, or let the training choose it: "
                f"bubbleloc train resume={self.name}"
            )
        needs_none = isinstance(self.network.head, EmitterHead)
        return None if needs_none else self.card.thresholds[tolerance]

    @property
    def dataset_fingerprints(self) -> Mapping[str, str]:
        """Fingerprint of every split that was there when the training began; none if unknown."""
        return provenance.read(self.folder)["dataset"]

    def check_dataset(self, dataset: Path, splits: tuple[str, ...], remedy: str) -> None:
        """Refuse dataset files that are not those of the training.

        Raises:
            InputError: a fingerprint differs.
        """
        provenance.check_dataset(self.folder, dataset, splits, remedy)


class TrainedRun(Run):
    """A run directory."""

    @property
    def folder(self) -> Path:
        """The run directory."""
        return Path(self.name)

    @cached_property
    def config(self) -> Train:
        """The settings of its training, every value checked as if it were typed."""
        return read_settings(self.folder, Train)

    @cached_property
    def card(self) -> Card:
        """The card that the training wrote; without it, what settings and data tell."""
        path = self.folder / CARD_FILE
        if path.is_file():
            return read_card(path, self.checkpoint, self.weights)
        return self.card_without_thresholds()

    @property
    def weights(self) -> Path:
        """The file of the checkpoint."""
        return checkpoint_path(self.folder, self.checkpoint)

    def card_without_thresholds(self) -> Card:
        """Return what settings and training data tell of the network."""
        lines = open_split(Path(self.config.data.folder), SELECTION)
        return Card(
            model=self.config.model.plain(),
            parameters=network_of(self.config).parameter_count,
            scale=lines.scale,
            noise=Noise.of(self.config),
            thresholds={},
            selection=SELECTION,
            fingerprint=fingerprint(self.weights),
            waveform=waveform_name(lines.path),
        )

    def uncalibrated(self) -> Localizer:
        """Return a new network with the weights of the checkpoint, in evaluation mode."""
        network, path = network_of(self.config), self.weights
        load_weights(network, network_weights(path), path)
        return network.eval()


class ReleasedRun(Run):
    """A network of the package; it has one checkpoint, and its reports are in outputs/."""

    @property
    def released_name(self) -> str:
        """The name of the network in the package.

        Raises:
            InputError: there is none of that name.
        """
        name = self.name.removeprefix(RELEASED_PREFIX)
        if name not in RELEASED:
            raise InputError(
                f"run={self.name}: no released network {name!r}; choose one of "
                f"{', '.join(RELEASED)}"
            )
        return name

    @property
    def folder(self) -> Path:
        """The folder of its reports."""
        return Path("outputs", f"bubbleloc-{self.released_name}")

    @cached_property
    def config(self) -> Train:
        """The settings of its last training."""
        card = released_card(self.released_name)
        return check(Train, {**card["training"], "model": card["model"]})

    @cached_property
    def card(self) -> Card:
        """The card that comes with the package."""
        path = Path(str(WEIGHTS / f"{self.released_name}.yaml"))
        return read_card(path, "best", path.with_suffix(".safetensors"))

    def uncalibrated(self) -> Localizer:
        """Return a new network with the weights of the package, in evaluation mode."""
        return load_released(self.released_name)


def open_run(run: str | Path | Run, checkpoint: str = "best") -> Run:
    """Return a trained network.

    Args:
        run: a run directory, or a network of the package, ``bubbleloc:small`` or ``small``; a run
            that is open already is returned as it is.
        checkpoint: ``best`` or ``last``; networks of the package have one.

    Raises:
        InputError: there is no such run.
    """
    if isinstance(run, Run):
        return run
    name = str(run)
    if name in RELEASED and not is_run(Path(name)):
        name = f"{RELEASED_PREFIX}{name}"
    if name.startswith(RELEASED_PREFIX):
        released = ReleasedRun(name, checkpoint)
        _ = released.released_name
        return released
    if not is_run(Path(run)):
        raise InputError(f"{run} is no run directory (no {CONFIG_FILE}); train one first")
    return TrainedRun(name, checkpoint)


def load(run: str | Path, checkpoint: str = "best") -> tuple[Localizer, Card]:
    """Return a trained network, in evaluation mode, with its card.

    The network maps RF lines (B, 1, L) in any unit to (B, 1, L). It is a `torch.nn.Module` like any
    other: train it further, or put it into a larger one.

    Args:
        run: a run directory, or a network of the package such as ``"robust"``.
        checkpoint: ``best`` or ``last``.

    Raises:
        InputError: there is no such run, or it is damaged.
    """
    opened = open_run(run, checkpoint)
    return opened.network, opened.card


def find_runs(run: str | Path, checkpoint: str = "best") -> list[Run]:
    """Return the run of that name, or the runs of a sweep directory in their order.

    Raises:
        InputError: neither.
    """
    folder = Path(run)
    if str(run).startswith(RELEASED_PREFIX) or str(run) in RELEASED or is_run(folder):
        return [open_run(run, checkpoint)]
    folders = [path.parent for path in folder.glob(f"*/{CONFIG_FILE}")]
    if not folders:
        raise InputError(
            f"{folder} is no run directory (no {CONFIG_FILE}) and holds none; train one first"
        )
    folders.sort(key=lambda path: (len(path.name), path.name))  # 2 comes before 10
    return [TrainedRun(str(path), checkpoint) for path in folders]
