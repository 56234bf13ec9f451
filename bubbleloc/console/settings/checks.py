"""Check the settings of a command, and say in one line what is wrong."""

import reprlib
from collections.abc import Mapping, Sequence
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
        shortest = min(problems, key=lambda problem: _depth(command, problem["loc"]))
        raise InputError(_explain(command, values, shortest)) from None
    return checked.model_dump(exclude_unset=True, warnings=False)  # numbers stay as given


def _explain(command: str, values: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    known = catalogue(command)
    place = problem["loc"][: _depth(command, problem["loc"])]
    name = ".".join(map(str, place))
    if problem["type"] == "missing":
        return f"{'.'.join(problem['loc'])} is missing"
    if name not in known or (len(place) < len(problem["loc"]) and known[name].is_group):
        unknown = ".".join(map(str, problem["loc"]))
        return f"unknown setting {_shown(unknown)}; remove it"
    value: Any = values
    for part in place:
        value = value[part]
    if own_words := problem.get("ctx", {}).get("error"):
        return f"{name}={_shown(value)}: {own_words}"
    wanted = known[name].values
    verb = "choose" if wanted.startswith("one of") else "give"
    return f"{name}={_shown(value)}: {verb} {wanted}"


def _depth(command: str, place: Sequence[Any]) -> int:
    """Return how many parts of a place in nested settings name the setting, not an item of it."""
    known = catalogue(command)
    depths = range(len(place), 0, -1)
    return next((n for n in depths if ".".join(map(str, place[:n])) in known), 0)


def _shown(value: Any) -> str:
    plain = isinstance(value, str | int | float)
    shown = str(value) if plain else reprlib.repr(value)  # short, however large the value
    shown = "null" if value is None else shown.replace("\n", " ")
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
