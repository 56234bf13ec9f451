"""Temporal convolutional networks (Bai et al. 2018, arXiv 1803.01271)."""

from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from bubbleloc.nn.network import Localizer, doubling
from bubbleloc.nn.residual import Causal, residual_blocks


class TCN(Localizer):
    """Residual blocks of [dilated convolution, ReLU, dropout] × 2, and a 1-tap read-out.

    Block i has dilation 2ⁱ and weight normalisation. The published network is causal; here an
    output sees as much after as before it, because the echo of a bubble follows its arrival.
    48,976 parameters with 25 channels.

    Args:
        hidden_channels: channels of every block.
        kernel: taps per convolution, odd.
        input_scaling: ``"rms"`` or ``"none"``.
        levels: number of blocks.
        dropout: probability that a value becomes zero in training.
    """

    def __init__(
        self,
        hidden_channels: int = 25,
        kernel: int = 7,
        input_scaling: str = "rms",
        levels: int = 6,
        dropout: float = 0.0,
    ) -> None:
        if kernel % 2 == 0:
            raise ValueError(f"kernel={kernel} must be odd and positive; try {kernel | 1}")
        layers = tcn_blocks(1, hidden_channels, kernel, levels, dropout, causal=False)
        super().__init__([*layers, nn.Conv1d(hidden_channels, 1, 1)], input_scaling)


def tcn_blocks(
    in_channels: int, channels: int, kernel: int, levels: int, dropout: float, *, causal: bool
) -> list[nn.Module]:
    """Return ``levels`` residual blocks, causal and of constant length or valid and centred."""

    def convolution(inputs: int, outputs: int, dilation: int) -> nn.Module:
        layer = weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation))
        return Causal(layer) if causal else layer

    return residual_blocks(doubling(convolution, levels), in_channels, channels, dropout)
