"""Settings that dataset files hold, and how those of a user go with them."""

import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from bubbleloc.console.settings.data import Data
from bubbleloc.data import store
from bubbleloc.data.plan import FILE_SETTINGS, DatasetPlan
from bubbleloc.errors import InputError

log = logging.getLogger(__name__)

Values = dict[str, Any]
# What a file holds beside physics and waveform, and what it holds of itself.
PLAIN = (
    *("name", "seed", "bubbles", "count", "count_power", "pressure_pa", "deepest_m", "radius_um"),
    "setups",
)
OF_FILE = ("split", "signals", "physics", "inputs")
NAMING_FILES = {"data.bubbles", "data.waveform", *(f"data.physics.{n}" for n in FILE_SETTINGS)}


def as_stored(plan: DatasetPlan, typed: Collection[str] = ()) -> DatasetPlan:
    """Return the plan of the dataset that is in the folder, so that one can train on it as it is.

    Its files hold their settings, which take the place of all that were not typed.

    Args:
        typed: settings that a user gave, such as ``data.seed``; ``data`` stands for its name.

    Raises:
        InputError: a setting that was typed contradicts a file.
    """
    stored = _stored(plan.files())
    if stored is None:
        return plan
    given = plan.settings.model_dump(warnings=False)
    values = given | stored | {"signals": given["signals"] | stored["signals"]}
    for name in typed:
        _overlay(values, given, name)
    taken = DatasetPlan(Data.of(values), plan.splits)
    for split in taken.files().signals:
        refuse_other_settings(taken, split)
        is_there = all(file.is_file() for file in taken.input_files().values())
        if is_there and NAMING_FILES & set(typed):
            refuse_changed_inputs(taken, split)
    of_file = [f"{name}={value}" for name, _, value in _differences(given, values)]
    if of_file:
        log.info("%s is taken as it is: %s", plan.folder, ", ".join(of_file))
    return taken


def refuse_other_settings(plan: DatasetPlan, split: str) -> None:
    """Refuse a file, finished or not, that was made with other settings.

    Raises:
        InputError: names the file, a setting, and both of its values.
    """
    if (path := _begun(plan, split)) is None:
        return
    stored, planned = values_of(store.settings_of(path)), values_of(plan.content(split))
    for name, value, other in _differences(stored, planned):
        raise InputError(
            f"{path} was made with {name}={_shown(value)}, not {_shown(other)}; give that, or "
            "choose another data.folder"
        )


def refuse_changed_inputs(plan: DatasetPlan, split: str) -> None:
    """Refuse a file, finished or not, for which input files of other content were read.

    Raises:
        InputError: names the input file, or one of them is not there.
    """
    if (path := _begun(plan, split)) is None:
        return
    stored = store.settings_of(path).get("inputs") or {}
    for key, present in plan.input_hashes().items():
        if stored.get(key) != present:
            raise InputError(
                f"{path} was made with a file of {key} that has changed since; restore it, or "
                "choose another data.folder"
            )


def values_of(content: Mapping[str, Any]) -> Values:
    """Return the settings of a dataset that a file holds, nested, with the defaults left out there.

    Args:
        content: what `store.settings_of` returns. Settings that are unknown today stay in.
    """
    physics, waveform = store.physics_of(content)
    defaults = {name: field.default for name, field in Data.model_fields.items()}
    values = {name: content.get(name, defaults[name]) for name in PLAIN}
    values |= {"physics": physics.model_dump(warnings=False), "waveform": waveform}
    values |= {"signals": {content.get("split"): content.get("signals")}}
    return {key: content[key] for key in content if key not in (*PLAIN, *OF_FILE)} | values


def _stored(plan: DatasetPlan) -> Values | None:
    """Return the settings that the files of a dataset hold; None where there is no such file."""
    stored: Values = {}
    for split in reversed(plan.signals):  # of files that differ, which is refused, the first counts
        path = _begun(plan, split)
        if path is not None and not store.is_imported(path):
            signals = stored.get("signals", {})
            stored = values_of(store.settings_of(path))
            stored["signals"] = signals | stored["signals"]
    return stored or None


def _begun(plan: DatasetPlan, split: str) -> Path | None:
    """Return the file of a split, finished or not, if it is there."""
    path = plan.path(split)
    return next((file for file in (path, store.partial_path(path)) if file.exists()), None)


def _overlay(values: Values, given: Values, name: str) -> None:
    """Put a setting that was typed in the place of the one that a file holds."""
    root, *parts = name.split(".") if name != "data" else ("data", "name")
    if root != "data":
        return
    for part in parts:
        is_group = part in ("physics", "medium", "gas", "signals") and part != parts[-1]
        if not is_group:
            values[part] = given[part]
            return
        values[part] = dict(values[part])
        values, given = values[part], given[part]


def _differences(
    one: Mapping[str, Any], other: Mapping[str, Any], group: str = "data"
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the settings that differ: dotted name and both values."""
    for key in dict.fromkeys([*one, *other]):
        value, other_value = one.get(key), other.get(key)
        if isinstance(value, Mapping) and isinstance(other_value, Mapping):
            yield from _differences(value, other_value, f"{group}.{key}")
        elif _comparable(value) != _comparable(other_value):
            yield f"{group}.{key}", value, other_value


def _comparable(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> Any:
    return "null" if value is None else value
