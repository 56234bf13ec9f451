"""Run directories: what a training leaves behind, and the network in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bubbleloc.console import settings
from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
from bubbleloc.data.store import waveform_name
from bubbleloc.errors import InputError
from bubbleloc.files import check_zip, fingerprint, read_yaml, write_yaml
from bubbleloc.models.card import Card, read_card
from bubbleloc.nn import Localizer, build_model, load_released, released_card
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.nn.released import RELEASED, WEIGHTS

CONFIG_FILE = "config.yaml"
CARD_FILE = "card.yaml"
SELECTION = "val"  # the split on which a training chooses thresholds
CHECKPOINTS = "checkpoints"
RELEASED_PREFIX = "bubbleloc:"  # before the name of a network that comes with the package
PARTS = ("model", "data", "loss", "optimizer", "loader", "trainer", "seed", "noise", "workers")
KINDS = {"train": "a training run", "smnist": "a run of bubbleloc.examples.smnist"}

Config = dict[str, Any]


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network, in evaluation mode, with its card."""

    name: str
    network: Localizer
    card: Card

    def threshold(self, tolerance: int) -> float | None:
        """Return the best threshold at a tolerance in samples; None for a head of emitters.

        Raises:
            InputError: it is not known.
        """
        if tolerance not in self.card.thresholds:
            raise InputError(
                f"{self.name} has no threshold for tolerance {tolerance} that was chosen for this "
                "checkpoint: give threshold=, or let the training choose it: "
                f"python -m bubbleloc.train resume={self.name}"
            )
        needs_none = isinstance(self.network.head, EmitterHead)
        return None if needs_none else self.card.thresholds[tolerance]


def open_run(run: str | Path, checkpoint: str = "best") -> TrainedNetwork:
    """Open a trained network.

    Args:
        run: run directory, or a network of the package such as ``bubbleloc:small``.
        checkpoint: ``best`` or ``last``; networks of the package have one.

    Raises:
        InputError: no such run or checkpoint, or a damaged one.
    """
    folder = Path(run)
    network = load_network(folder, checkpoint)
    if is_released(folder):
        name = _released_name(folder)
        path = Path(str(WEIGHTS / f"{name}.yaml"))
        card = read_card(path, "best", path.with_suffix(".safetensors"))
    elif (folder / CARD_FILE).is_file():
        card = read_card(folder / CARD_FILE, checkpoint, checkpoint_path(folder, checkpoint))
    else:
        card = card_without_thresholds(folder, network, checkpoint)
    network.sampling_rate_hz = card.scale.sampling_rate_hz  # older weights do not tell it
    if isinstance(network.head, EmitterHead):
        network.head.calibration = card.calibration
    return TrainedNetwork(str(run), network, card)


def card_without_thresholds(folder: Path, network: Localizer, checkpoint: str) -> Card:
    """Return what settings and training data tell of a network."""
    config = read_config(folder)
    lines = open_split(Path(config["data"]["folder"]), SELECTION)
    return Card(
        model=config["model"],
        parameters=network.parameter_count,
        scale=lines.scale,
        noise=Noise.of(config),
        thresholds={},
        selection=SELECTION,
        fingerprint=fingerprint(checkpoint_path(folder, checkpoint)),
        waveform=waveform_name(lines.path),
    )


def begin(folder: Path, config: Config) -> None:
    """Begin a run in a folder with its resolved settings.

    Raises:
        InputError: the folder holds another run.
    """
    if (folder / CHECKPOINTS).exists():
        raise InputError(f"{folder} holds a run; go on with resume={folder} or choose another")
    write_yaml(folder / CONFIG_FILE, config)
    (folder / CHECKPOINTS).mkdir()


def read_config(folder: Path) -> Config:
    """Read the settings of a run.

    Every value is checked as if it were typed.

    Raises:
        InputError: the folder is no run directory, or its configuration is damaged.
    """
    if is_released(folder):
        card = released_card(_released_name(folder))
        return {"noise": 0.0, "workers": None, **card["training"], "model": card["model"]}
    return read_settings(folder, "train", PARTS)


def read_settings(folder: Path, command: str, parts: Sequence[str]) -> Config:
    """Read the configuration in a run's folder as settings of the command that left it.

    Args:
        parts: settings that must be there.

    Raises:
        InputError: the folder holds none, or a damaged one.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"{folder} is no run directory (no {CONFIG_FILE}); train one first")
    config = read_yaml(path)
    missing = [key for key in parts if not isinstance(config, dict) or key not in config]
    if missing:
        raise InputError(
            f"{path} is not the configuration of {KINDS[command]} (no {missing[0]}); restore it"
        )
    try:
        return settings.check(command, config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def is_released(folder: Path) -> bool:
    """Return whether a "run" is a network of the package, such as ``bubbleloc:small``."""
    return str(folder).startswith(RELEASED_PREFIX)


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, begun or finished."""
    return (folder / CONFIG_FILE).is_file()


def _released_name(run: Path) -> str:
    """Return the name of a network of the package.

    Raises:
        InputError: there is none of that name.
    """
    name = str(run).removeprefix(RELEASED_PREFIX)
    if name not in RELEASED:
        names = ", ".join(RELEASED)
        raise InputError(f"run={run}: no released network {name!r}; choose one of {names}")
    return name


def find_runs(folder: Path) -> list[Path]:
    """Return the run that a folder is, or the runs of the sweep that it holds, in their order.

    Raises:
        InputError: neither.
    """
    if is_released(folder) or is_run(folder):
        return [folder]
    runs = [path.parent for path in folder.glob(f"*/{CONFIG_FILE}")]
    if not runs:
        raise InputError(
            f"{folder} is no run directory (no {CONFIG_FILE}) and holds none; train one first"
        )
    return sorted(runs, key=lambda run: (len(run.name), run.name))  # 2 comes before 10


def checkpoint_path(folder: Path, which: str) -> Path:
    """Return the checkpoint ``best`` or ``last`` of a run.

    Raises:
        InputError: there is none.
    """
    path = folder / CHECKPOINTS / f"{which}.ckpt"
    if not path.is_file():
        raise InputError(f"{folder} has no {which} checkpoint; finish its training with resume=")
    return path


def read_checkpoint(path: Path) -> Config:
    """Read a checkpoint without running any code in it.

    Raises:
        InputError: damaged, or holding anything but tensors and plain values.
    """
    check_zip(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types here, all of them about the file
        raise InputError(f"{path} is damaged or not a checkpoint of this package") from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise InputError(f"{path} is not a checkpoint of this package")
    return content


def load_network(folder: Path, which: str = "best") -> Localizer:
    """Rebuild the network of a run with its trained weights, in evaluation mode."""
    if is_released(folder):
        return load_released(_released_name(folder))
    network = network_of(read_config(folder))
    path = checkpoint_path(folder, which)
    prefix = "network."
    weights = {
        name.removeprefix(prefix): value
        for name, value in read_checkpoint(path)["state_dict"].items()
        if isinstance(name, str) and name.startswith(prefix)
    }
    load_weights(network, weights, path)
    return network.eval()


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Give a module the weights that were read from ``path``.

    Raises:
        InputError: they are those of another network.
    """
    try:
        module.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not fit the model in {CONFIG_FILE} beside it") from error


def network_of(config: Config) -> Localizer:
    """Build the untrained network of a configuration."""
    try:
        return build_model(**config["model"])
    except (TypeError, ValueError) as error:
        raise InputError(f"model: {error}") from error
    except (MemoryError, OverflowError, RuntimeError) as error:
        raise InputError("model: too large for this machine; choose a smaller kernel") from error
