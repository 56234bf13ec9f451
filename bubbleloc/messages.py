"""What users read when a command refuses its settings: one line, with a suggestion."""

import difflib
import re
from pathlib import Path

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
    """Return ``, did you mean …?`` when a configuration key resembles ``key``."""
    close = difflib.get_close_matches(key.split(".")[-1], sorted(known_keys(config)), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def known_keys(config: Path) -> set[str]:
    """Return all keys and groups of the configurations."""
    known = set()
    for path in config.rglob("*.yaml"):
        known |= set(re.findall(r"^\s*([a-z_0-9]+):", path.read_text(), re.MULTILINE))
        known.add(path.parent.name)
    return known
