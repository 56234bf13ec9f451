"""Compose the settings of a command from ``conf/`` and the defaults in `console.settings`."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict

from bubbleloc.console import config_folder
from bubbleloc.console.arguments import python_values
from bubbleloc.console.messages import explain, refuse_added_settings
from bubbleloc.console.settings import COMMANDS, Group, catalogue, check, default_values
from bubbleloc.console.settings.data import Data
from bubbleloc.errors import InputError

AnyGroup = TypeVar("AnyGroup", bound=Group)


def is_composed(command: str) -> bool:
    """Return whether Hydra composes the settings of a command from files in conf/."""
    return (config_folder() / f"{command}.yaml").is_file()


def _register() -> None:
    """Give Hydra the defaults of the commands that it composes."""
    OmegaConf.register_new_resolver("unique", lambda: secrets.token_hex(2), use_cache=True)
    store = ConfigStore.instance()
    for name, model in COMMANDS.items():
        if is_composed(name):
            store.store(name=f"{name}_settings", node=default_values(model))
    dataset = default_values(Data) | {"folder": "data/${.name}"}
    store.store(group="data", name="base", node=dataset)


_register()


def groups(command: str) -> dict[str, list[str]]:
    """Return the groups of configurations that a command uses, with their options."""
    path = config_folder() / f"{command}.yaml"
    defaults = yaml.safe_load(path.read_text())["defaults"] if path.is_file() else []
    names = [name for entry in defaults if isinstance(entry, dict) for name in entry]
    files = {name: (config_folder() / name).glob("*.yaml") for name in names if " " not in name}
    return {name: sorted({file.stem for file in files[name]} - {"base"}) for name in files}


def known_settings(command: str) -> set[str]:
    """Return the settings and groups of a command as users type them."""
    return {*catalogue(command), *groups(command)}


def composed(command: str, overrides: Sequence[str]) -> tuple[DictConfig, Path]:
    """Return what Hydra makes of a command's settings, and the folder of a new run."""
    begun = GlobalHydra.instance().is_initialized()  # by a command that Hydra has started
    with (
        nullcontext() if begun else initialize_config_dir(str(config_folder()), version_base="1.3")
    ):
        config = compose(command, list(overrides), return_hydra_config=True)
    folder = Path(config.hydra.run.dir)
    with open_dict(config):
        del config["hydra"]
    return config, folder


def settings_from_python(
    model: type[AnyGroup], arguments: Mapping[str, Any]
) -> tuple[AnyGroup, Path]:
    """Return the settings of a command that keyword arguments mean, and the folder of a new run.

    Raises:
        InputError: a setting that does not exist, or a value that makes no sense.
    """
    command = model.__name__.lower()
    if not is_composed(command):
        return check(model, python_values(arguments)), Path()
    try:
        config, folder = composed(command, overrides_of(arguments))
    except HydraException as error:
        raise InputError(explain(error, known_settings(command))) from error
    return checked_settings(model, config), folder


def checked_settings(
    model: type[AnyGroup], config: DictConfig, overrides: Sequence[str] = ()
) -> AnyGroup:
    """Return the settings of a command, references replaced, after checking them.

    Args:
        overrides: what was given on the command line.

    Raises:
        InputError: a setting that does not exist, or a value that makes no sense.
    """
    refuse_added_settings(overrides, known_settings(model.__name__.lower()))
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(resolved, dict)
    return check(model, {str(key): value for key, value in resolved.items()})


def overrides_of(arguments: Mapping[str, Any]) -> list[str]:
    """Return keyword arguments as a user would type them; None stands for the default.

    A mapping gives settings of a group: ``trainer={"max_epochs": 2}`` is ``trainer.max_epochs=2``.
    """
    return [
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for key, top in arguments.items()
        if top is not None
        for name, value in leaves(key, top)
    ]


def typed_names(overrides: Sequence[str]) -> set[str]:
    """Return the settings that overrides give by dotted name, and the groups they choose from."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    return {name for item in parsed for name, _ in leaves(item.key_or_group, item.value())}


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the single values in nested settings by dotted name."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(f"{name}.{key}", item)
    else:
        yield name, value
