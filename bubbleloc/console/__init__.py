"""How a command talks with a person: settings, messages, progress, signals."""

from pathlib import Path


def config_folder() -> Path:
    """Return the configurations: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "conf"
    return packed if packed.is_dir() else package.parent / "conf"
