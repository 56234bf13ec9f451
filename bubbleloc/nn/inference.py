"""The forward pass: RF lines in, network outputs out, batch by batch."""

import numpy as np
import torch
from numpy.typing import NDArray

from bubbleloc.nn.network import Localizer

Lines = NDArray[np.float32]


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def apply(network: Localizer, rf: Lines) -> Lines:
    """Return the network's output on RF lines in volts; both (b, L)."""
    device = default_device()
    network = network.to(device).eval()
    with torch.inference_mode():
        output = network(torch.from_numpy(rf).unsqueeze(1).to(device))
    lines: Lines = output.squeeze(1).cpu().numpy()
    return lines
