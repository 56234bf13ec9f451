"""The forward pass: RF lines in, network outputs out, batch by batch."""

import contextlib
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from bubbleloc.arrays import Float32s
from bubbleloc.nn.heads import EmitterHead, Emitters, emitters
from bubbleloc.nn.localizer import Localizer


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def evaluating(network: Localizer) -> Iterator[torch.device]:
    """Put a network in evaluation mode on the default device; afterwards, it is as it was.

    Around a loop over batches, it moves the network to a GPU and back only once.
    """
    device = default_device()
    home = next((parameter.device for parameter in network.parameters()), device)
    if home.type == device.type:
        device = home
    training = [module for module in network.modules() if module.training]
    if home != device:
        network.to(device)
    for module in training:
        module.training = False
    try:
        yield device
    finally:
        if home != device:
            network.to(home)
        for module in training:
            module.training = True


def apply(network: Localizer, rf: Float32s) -> Float32s:
    """Return the network's output on RF lines in volts; both (b, L).

    >>> import numpy as np
    >>> from bubbleloc.nn import build_model
    >>> apply(build_model("ckcnn"), np.zeros((2, 1000), np.float32)).shape
    (2, 1000)
    """
    with evaluating(network) as device, torch.inference_mode():
        return _to_numpy(network(_to_tensor(rf, device)).squeeze(1))


def apply_emitters(network: Localizer, rf: Float32s) -> tuple[Float32s, Float32s]:
    """Return output (b, L) and the fields of `Emitters` (b, 4, L) of a network that has them."""
    with evaluating(network) as device, torch.inference_mode():
        output, values = counts_and_emitters(network, _to_tensor(rf, device))
        return _to_numpy(output.squeeze(1)), _to_numpy(values)


def apply_fields(network: Localizer, rf: Float32s) -> Float32s:
    """Return the fields of `Emitters` (b, 4, L) alone, which takes less time than both."""
    with evaluating(network) as device, torch.inference_mode():
        return _to_numpy(torch.stack(_emitters(network, _to_tensor(rf, device)), dim=1))


def counts_and_emitters(network: Localizer, rf: Tensor) -> tuple[Tensor, Tensor]:
    """Map RF lines (B, 1, L) to counts (B, 1, L) and the fields of `Emitters`, (B, 4, L).

    >>> from bubbleloc.nn import load_released
    >>> counts, values = counts_and_emitters(load_released("small"), torch.randn(2, 1, 1000))
    >>> counts.shape, values.shape
    (torch.Size([2, 1, 1000]), torch.Size([2, 4, 1000]))

    Args:
        network: a network with a head of emitters.
    """
    gaussians = _emitters(network, rf)
    return cast(EmitterHead, network.head).counts(*gaussians[:2]), torch.stack(gaussians, dim=1)


def _emitters(network: Localizer, rf: Tensor) -> Emitters:
    return emitters(network.readings(network.padded(rf), rf.shape[-1]))


def _to_tensor(rf: Float32s, device: torch.device) -> Tensor:
    """Return RF lines (b, L) as a network takes them, (b, 1, L)."""
    return torch.from_numpy(rf).unsqueeze(1).to(device)


def _to_numpy(values: Tensor) -> Float32s:
    lines: Float32s = values.float().cpu().numpy()
    return lines
