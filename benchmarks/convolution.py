"""Compare `fft_conv1d` with its peers: time and memory of forward + backward.

    pip install bubbleloc[bench]
    python benchmarks/convolution.py [--threads 2] [--device cpu] [--repeats 9]

Peers run in the same process, in another random order in every repetition, so that none always
follows the same neighbour; shown are medians of time, relative to ours.
"""

import argparse
import random
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bubbleloc.nn import fft_conv1d

Convolution = Callable[[Tensor, Tensor], Tensor]

LENGTH = 8446  # samples of an RF line
KERNELS = (3, 7, 15, 31, 65, 131, 263, 527, 1055, 2111)


def installed_peers() -> dict[str, Convolution]:
    """Return every implementation that is installed, ours first."""
    found: dict[str, Convolution] = {"bubbleloc": fft_conv1d, "F.conv1d": functional.conv1d}
    try:
        from fft_conv_pytorch import fft_conv

        found["fft-conv-pytorch"] = fft_conv
    except ImportError:
        print("fft-conv-pytorch is not installed")
    try:
        from julius.fftconv import fft_conv1d as julius_conv

        found["julius"] = julius_conv
    except ImportError:
        print("julius is not installed")
    found["one FFT"] = one_global_fft
    return found


def one_global_fft(x: Tensor, weight: Tensor) -> Tensor:
    """The textbook way: one FFT of the whole line."""
    spectrum = torch.einsum(
        "bif,oif->bof", torch.fft.rfft(x), torch.fft.rfft(weight, x.shape[-1]).conj()
    )
    return torch.fft.irfft(spectrum, x.shape[-1])[..., : x.shape[-1] - weight.shape[-1] + 1]


def milliseconds(convolution: Convolution, x: Tensor, weight: Tensor, upstream: Tensor) -> float:
    """Time one forward and backward pass."""
    x.grad = weight.grad = None
    synchronize(x.device)
    start = time.perf_counter()
    convolution(x, weight).backward(upstream)
    synchronize(x.device)
    return 1e3 * (time.perf_counter() - start)


def synchronize(device: torch.device) -> None:
    """Wait for the GPU, if there is one."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def compare(
    peers: dict[str, Convolution], kernel: int, options: argparse.Namespace
) -> dict[str, float]:
    """Return the median time of every peer."""
    torch.manual_seed(0)
    shape = (options.batch, options.channels, LENGTH + kernel - 1)
    x = torch.randn(shape, device=options.device, requires_grad=True)
    weight = torch.randn(
        options.channels, options.channels, kernel, device=options.device, requires_grad=True
    )
    upstream = torch.randn(options.batch, options.channels, LENGTH, device=options.device)
    times: dict[str, list[float]] = {name: [] for name in peers}
    shuffle = random.Random(0)
    for repetition in range(options.repeats + 1):
        for name in shuffle.sample(list(times), len(times)):
            elapsed = milliseconds(peers[name], x, weight, upstream)
            if repetition > 0:  # the first one warms up
                times[name].append(elapsed)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    warnings.filterwarnings("ignore", "Using a non-tuple sequence")  # fft-conv-pytorch's
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--kernels", type=int, nargs="+", default=KERNELS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peers = installed_peers()
    names = list(peers)
    print(f"| K | {names[0]} (ms) | {' | '.join(names[1:])} |")
    print(f"|---{'|---' * len(names)}|")
    for kernel in options.kernels:
        times = compare(peers, kernel, options)
        ours = times.pop("bubbleloc")
        ratios = " | ".join(f"{other / ours:.2f}×" for other in times.values())
        print(f"| {kernel} | {ours:.1f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
