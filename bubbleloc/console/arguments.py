"""Settings as users type them, ``name=value``, and as Python gives them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bubbleloc.console.settings.catalogue import Setting, catalogue, suggestion
from bubbleloc.errors import InputError

FLAGS = ("-m", "--multirun", "--cfg", "--info", "--resolve", "--hydra-help", "--version")


def check_words(command: str, arguments: Sequence[str]) -> None:
    """Refuse arguments that are no settings: ``rf.npy`` and ``--input``.

    Raises:
        InputError: says how to type the setting that is meant.
    """
    names = catalogue(command)
    for argument in arguments:
        name = argument.lstrip("-").partition("=")[0]
        if argument.startswith("-") and argument not in FLAGS:
            close = name if name in names else "name"
            raise InputError(f"{argument}: write {close}=…, without dashes; see --help")
        if "=" not in argument and argument[:1] not in ("-", "~"):
            needed = [n for n, setting in names.items() if setting.is_required and "." not in n]
            example = f", such as {needed[0]}={argument}" if needed else ""
            raise InputError(f"{argument}: write name=value{example}; see --help")


def typed_values(command: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the values of settings that are typed as ``name=value``.

    A name of a file or folder is taken as it stands, whatever characters it has; other values are
    read as YAML; ``noise=0.1,0.2`` is a list where the setting takes one.

    Raises:
        InputError: no setting of the command, or a value that cannot be read.
    """
    check_words(command, arguments)
    values: dict[str, Any] = {}
    for argument in arguments:
        name, _, text = argument.partition("=")
        setting = catalogue(command).get(name)
        if setting is None:
            close = suggestion(name, catalogue(command))
            raise InputError(f"unknown setting {name!r}{close}; see --help")
        values[name] = _value(name, text, setting)
    return values


def _value(name: str, text: str, setting: Setting) -> Any:
    if setting.is_name and not setting.is_list:
        is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
        return None if text == "null" else text[1:-1] if is_quoted else text
    try:
        read = OmegaConf.from_dotlist([f"value={in_brackets(text, setting)}"])
        return OmegaConf.to_container(read)["value"]  # type: ignore[call-overload,index]
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        raise InputError(f"{name}={text}: give {setting.values}") from error


def in_brackets(text: str, setting: Setting | None) -> str:
    """Return ``0.1,0.2`` as ``[0.1,0.2]`` where a setting takes a list."""
    takes_list = setting is not None and setting.is_list
    return f"[{text}]" if takes_list and "," in text and text[0] != "[" else text


def python_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments as plain values; None stands for the default."""
    return {name: _plain(value) for name, value in arguments.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # of NumPy, which --help does without
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
