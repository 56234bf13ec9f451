"""Peak memory of `fft_conv1d`, of its peers, and of whole training steps, on the CPU.

    pip install bubbleloc[bench]
    python benchmarks/convolution_memory.py

Every case runs in a process of its own; shown is the highest resident memory during one forward
and backward pass above what the process held before it (inputs, weights and libraries).
"""

import argparse
import resource
import subprocess
import sys

import torch
from torch.nn import functional

from bubbleloc.nn import build_model, fft_conv1d
from bubbleloc.training.losses import DualLoss

LENGTH, BATCH = 8446, 64
CASES = {
    "fft_conv1d, 22→22 channels, K=131": ["convolution", "bubbleloc"],
    "F.conv1d, the same": ["convolution", "F.conv1d"],
    "fft-conv-pytorch, the same": ["convolution", "fft-conv-pytorch"],
    "julius, the same": ["convolution", "julius"],
    "training step of ckcnn hidden_channels=22 kernel=131": ["step", "22"],
    "training step of ckcnn hidden_channels=64 kernel=131": ["step", "64"],
}


def peak_bytes() -> int:
    """Return the highest resident memory of this process so far."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def convolution(name: str) -> int:
    """Return the bytes a convolution adds to its input, weight, output and their gradients."""
    if name == "fft-conv-pytorch":
        from fft_conv_pytorch import fft_conv as convolve
    elif name == "julius":
        from julius.fftconv import fft_conv1d as convolve
    else:
        convolve = {"bubbleloc": fft_conv1d, "F.conv1d": functional.conv1d}[name]

    def run(batch: int) -> int:
        x = torch.randn(batch, 22, LENGTH + 130, requires_grad=True)
        weight = torch.randn(22, 22, 131, requires_grad=True)
        upstream = torch.ones(batch, 22, LENGTH)
        before = peak_bytes()
        output = convolve(x, weight)
        output.backward(upstream)
        tensors = 4 * (output.numel() + x.numel() + weight.numel())  # output and gradients
        return peak_bytes() - before - tensors

    run(1)  # libraries load their parts
    return run(BATCH)


def step(channels: str) -> int:
    """Return the bytes that a training step on a batch of full signals adds."""
    network, loss = build_model("ckcnn", hidden_channels=int(channels), kernel=131), DualLoss()
    rf, count = torch.randn(BATCH, 1, LENGTH), (torch.rand(BATCH, 1, LENGTH) < 0.05).float()
    adam = torch.optim.Adam(network.parameters())
    before = peak_bytes()
    loss(network(rf), count).backward()
    adam.step()
    return peak_bytes() - before


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    case = parser.parse_args().case
    if case:
        torch.set_num_threads(2)
        kind, argument = case
        print({"convolution": convolution, "step": step}[kind](argument))
        return
    print(f"| batch of {BATCH} full signals, forward + backward | MB |\n|---|---|")
    for title, arguments in CASES.items():
        command = [sys.executable, __file__, "--case", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        value = f"{int(done.stdout) / 1e6:.0f}" if done.returncode == 0 else "failed"
        print(f"| {title} | {value} |", flush=True)


if __name__ == "__main__":
    main()
