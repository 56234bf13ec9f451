"""Chooses direct convolution or FFT blocks of some length, by a small cost model.

Costs are in nanoseconds of one core; only their ratios matter. They were fitted to
``benchmarks/convolution.py``, which shows whether a choice was right.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

DIRECT_NS = 0.028  # per multiplication of a direct convolution,
SHORT_KERNEL = 15  # in proportion less for kernels below this,
FEW_PAIRS = 14  # in proportion more for fewer channel pairs than this
TRANSFORM_NS = 0.16  # per sample and octave of a power-of-two FFT, layout changes included
PRODUCT_NS = 0.19  # per complex multiplication of the channel mixing
KERNEL_TRAFFIC_NS = 1.6  # per complex number of kernel spectra read from memory
ODD_FACTOR = 1.6  # how much slower FFTs are whose length is no power of two
SMALLEST_BLOCK = 128  # shorter blocks leave too little work to each matrix product
MULTIPLES = (1.0, 1.25, 1.5, 1.75)  # of a power of two: block lengths that are considered

CACHE_BYTES = 1 << 19  # spectra of a chunk of lines on a CPU
DEVICE_BYTES = 1 << 28  # the same on an accelerator, which wants large batches
LEAST_COLUMNS = 10  # blocks of a chunk, so that products are worth reading the kernels for


@dataclass(frozen=True)
class Plan:
    """The cut of one convolution: blocks of ``block`` samples, one every ``step``.

    Attributes:
        length: samples of a line, L
        kernel: samples of a kernel, K
        block: length of the FFT
        chunk: lines that are processed together
    """

    length: int
    kernel: int
    block: int
    chunk: int

    @property
    def step(self) -> int:
        """Valid samples of a block."""
        return self.block - self.kernel + 1

    @property
    def valid(self) -> int:
        """Samples of the result."""
        return self.length - self.kernel + 1

    @property
    def blocks(self) -> int:
        """Blocks of a line."""
        return -(-self.valid // self.step)

    @property
    def covered(self) -> int:
        """Samples of a line that its blocks reach, zeros at its end included."""
        return (self.blocks - 1) * self.step + self.block

    def chunks(self, lines: int) -> Iterator[slice]:
        """Return the lines of every chunk."""
        return (slice(i, min(i + self.chunk, lines)) for i in range(0, lines, self.chunk))


@functools.lru_cache(maxsize=1024)
def plan_convolution(x: tuple[int, ...], weight: tuple[int, ...], device: str) -> Plan | None:
    """Return the cheapest cut of a convolution, or None where direct convolution is better.

    >>> plan_convolution((16, 15, 2048), (15, 15, 131), "cpu").block
    2048
    >>> plan_convolution((16, 15, 2048), (15, 15, 3), "cpu") is None
    True

    Args:
        x: shape (B, C_in, L).
        weight: shape (C_out, C_in, K).
        device: ``"cpu"`` or the type of an accelerator.
    """
    if len(x) != 3 or len(weight) != 3 or x[1] != weight[1] or 0 in (*x, *weight):
        return None  # direct convolution computes it or raises
    (batch, in_channels, length), (out_channels, _, kernel) = x, weight
    if kernel > length:
        return None
    smallest = max(SMALLEST_BLOCK, 1 << (kernel - 1).bit_length())
    sizes = [int(smallest * 2**octave * multiple) for octave in range(6) for multiple in MULTIPLES]
    channels = batch, in_channels, out_channels
    costs = [fft_cost(Plan(length, kernel, size, chunk=1), *channels) for size in sizes]
    best = Plan(length, kernel, sizes[costs.index(min(costs))], chunk=1)
    if direct_cost(best, *channels) < min(costs):
        return None
    return Plan(length, kernel, best.block, chunk_lines(best, in_channels + out_channels, device))


def fft_cost(plan: Plan, batch: int, in_channels: int, out_channels: int) -> float:
    """Return the cost of a forward and backward pass by FFT: 5 transforms, 3 products."""
    odd = plan.block & (plan.block - 1) != 0
    sample = TRANSFORM_NS * math.log2(plan.block) * (ODD_FACTOR if odd else 1.0)
    columns = batch * plan.blocks
    pairs = in_channels * out_channels
    transforms = plan.block * (2.5 * (in_channels + out_channels) * columns + 2 * pairs)
    products = plan.block / 2 * pairs * (3 * PRODUCT_NS * columns + KERNEL_TRAFFIC_NS)
    return sample * transforms + products


def direct_cost(plan: Plan, batch: int, in_channels: int, out_channels: int) -> float:
    """Return the cost of a forward and backward pass by direct convolution."""
    pairs = in_channels * out_channels
    multiplications = 3 * batch * plan.valid * plan.kernel * max(pairs, FEW_PAIRS)
    return DIRECT_NS * multiplications * min(1.0, plan.kernel / SHORT_KERNEL)


def chunk_lines(plan: Plan, channels: int, device: str) -> int:
    """Return how many lines to process together."""
    budget = CACHE_BYTES if device == "cpu" else DEVICE_BYTES
    line_bytes = 4 * channels * plan.blocks * plan.block
    return max(1, budget // line_bytes, -(-LEAST_COLUMNS // plan.blocks))
