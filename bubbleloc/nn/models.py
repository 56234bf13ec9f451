"""Networks by the names of their configurations."""

import inspect
from typing import Any

from bubbleloc.nn.ckcnn import CKCNN, LocalCKCNN
from bubbleloc.nn.dilated_cnn import DilatedCKCNN, DilatedCNN
from bubbleloc.nn.emitters import with_emitters
from bubbleloc.nn.multirate import MultirateCKCNN
from bubbleloc.nn.network import Localizer
from bubbleloc.nn.residual import ResidualCKCNN
from bubbleloc.nn.tcn import TCN

MODELS: dict[str, type[Localizer]] = {
    "dilated_cnn": DilatedCNN,
    "ckcnn": CKCNN,
    "ckcnn_dilated": DilatedCKCNN,
    "ckcnn_local": LocalCKCNN,
    "ckcnn_multirate": MultirateCKCNN,
    "ckcnn_residual": ResidualCKCNN,
    "tcn": TCN,
}
HEADS = ("counts", "emitters")


def build_model(name: str, *, head: str | None = None, **kwargs: Any) -> Localizer:
    """Build a network by its configuration name; arguments that are None keep their default.

    Args:
        name: ``dilated_cnn``, ``ckcnn``, ``ckcnn_dilated``, ``ckcnn_local``,
            ``ckcnn_multirate``, ``ckcnn_residual`` or ``tcn``.
        head: ``counts``, or ``emitters`` with positions, their errors and radii, see
            `bubbleloc.nn.emitters`.
        kwargs: arguments of the network's class.

    Raises:
        ValueError: unknown name, head or argument, or a value the network refuses.
    """
    if head not in (None, *HEADS):
        raise ValueError(f"unknown head {head!r}; choose one of {', '.join(HEADS)}")
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(MODELS)}")
    given = {key: value for key, value in kwargs.items() if value is not None}
    accepted = inspect.signature(MODELS[name]).parameters
    if unknown := sorted(given.keys() - accepted):
        raise ValueError(
            f"model {name} has no setting {', '.join(unknown)}; it has {', '.join(accepted)}"
        )
    network = MODELS[name](**given)
    return with_emitters(network) if head == "emitters" else network
