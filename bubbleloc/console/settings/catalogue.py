"""All settings of all commands: their names, what they may be, and what they mean."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bubbleloc.console.settings.data import Convert, Simulate
from bubbleloc.console.settings.training import Smnist, Train
from bubbleloc.console.settings.types import Group, HydraGroup
from bubbleloc.console.settings.using import Compare, Evaluate, Export, Image, Localize

MODELS = (Simulate, Train, Evaluate, Compare, Localize, Image, Export, Convert, Smnist)
COMMANDS: Mapping[str, type[Group]] = {model.__name__.lower(): model for model in MODELS}


class Setting(NamedTuple):
    """One setting, or a group of them."""

    values: str  # what it may be, in words
    description: str
    is_list: bool = False
    is_group: bool = False


@functools.cache
def catalogue(command: str) -> Mapping[str, Setting]:
    """Return the settings of a command by the name that users give, ``loader.batch_size``."""
    return dict(_settings_of(COMMANDS[command]))


def _settings_of(model: type[Group], above: str = "") -> Iterator[tuple[str, Setting]]:
    schemas = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        full = f"{above}{name}"
        if group := _group(field.annotation):
            yield full, Setting("settings, such as {…}", (group.__doc__ or ""), is_group=True)
            yield from _settings_of(group, f"{full}.")
        else:
            choices = schemas[name].get("anyOf", [schemas[name]])
            is_list = any(choice.get("type") == "array" for choice in choices)
            yield full, Setting(_in_words(schemas[name]), field.description or "", is_list)


def _group(annotation: Any) -> type[Group] | None:
    is_group = isinstance(annotation, type) and issubclass(annotation, Group)
    return annotation if is_group else None


def default_values(model: type[Group]) -> dict[str, Any]:
    """Return the defaults in a class; ``???``, Hydra's sign, where a setting must be given."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        group = _group(field.annotation)
        if group is None:
            values[name] = "???" if field.is_required() else field.default
        elif not issubclass(group, HydraGroup):
            values[name] = default_values(group)
    return values


def _in_words(schema: Mapping[str, Any]) -> str:
    """Say what a value may be, from its JSON schema."""
    if choices := schema.get("anyOf"):
        said = [_in_words(choice) for choice in choices if choice.get("type") != "null"]
        return ", or ".join(dict.fromkeys(said))
    if "items" in schema:
        return _in_words(schema["items"])
    names = schema.get("enum")
    return f"one of {', '.join(names)}" if names else str(schema.get("const", schema.get("title")))
