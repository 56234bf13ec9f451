"""Residual blocks, and the CKCNN of Romero et al. 2021 (arXiv 2102.02611) made of them."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.ckconv import CKConv1d
from bubbleloc.nn.network import Localizer

Convolution = Callable[[int, int, int], nn.Module]

CONVOLUTIONS = 2  # of a block


class Causal(nn.Module):
    """A valid convolution after zeros that keep the length: no output sees a later input.

    Args:
        convolution: loses ``reach`` samples.
        reach: dilation · (K − 1).

    Shape: (B, C_in, L) → (B, C_out, L).
    """

    def __init__(self, convolution: nn.Module, reach: int) -> None:
        super().__init__()
        self.convolution, self.reach = convolution, reach

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` (B, C_in, L)."""
        output: Tensor = self.convolution(functional.pad(x, (self.reach, 0)))
        return output


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every sample, apart from all other samples.

    Shape: (B, C, L) → (B, C, L).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``input`` (B, C, L)."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "channels": ChannelNorm,
    "sequence": partial(nn.GroupNorm, 1),  # over channels and time, as the published code has it
}


class ResidualBlock(nn.Module):
    """x ↦ ReLU(layers(x) + x), with x projected by one tap where channels differ.

    What valid convolutions take from the ends is taken from x on both sides alike.

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
    convolution: Convolution, blocks: int, in_channels: int, channels: int, dropout: float
) -> list[nn.Module]:
    """Return ``blocks`` × [convolution, ReLU, dropout, the same again, + shortcut, ReLU].

    Args:
        convolution: makes a normalised convolution from its input channels, output channels
            and the place of its block (0, 1, …).
        dropout: probability that a value becomes zero in training.
    """
    made: list[nn.Module] = []
    for place in range(blocks):
        inputs = in_channels if place == 0 else channels
        layers: list[nn.Module] = []
        for layer_inputs in (inputs, channels):
            layers += [convolution(layer_inputs, channels, place), nn.ReLU(), nn.Dropout(dropout)]
        made.append(ResidualBlock(layers, inputs, channels))
    return made


class ResidualCKCNN(Localizer):
    """Residual blocks of [CKConv, layer norm, ReLU, dropout] × 2, and a 1-tap read-out.

    Where the published code normalises over channels and time together, this normalises over the
    channels of each sample, so that a crop gives the output of the whole line, and a quiet end
    of a line does not depend on a loud one. An output sees the echo that follows: the
    convolutions are centred, not causal. 28,422 parameters with 15 channels.

    Args:
        blocks: two CKConv layers each.
        dropout: probability that a value becomes zero in training.
        hidden_channels, kernel, input_scaling, omega_0, hidden_features, init: as in `CKCNN`.
    """

    def __init__(
        self,
        hidden_channels: int = 15,
        kernel: int = 131,
        input_scaling: str = "rms",
        omega_0: float = 30.0,
        hidden_features: int = 32,
        init: str = "balanced",
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        def convolution(in_channels: int, out_channels: int, _: int) -> nn.Module:
            layer = CKConv1d(
                in_channels,
                out_channels,
                kernel,
                omega_0=omega_0,
                hidden_features=hidden_features,
                init=init,
            )
            return nn.Sequential(layer, ChannelNorm(out_channels))

        layers = residual_blocks(convolution, blocks, 1, hidden_channels, dropout)
        read_out = nn.Conv1d(hidden_channels, 1, 1)
        receptive_field = 1 + CONVOLUTIONS * blocks * (kernel - 1)
        super().__init__([*layers, read_out], receptive_field, input_scaling)
