"""Check the settings of a command, and say in one line what is wrong."""

import reprlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bubbleloc.console.settings.catalogue import COMMANDS, catalogue
from bubbleloc.errors import InputError

Settings = dict[str, Any]


def check(command: str, values: Mapping[str, Any]) -> Settings:
    """Return the settings of a command after checking them.

    Raises:
        InputError: names a setting that makes no sense, its value, and what to give.
    """
    try:
        checked = COMMANDS[command].model_validate(dict(values))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        shortest = min(problems, key=lambda problem: len(_setting(command, problem)))
        raise InputError(_explain(command, values, shortest)) from None
    return checked.model_dump(exclude_unset=True, warnings=False)  # numbers stay as given


def _setting(command: str, problem: Mapping[str, Any]) -> list[str]:
    """Return the setting that a problem is about, without the number of an item in it."""
    parts = [str(part) for part in problem["loc"]]
    while parts and ".".join(parts) not in catalogue(command):
        parts.pop()
    return parts


def _explain(command: str, values: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    parts, given = _setting(command, problem), ".".join(map(str, problem["loc"]))
    if problem["type"] == "missing":
        return f"{given} is missing"
    name = ".".join(parts)
    setting = catalogue(command).get(name)
    if setting is None or (setting.is_group and name != given):
        return f"unknown setting {_shown(given)}; remove it"
    value: Any = values
    for part in parts:
        value = value[part]
    if own_words := problem.get("ctx", {}).get("error"):
        return f"{name}={_shown(value)}: {own_words}"
    verb = "choose" if setting.values.startswith("one of") else "give"
    return f"{name}={_shown(value)}: {verb} {setting.values}"


def _shown(value: Any) -> str:
    plain = isinstance(value, str | int | float)
    shown = str(value) if plain else reprlib.repr(value)  # short, however large the value
    shown = "null" if value is None else shown.replace("\n", " ")
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
