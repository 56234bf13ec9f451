"""The folder of a run: configuration, checkpoints and card, as a training leaves them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from bubbleloc import __version__
from bubbleloc.console.settings import Group, Smnist, Train, check
from bubbleloc.errors import InputError
from bubbleloc.files import check_zip, read_yaml, write_yaml
from bubbleloc.models import provenance
from bubbleloc.nn import Localizer, build_model

CONFIG_FILE = "config.yaml"
CARD_FILE = "card.yaml"
CHECKPOINTS = "checkpoints"
KINDS: Mapping[type[Group], str] = {Train: "a training run", Smnist: "a run of bubbleloc smnist"}
ALWAYS: Mapping[type[Group], Iterable[str]] = {  # settings in the configurations of all versions
    Train: ("model", "data", "loss", "optimizer", "loader", "trainer", "seed", "noise", "workers"),
    Smnist: [name for name in Smnist.model_fields if name != "resume"],
}

MOST_WEIGHTS = 2**27  # of a network: half a GiB; training takes four times as much

AnyGroup = TypeVar("AnyGroup", bound=Group)


def begin(folder: Path, settings: Group) -> None:
    """Begin a run in a folder with its resolved settings.

    Raises:
        InputError: the folder holds another run.
    """
    if (folder / CHECKPOINTS).exists():
        raise InputError(f"{folder} holds a run; go on with resume={folder} or choose another")
    plain = settings.plain()
    plain.pop("resume", None)  # which says how it goes on, not what it is
    write_yaml(folder / CONFIG_FILE, plain)
    (folder / CHECKPOINTS).mkdir()


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, begun or finished."""
    return (folder / CONFIG_FILE).is_file()


def read_settings(folder: Path, model: type[AnyGroup]) -> AnyGroup:
    """Read the configuration in a run's folder as settings of the command that left it.

    Every value is checked as if it were typed.

    Raises:
        InputError: the folder holds none, or a damaged one.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InputError(f"{folder} is no run directory (no {CONFIG_FILE}); train one first")
    config = read_yaml(path)
    missing = [key for key in ALWAYS[model] if not isinstance(config, dict) or key not in config]
    if missing:
        raise InputError(
            f"{path} is not the configuration of {KINDS[model]} (no {missing[0]}); restore it"
        )
    try:
        return check(model, config)
    except InputError as error:
        raise InputError(f"{path}: {error}{_of_other_version(folder)}") from None


def _of_other_version(folder: Path) -> str:
    """Return which version wrote a run, where it is another than this one."""
    sessions = provenance.read(folder)["sessions"]
    last = sessions[-1] if sessions else None
    writer = last.get("bubbleloc", __version__) if isinstance(last, dict) else __version__
    return (
        "" if writer == __version__ else f" (written by bubbleloc {writer}, this is {__version__})"
    )


def checkpoint_path(folder: Path, which: str) -> Path:
    """Return the checkpoint ``best`` or ``last`` of a run.

    Raises:
        InputError: there is none.
    """
    path = folder / CHECKPOINTS / f"{which}.ckpt"
    if not path.is_file():
        raise InputError(f"{folder} has no {which} checkpoint; finish its training with resume=")
    return path


def read_checkpoint(path: Path) -> dict[str, Any]:
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


def network_weights(path: Path) -> dict[str, Tensor]:
    """Read the weights of the network in a checkpoint, by their names in the network.

    Raises:
        InputError: as `read_checkpoint` does.
    """
    prefix = "network."
    return {
        name.removeprefix(prefix): value
        for name, value in read_checkpoint(path)["state_dict"].items()
        if isinstance(name, str) and name.startswith(prefix)
    }


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Give a module the weights that were read from ``path``.

    Raises:
        InputError: they are those of another network.
    """
    try:
        module.load_state_dict(weights)
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not fit the model in {CONFIG_FILE} beside it") from error


def network_of(settings: Train) -> Localizer:
    """Build the untrained network of a training.

    Raises:
        InputError: settings that make no sense, or more weights than fit into memory, which is
            seen before they are made.
    """
    arguments = settings.model.plain()
    try:
        with torch.device("meta"):  # shapes without memory
            weights = build_model(**arguments).parameter_count
        if weights > MOST_WEIGHTS:
            raise InputError(
                f"model: {weights:.2g} weights, more than {MOST_WEIGHTS:.2g}; give fewer channels"
            )
        return build_model(**arguments)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"model: {error}") from error
    except (MemoryError, OverflowError, RuntimeError) as error:
        raise InputError("model: too large for this machine; choose a smaller kernel") from error
