"""Classifiers of whole sequences: causal residual blocks, read at the last time step."""

import copy
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Unpack

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from bubbleloc.nn import CKConv1d, Kernels
from bubbleloc.nn.blocks import Causal, ChannelNorm, doubling, residual_blocks
from bubbleloc.nn.ckconv import check_range, plain_convolution

BLUR_SAMPLES = 0.5  # of the new rate: the Gaussian of Romero et al. 2021, App. D
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "channels": ChannelNorm,
    "sequence": partial(nn.GroupNorm, 1),  # over channels and time, as the published code has it
}


class SequenceClassifier(nn.Module):
    """Dropout on the input, causal blocks, and a linear layer on the last time step.

    Both studies read their causal networks there, which is where all of the sequence is seen.

    Args:
        blocks: causal, of constant length.
        channels: that the blocks end with.
        classes: number of classes.
        input_dropout: probability that an input value becomes zero in training.

    Shape: (B, in_channels, L) → (B, classes), logits.
    """

    def __init__(
        self, blocks: list[nn.Module], channels: int, classes: int, input_dropout: float
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Dropout(input_dropout), *blocks)
        self.read_out = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify ``x`` (B, in_channels, L)."""
        logits: Tensor = self.read_out(self.body(x)[..., -1])
        return logits


class CKCNNClassifier(SequenceClassifier):
    """The CKCNN of Romero et al. 2021 (arXiv 2102.02611), with its published settings.

    98,286 parameters, whatever the kernel size.

    >>> CKCNNClassifier(kernel=785)(torch.randn(2, 1, 784)).shape
    torch.Size([2, 10])

    Args:
        kernel: kernel size K in samples, odd; published is the length of the sequence.
        classes, in_channels, hidden_channels, blocks: sizes.
        norm: ``"sequence"`` normalises over channels and time, as the published code does, which
            lets an output know the scale of later inputs; ``"channels"`` is strictly causal.
        dropout, input_dropout: probability that a value becomes zero in training.
        kernels: settings of `CKConv1d`; by default ``omega_0=31.09, init="published"``.

    Raises:
        ValueError: an even kernel, or an unknown ``norm`` or ``init``.
    """

    def __init__(
        self,
        kernel: int,
        classes: int = 10,
        in_channels: int = 1,
        hidden_channels: int = 30,
        blocks: int = 2,
        norm: str = "sequence",
        dropout: float = 0.1,
        input_dropout: float = 0.1,
        **kernels: Unpack[Kernels],
    ) -> None:
        kernels = Kernels(omega_0=31.09, init="published") | kernels
        check_range(1, 32, blocks=blocks)
        if norm not in NORMS:
            raise ValueError(f"norm={norm!r} must be one of {', '.join(NORMS)}")

        def convolution(inputs: int, outputs: int, dilation: int) -> nn.Module:
            layer = CKConv1d(inputs, outputs, kernel, dilation=dilation, **kernels)
            return nn.Sequential(Causal(layer), NORMS[norm](outputs))

        layers = residual_blocks(convolution, in_channels, hidden_channels, [1] * blocks, dropout)
        super().__init__(layers, hidden_channels, classes, input_dropout)

    def at_sampling_rate(self, ratio: Fraction | float) -> "CKCNNClassifier":
        """Return a frozen copy for sequences of ``ratio`` times the sampling rate.

        Every kernel is sampled at the new rate, see `continuous_convolution`.
        """
        other = copy.deepcopy(self)
        for name, module in self.named_modules():
            if isinstance(module, Causal) and isinstance(module.convolution, CKConv1d):
                layer = continuous_convolution(module.convolution, ratio, causal=True)
                other.set_submodule(name, Causal(layer))
        return other.eval().requires_grad_(False)


class TCNClassifier(SequenceClassifier):
    """The TCN of Bai et al. 2018 (arXiv 1803.01271), with its settings for sequential MNIST.

    66,910 parameters.

    >>> TCNClassifier()(torch.randn(2, 1, 784)).shape
    torch.Size([2, 10])

    Args:
        kernel: taps per convolution.
        levels: number of blocks, of dilation 1, 2, 4, …
        classes, in_channels, hidden_channels: sizes.
        dropout, input_dropout: probability that a value becomes zero in training.
    """

    def __init__(
        self,
        kernel: int = 7,
        classes: int = 10,
        in_channels: int = 1,
        hidden_channels: int = 25,
        levels: int = 8,
        dropout: float = 0.05,
        input_dropout: float = 0.0,
    ) -> None:
        check_range(1, 12, levels=levels)

        def convolution(inputs: int, outputs: int, dilation: int) -> nn.Module:
            return Causal(weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation)))

        layers = residual_blocks(
            convolution, in_channels, hidden_channels, doubling(levels), dropout
        )
        super().__init__(layers, hidden_channels, classes, input_dropout)


@torch.no_grad()
def continuous_convolution(
    layer: CKConv1d, ratio: Fraction | float, *, causal: bool = False
) -> nn.Module:
    """Return the convolution that is ``layer`` at ``ratio`` times the sampling rate, by its ψ.

    Unlike `bubbleloc.nn.resample.resampled_convolution` it needs no tails and stays causal. As in
    Romero et al. 2021, App. D: (x ∗ ψ) at rate sr₂ ≈ sr₂/sr₁ · (x ∗ ψ) at rate sr₁, so ψ is
    multiplied by sr₁/sr₂. Old and new positions coincide where they can, from the sample an output
    belongs to. At higher rates ψ is blurred, because training has not seen it between the old
    positions.

    >>> continuous_convolution(CKConv1d(1, 1, 65), 2, causal=True)
    Conv1d(1, 1, kernel_size=(129,), stride=(1,))

    Args:
        causal: an output belongs to the last tap, else to the middle one.

    Raises:
        ValueError: a ratio that is not positive, or a dilated layer.
    """
    if ratio <= 0 or layer.dilation > 1:
        raise ValueError(f"ratio {ratio} must be positive, dilation {layer.dilation} must be 1")
    tau, ratio = layer.tau, float(ratio)
    step = (tau[-1] - tau[0]) / max(1, len(tau) - 1) / ratio
    reach = math.floor(ratio * (len(tau) - 1) / (1 if causal else 2))
    taps = torch.arange(-reach, 1 if causal else reach + 1).to(tau)
    positions = step * taps + (tau[-1] if causal else 0.0)
    blur = math.ceil(ratio) if ratio > 1 else 0
    offsets = torch.arange(-blur, blur + 1).to(tau)
    weights = torch.softmax(-0.5 * (offsets / BLUR_SAMPLES).square(), 0)
    kernel = sum(
        weight * layer.values_at((positions + offset * step).clamp(tau[0], tau[-1]))
        for weight, offset in zip(weights, offsets, strict=True)
    )
    return plain_convolution(kernel / ratio, layer.bias)
