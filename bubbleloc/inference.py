"""The forward pass: RF lines in, network outputs out, batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from bubbleloc.nn import Localizer
from bubbleloc.splits import Split

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


def predict(
    network: Localizer, split: Split, batch_size: int = 16
) -> Iterator[tuple[Lines, Lines]]:
    """Yield the network's output and the true bubble count, both (batch, L), in order."""
    batches = DataLoader(Subset(split.lines, split.signals), batch_size=batch_size)
    for batch in tqdm(batches, desc=f"predict {split.lines.path}", unit="batch"):
        yield apply(network, batch["rf"].squeeze(1).numpy()), batch["count"].squeeze(1).numpy()
