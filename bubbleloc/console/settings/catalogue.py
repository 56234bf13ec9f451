"""All settings of all commands: their names, what they mean, what they may be, and their check."""

import dataclasses
import difflib
import functools
import reprlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from bubbleloc.console.settings.data import Convert, Simulate
from bubbleloc.console.settings.mapping import Map
from bubbleloc.console.settings.training import Smnist, Train
from bubbleloc.console.settings.types import NAME, Group, HydraGroup
from bubbleloc.console.settings.using import Compare, Evaluate, Export, Image, Localize
from bubbleloc.errors import InputError

MODELS = (Simulate, Train, Evaluate, Compare, Localize, Image, Map, Export, Convert, Smnist)
COMMANDS: Mapping[str, type[Group]] = {model.__name__.lower(): model for model in MODELS}
STUDIES = ("smnist",)  # commands on tasks of other papers, in `bubbleloc.examples`

AnyGroup = TypeVar("AnyGroup", bound=Group)
GroupClass = Any  # a class of settings: a Group, or a dataclass


class Setting(NamedTuple):
    """One setting, or a group of them."""

    values: str  # what it may be, in words
    description: str
    is_list: bool = False
    is_group: bool = False
    is_required: bool = False

    @property
    def is_name(self) -> bool:
        """Whether it is the name of a file or folder, or several."""
        return self.values == NAME


@functools.cache
def catalogue(command: str) -> Mapping[str, Setting]:
    """Return the settings of a command by the name that users give, ``loader.batch_size``."""
    return dict(_settings_of(COMMANDS[command]))


def _settings_of(model: GroupClass, above: str = "") -> Iterator[tuple[str, Setting]]:
    whole = TypeAdapter(model).json_schema()
    schemas, required = whole["properties"], whole.get("required", [])
    for name, annotation in _annotations(model).items():
        full, schema = f"{above}{name}", schemas[name]
        if group := _group(annotation):
            yield full, Setting("settings, such as {…}", (group.__doc__ or ""), is_group=True)
            yield from _settings_of(group, f"{full}.")
        else:
            choices = schema.get("anyOf", [schema])
            is_list = any("items" in choice for choice in choices)  # a range is no list
            words, meaning = _in_words(schema), schema.get("description", "")
            yield full, Setting(words, meaning, is_list, is_required=name in required)


def _annotations(model: GroupClass) -> dict[str, Any]:
    """Return the type of every setting of a group."""
    if issubclass(model, Group):
        return {name: field.annotation for name, field in model.model_fields.items()}
    return {field.name: field.type for field in dataclasses.fields(model)}


def _group(annotation: Any) -> GroupClass | None:
    """Return the class of a group of settings: a Group, or a dataclass; None for one setting."""
    is_class = isinstance(annotation, type)
    is_group = is_class and (issubclass(annotation, Group) or dataclasses.is_dataclass(annotation))
    return annotation if is_group else None


def _in_words(schema: Mapping[str, Any]) -> str:
    """Say what a value may be, from its JSON schema."""
    if choices := schema.get("anyOf"):
        said = [_in_words(choice) for choice in choices if choice.get("type") != "null"]
        return ", or ".join(dict.fromkeys(said))
    if "items" in schema:
        return _in_words(schema["items"])
    names = schema.get("enum")
    return f"one of {', '.join(names)}" if names else str(schema.get("const", schema.get("title")))


def default_values(model: GroupClass) -> dict[str, Any]:
    """Return the defaults in a class; ``???``, Hydra's sign, where a setting must be given."""
    if not issubclass(model, Group):
        return {field.name: field.default for field in dataclasses.fields(model)}
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        group = _group(field.annotation)
        if group is None:
            values[name] = "???" if field.is_required() else field.default
        elif not issubclass(group, HydraGroup):
            values[name] = default_values(group)
    return values


def check(model: type[AnyGroup], values: Mapping[str, Any]) -> AnyGroup:
    """Return the settings of a command, an object of its class in `COMMANDS`.

    Raises:
        InputError: names a setting that makes no sense, its value, and what to give.
    """
    command = model.__name__.lower()
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = min(problems, key=lambda problem: len(_setting(command, problem)))
        raise InputError(_explain(command, values, first)) from None


def _setting(command: str, problem: Mapping[str, Any]) -> list[str]:
    """Return the setting that a problem is about, without the number of an item in it."""
    parts = [str(part) for part in problem["loc"]]
    while parts and ".".join(parts) not in catalogue(command):
        parts.pop()
    return parts


def _explain(command: str, values: Mapping[str, Any], problem: Mapping[str, Any]) -> str:
    parts, given = _setting(command, problem), ".".join(map(str, problem["loc"]))
    name = ".".join(parts)
    setting = catalogue(command).get(name)
    if problem["type"] == "missing":
        return f"{given}=… is missing{_example(command)}"
    if setting is None or (setting.is_group and name != given):
        close = suggestion(given, catalogue(command))
        remedy = "see --help" if close else "remove it"
        return f"unknown setting {_shown(given)}{close}; {remedy}"
    value: Any = functools.reduce(lambda group, part: group[part], parts, values)
    verb = "choose" if setting.values.startswith("one of") else "give"
    remedy = problem.get("ctx", {}).get("error") or f"{verb} {setting.values}"
    return f"{name}={_shown(value)}: {remedy}"


def _example(command: str) -> str:
    """Return the first example in the description of a command."""
    lines = (COMMANDS[command].__doc__ or "").split("\n    ")
    examples = [line for line in lines if line.startswith(f"bubbleloc {command} ")]
    return f", such as in: {examples[0]}" if examples else ""


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    plain = isinstance(value, str | int | float)
    shown = str(value) if plain else reprlib.repr(value)  # short, however large the value
    shown = shown.replace("\n", " ")
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def suggestion(key: str, known: Collection[str]) -> str:
    """Return ``, did you mean …?`` when a setting resembles ``key``, and never ``key`` itself."""
    others = sorted(set(known) - {key}, key=lambda name: (name.count("."), name))
    by_last = {name.split(".")[-1]: name for name in reversed(others)}  # keeps the shortest
    last = key.split(".")[-1]
    close = difflib.get_close_matches(last, sorted(by_last), n=1, cutoff=0.75)
    if not close and "_" in key and "." not in key:  # rate_hz
        close = [name for name in sorted(by_last) if name.endswith(f"_{last}")]
    return f", did you mean {by_last[close[0]]!r}?" if close else ""
