"""The trained networks that come with the package."""

from importlib import resources

import yaml
from safetensors.torch import load

from bubbleloc.nn.models import build_model
from bubbleloc.nn.network import Localizer

RELEASED = ("small",)


def load_released(name: str) -> Localizer:
    """Return a trained network of the package, in evaluation mode.

    How each was trained and how it scores stands in its card, ``docs/models.md``.

    Args:
        name: ``small``.

    Raises:
        ValueError: another name.
    """
    if name not in RELEASED:
        raise ValueError(f"no released network {name!r}; choose one of {', '.join(RELEASED)}")
    folder = resources.files("bubbleloc.nn") / "weights"
    settings = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    network = build_model(**settings["model"])
    network.load_state_dict(load((folder / f"{name}.safetensors").read_bytes()))
    return network.eval()
