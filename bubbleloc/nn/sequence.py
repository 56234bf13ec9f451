"""Classifiers of whole sequences: causal residual blocks, read at the last time step."""

import copy
from fractions import Fraction

from torch import Tensor, nn

from bubbleloc.nn.ckconv import CKConv1d
from bubbleloc.nn.resample import continuous_convolution
from bubbleloc.nn.residual import NORMS, Causal, residual_blocks
from bubbleloc.nn.tcn import tcn_blocks


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

    Args:
        kernel: kernel size K in samples, odd; published is the length of the sequence.
        classes, in_channels, hidden_channels, blocks: sizes.
        omega_0, hidden_features, init: as in `CKConv1d`.
        norm: ``"sequence"`` normalises over channels and time, as the published code does, which
            lets an output know the scale of later inputs; ``"channels"`` is strictly causal.
        dropout, input_dropout: probability that a value becomes zero in training.

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
        omega_0: float = 31.09,
        hidden_features: int = 32,
        init: str = "published",
        norm: str = "sequence",
        dropout: float = 0.1,
        input_dropout: float = 0.1,
    ) -> None:
        if norm not in NORMS:
            raise ValueError(f"norm={norm!r} must be one of {', '.join(NORMS)}")

        def convolution(inputs: int, outputs: int) -> nn.Module:
            layer = CKConv1d(
                inputs,
                outputs,
                kernel,
                omega_0=omega_0,
                hidden_features=hidden_features,
                init=init,
            )
            return nn.Sequential(Causal(layer), NORMS[norm](outputs))

        made = residual_blocks([convolution] * blocks, in_channels, hidden_channels, dropout)
        super().__init__(made, hidden_channels, classes, input_dropout)

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
        made = tcn_blocks(in_channels, hidden_channels, kernel, levels, dropout, causal=True)
        super().__init__(made, hidden_channels, classes, input_dropout)
