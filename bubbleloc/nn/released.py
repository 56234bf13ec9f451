"""The trained networks that come with the package."""

from importlib import resources
from typing import Any

import yaml
from safetensors.torch import load

from bubbleloc.nn.heads import Calibration, EmitterHead
from bubbleloc.nn.localizer import Localizer, build_model

RELEASED = ("small", "large", "robust", "robust-small")
WEIGHTS = resources.files("bubbleloc.nn") / "weights"


def load_released(name: str) -> Localizer:
    """Return a trained network of the package, in evaluation mode.

    How each was trained and how it scores stands in ``docs/models.md``.

    >>> import torch
    >>> network = load_released("small")
    >>> network(torch.randn(2, 1, 1000)).shape  # volts to bubbles per sample
    torch.Size([2, 1, 1000])

    Args:
        name: ``small`` or ``large`` for clean lines of equal bubbles; ``robust`` or
            ``robust-small`` for lines with noise and bubbles of all sizes.

    Raises:
        ValueError: another name.
    """
    card = released_card(name)
    network = build_model(**card["model"])
    network.load_state_dict(load((WEIGHTS / f"{name}.safetensors").read_bytes()))
    if isinstance(network.head, EmitterHead):
        network.head.calibration = Calibration(*card["checkpoints"]["best"]["calibration"])
    return network.eval()


def released_card(name: str) -> dict[str, Any]:
    """Return the card of a network of the package: what it is, how it was trained, its scores.

    >>> released_card("small")["sampling_rate_hz"]
    62500000.0

    ``model`` (arguments of `build_model`), ``parameters``, ``sampling_rate_hz``,
    ``speed_of_sound_m_s``, ``frequency_hz``, ``noise``, ``checkpoints`` (of ``best``, the
    fingerprint of the weights and the best threshold per tolerance in samples), ``selection`` (the
    split these were chosen on), ``software``, ``f1_test`` and ``training`` (its settings).

    Raises:
        ValueError: no network of that name.
    """
    if name not in RELEASED:
        raise ValueError(f"no released network {name!r}; choose one of {', '.join(RELEASED)}")
    card: dict[str, Any] = yaml.safe_load((WEIGHTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return card
