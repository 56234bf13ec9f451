"""Networks and layers: pure torch, no Lightning, no Hydra."""

import inspect
from typing import Any

from bubbleloc.nn.ckcnn import CKCNN, LocalCKCNN
from bubbleloc.nn.ckconv import CKConv1d, LocalCKConv1d
from bubbleloc.nn.dilated_cnn import DilatedCKCNN, DilatedCNN
from bubbleloc.nn.fftconv import FFTConv1d, fft_conv1d
from bubbleloc.nn.network import Localizer
from bubbleloc.nn.siren import SIREN

__all__ = [
    "CKCNN",
    "SIREN",
    "CKConv1d",
    "DilatedCKCNN",
    "DilatedCNN",
    "FFTConv1d",
    "LocalCKCNN",
    "LocalCKConv1d",
    "Localizer",
    "build_model",
    "fft_conv1d",
]

MODELS: dict[str, type[Localizer]] = {
    "dilated_cnn": DilatedCNN,
    "ckcnn": CKCNN,
    "ckcnn_dilated": DilatedCKCNN,
    "ckcnn_local": LocalCKCNN,
}


def build_model(name: str, **kwargs: Any) -> Localizer:
    """Build a network by its configuration name; arguments that are None keep their default.

    Args:
        name: ``dilated_cnn``, ``ckcnn``, ``ckcnn_dilated`` or ``ckcnn_local``.
        kwargs: arguments of the network's class.

    Raises:
        ValueError: unknown name or argument, or a value the network refuses.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(MODELS)}")
    given = {key: value for key, value in kwargs.items() if value is not None}
    accepted = inspect.signature(MODELS[name]).parameters
    if unknown := sorted(given.keys() - accepted):
        raise ValueError(
            f"model {name} has no setting {', '.join(unknown)}; it has {', '.join(accepted)}"
        )
    return MODELS[name](**given)
