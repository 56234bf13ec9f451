"""What networks are made of: convolutions with normalisation, in a row or in residual blocks."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.ckconv import samples_taken

Convolution = Callable[..., nn.Module]  # from input channels, output channels and dilation=


def doubling(depth: int) -> list[int]:
    """Return ``depth`` dilations, each twice the one before.

    >>> doubling(4)
    [1, 2, 4, 8]
    """
    return [2**level for level in range(depth)]


def stack(convolution: Convolution, channels: int, dilations: Sequence[int]) -> list[nn.Module]:
    """Return [convolution, batch normalisation, ReLU] per dilation, and a 1-tap read-out.

    >>> from functools import partial
    >>> [type(layer).__name__ for layer in stack(partial(nn.Conv1d, kernel_size=3), 8, [1])]
    ['Conv1d', 'BatchNorm1d', 'ReLU', 'Conv1d']
    """
    layers: list[nn.Module] = []
    for level, dilation in enumerate(dilations):
        convolved = convolution(channels if level else 1, channels, dilation=dilation)
        layers += [convolved, nn.BatchNorm1d(channels), nn.ReLU()]
    return [*layers, nn.Conv1d(channels, 1, 1)]


class Causal(nn.Module):
    """A valid convolution after zeros that keep the length: no output sees a later input.

    >>> import torch
    >>> Causal(nn.Conv1d(2, 3, kernel_size=9))(torch.randn(1, 2, 50)).shape
    torch.Size([1, 3, 50])

    Shape: (B, C_in, L) → (B, C_out, L).
    """

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` (B, C_in, L)."""
        padded = functional.pad(x, (samples_taken(self.convolution), 0))
        output: Tensor = self.convolution(padded)
        return output


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every sample, apart from all other samples.

    >>> import torch
    >>> x = torch.randn(1, 8, 50)
    >>> torch.allclose(ChannelNorm(8)(x).mean(1), torch.zeros(50), atol=1e-5)
    True

    Shape: (B, C, L) → (B, C, L).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``input`` (B, C, L)."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class ResidualBlock(nn.Module):
    """x ↦ ReLU(layers(x) + x), with x projected by one tap where channels differ.

    What valid convolutions take from the ends is taken from x on both sides alike.

    >>> import torch
    >>> ResidualBlock([nn.Conv1d(2, 3, 5)], 2, 3)(torch.randn(1, 2, 50)).shape
    torch.Size([1, 3, 46])

    Args:
        layers: from ``in_channels`` to ``out_channels``.

    Shape: (B, in_channels, L) → (B, out_channels, L − what the layers take).
    """

    def __init__(self, layers: list[nn.Module], in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv1d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to ``x`` (B, in_channels, L)."""
        output = self.layers(x)
        taken = (x.shape[-1] - output.shape[-1]) // 2
        kept: Tensor = x[..., taken : x.shape[-1] - taken]
        return functional.relu(output + self.shortcut(kept))


def residual_blocks(
    convolution: Convolution,
    in_channels: int,
    channels: int,
    dilations: Sequence[int],
    dropout: float,
) -> list[nn.Module]:
    """Return a block of [convolution, ReLU, dropout] × 2, + shortcut, ReLU for each dilation.

    >>> from functools import partial
    >>> blocks = residual_blocks(partial(nn.Conv1d, kernel_size=3), 1, 8, [1, 2], dropout=0.1)
    >>> [samples_taken(layer) for block in blocks for layer in block.layers]
    [2, 0, 0, 2, 0, 0, 4, 0, 0, 4, 0, 0]

    Args:
        convolution: makes a normalised convolution from its input and output channels.
        dropout: probability that a value becomes zero in training.
    """
    blocks: list[nn.Module] = []
    for dilation in dilations:
        layers: list[nn.Module] = []
        for inputs in (in_channels, channels):
            convolved = convolution(inputs, channels, dilation=dilation)
            layers += [convolved, nn.ReLU(), nn.Dropout(dropout)]
        blocks.append(ResidualBlock(layers, in_channels, channels))
        in_channels = channels
    return blocks
