"""The forward pass: RF lines in, network outputs out, batch by batch."""

import torch

from bubbleloc.arrays import Float32s
from bubbleloc.nn.network import Localizer


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def apply(network: Localizer, rf: Float32s) -> Float32s:
    """Return the network's output on RF lines in volts; both (b, L)."""
    device = default_device()
    network = network.to(device).eval()
    with torch.inference_mode():
        output = network(torch.from_numpy(rf).unsqueeze(1).to(device))
    lines: Float32s = output.squeeze(1).cpu().numpy()
    return lines
