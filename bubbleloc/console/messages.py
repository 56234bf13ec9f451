"""What users read when a command warns or refuses: one line, with a suggestion."""

import difflib
import multiprocessing
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

OPEN_GROUP = "trainer."  # +trainer.x=… reaches lightning.Trainer, which checks its arguments


def one_line(error: Exception, config: Path) -> str:
    """Say an error in one line, with a suggestion where a configuration key is misspelt.

    Args:
        config: folder of the configurations.
    """
    text = str(error)
    if match := re.search(r"Could not override '([^']+)'", text):
        return f"unknown setting {match[1]!r}{suggestion(match[1], config)}; see --help"
    if match := re.search(r"Could not find '([^/']+)/([^']+)'.*?:((?:\n\t\S+)+)", text, re.DOTALL):
        return f"unknown {match[1]} {match[2]!r}; choose one of {', '.join(match[3].split())}"
    if match := re.search(r"Missing mandatory value: (\S+)", text):
        return f"{match[1]}=… is missing; see --help"
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(
        line for line in lines if line and not line.startswith(("full_key", "object_type"))
    )


def unknown_setting(override: str, config: Path) -> str | None:
    """Say what is wrong with ``+key=…``, ``++key=…`` and ``~key``, which Hydra takes unchecked."""
    sign = re.match(r"\+\+?|~", override)
    if sign is None:
        return None
    key = override[sign.end() :].partition("=")[0]
    if sign[0] != "~" and key.startswith(OPEN_GROUP):
        return None
    if key.split(".")[-1] in known_keys(config):
        return f"{override}: write {key}=… without {sign[0]!r}; settings cannot be added or removed"
    return f"unknown setting {key!r}{suggestion(key, config)}; see --help"


def suggestion(key: str, config: Path) -> str:
    """Return ``, did you mean …?`` when a setting resembles ``key``, and never ``key`` itself."""
    settings = sorted(known_settings(config) - {key}, key=lambda name: (name.count("."), name))
    by_last = {name.split(".")[-1]: name for name in reversed(settings)}  # the shortest stays
    close = difflib.get_close_matches(key.split(".")[-1], sorted(by_last), n=1)
    return f", did you mean {by_last[close[0]]!r}?" if close else ""


def known_keys(config: Path) -> set[str]:
    """Return all keys and groups of the configurations."""
    return {part for name in known_settings(config) for part in name.split(".")}


def known_settings(config: Path) -> set[str]:
    """Return all settings and groups as a user types them, such as ``data.physics.shell``."""
    known = set()
    for path in config.rglob("*.yaml"):
        group = path.parent.relative_to(config).parts
        content = yaml.safe_load(path.read_text()) or {}
        everywhere = "@package _global_" in path.read_text()
        known |= {".".join(group), *_names(content, () if everywhere else group)}
    return {name for name in known if name.split(".")[0] not in ("", "hydra", "defaults")}


def _names(content: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    for key, value in content.items():
        yield ".".join((*above, key))
        if isinstance(value, Mapping):
            yield from _names(value, (*above, key))


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Say a warning in one line; it takes the place of ``warnings.showwarning``."""
    from tqdm import tqdm

    line = f"warning: {' '.join(str(message).split())}"
    if multiprocessing.parent_process():  # killed with the bar's lock, a worker would stop us all
        print(line, file=sys.stderr)
    else:
        tqdm.write(line, file=sys.stderr)  # above a progress bar, not into it
