"""The forward pass: RF lines in, network outputs out, batch by batch."""

import torch

from bubbleloc.arrays import Float32s
from bubbleloc.nn.frames import Normalised
from bubbleloc.nn.network import Localizer


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def apply(network: Localizer, rf: Float32s) -> Float32s:
    """Return the network's output on RF lines in volts; both (b, L).

    Multi-rate networks, which are trained in bfloat16, use it on CPUs with matrix instructions.
    Frozen ones do not: their first layer is a plain one, in which it would round the RF lines.
    """
    device = default_device()
    network = network.to(device).eval()
    multirate = any(isinstance(layer, Normalised) for layer in network.modules())
    reduced = multirate and torch.cpu._is_amx_tile_supported()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=reduced):
        output = network(torch.from_numpy(rf).unsqueeze(1).to(device))
    lines: Float32s = output.squeeze(1).float().cpu().numpy()
    return lines
