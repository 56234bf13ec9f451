"""The forward pass: RF lines in, network outputs out, batch by batch."""

import torch
from torch import Tensor

from bubbleloc.arrays import Float32s
from bubbleloc.nn.emitters import counts_and_emitters
from bubbleloc.nn.network import Localizer


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def apply(network: Localizer, rf: Float32s) -> Float32s:
    """Return the network's output on RF lines in volts; both (b, L)."""
    with torch.inference_mode():
        network, lines = _ready(network, rf)
        return _on_cpu(network(lines).squeeze(1))


def apply_emitters(network: Localizer, rf: Float32s) -> tuple[Float32s, Float32s]:
    """Return output (b, L) and the fields of `Emitters` (b, 4, L) of a network that has them."""
    with torch.inference_mode():
        output, values = counts_and_emitters(*_ready(network, rf))
        return _on_cpu(output.squeeze(1)), _on_cpu(values)


def _ready(network: Localizer, rf: Float32s) -> tuple[Localizer, Tensor]:
    device = default_device()
    return network.to(device).eval(), torch.from_numpy(rf).unsqueeze(1).to(device)


def _on_cpu(values: Tensor) -> Float32s:
    lines: Float32s = values.cpu().numpy()
    return lines
