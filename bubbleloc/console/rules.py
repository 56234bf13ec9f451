"""The makings of settings' rules: what a single value may be."""

import math
from collections.abc import Callable, Mapping
from typing import Any

Rule = Callable[[Any], Any]
"""Returns the value, perhaps converted; raises ValueError with what is wanted instead."""


def whole(least: int, most: int | None = None) -> Rule:
    """Whole numbers from ``least`` to ``most``."""
    wanted = f"a whole number, {least} or more" if most is None else f"{least} to {most}"

    def rule(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(wanted)
        if most is not None and value > most:
            raise ValueError(wanted)
        return value

    return rule


def number(above: float = -math.inf, least: float = -math.inf, most: float = math.inf) -> Rule:
    """Finite numbers above one bound, and neither below nor beyond others."""
    bound = f" above {above:g}" if above > -math.inf else ""
    bound = f", {least:g} or more" if least > -math.inf else bound

    def rule(value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not is_number
            or not math.isfinite(value)
            or not least <= value <= most
            or value <= above
        ):
            raise ValueError(f"a number{bound}")
        return value

    return rule


def probability(value: Any) -> float:
    """Numbers from 0 to below 1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < 1:
        raise ValueError("a number, 0 or more and below 1")
    return value


def choice(*names: str) -> Rule:
    """One of some names."""

    def rule(value: Any) -> str:
        if value not in names:
            raise ValueError(f"choose one of {', '.join(names)}")
        return str(value)

    return rule


def path(value: Any) -> str:
    """Names of files and folders, which may look like numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value):
        raise ValueError("the name of a file or folder")
    return str(value)


def text(value: Any) -> str:
    """Words."""
    if not isinstance(value, str) or not value:
        raise ValueError("a word")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def group(value: Any) -> Mapping[str, Any]:
    """Settings of their own."""
    if not isinstance(value, Mapping):
        raise ValueError("settings, such as {train: 8, val: 4}")
    return value


def optional(rule: Rule) -> Rule:
    """Null, or what another rule allows."""
    return lambda value: None if value is None else rule(value)


def either(*rules: Rule) -> Rule:
    """What one of several rules allows."""

    def rule(value: Any) -> Any:
        wanted = []
        for allowed in rules:
            try:
                return allowed(value)
            except ValueError as error:
                wanted.append(str(error))
        raise ValueError(", or ".join(dict.fromkeys(wanted)))

    return rule


def listed(rule: Rule) -> Rule:
    """Lists of what another rule allows; a single one needs no brackets."""
    return lambda value: [rule(item) for item in (value if isinstance(value, list) else [value])]


def interval(rule: Rule) -> Rule:
    """Two numbers that another rule allows, the smaller one first."""

    def checked(value: Any) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError("two numbers, such as [10, 70]")
        low, high = (rule(item) for item in value)
        if low >= high:
            raise ValueError("the smaller number first, such as [10, 70]")
        return low, high

    return checked


POSITIVE = number(above=0)
NOT_NEGATIVE = number(least=0)
SIZE = whole(1, 4096)  # of a layer; more is a slip of the keyboard and would fill the memory
KERNEL = whole(1, 2**20)
