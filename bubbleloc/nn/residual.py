"""Residual blocks, and the CKCNN of Romero et al. 2021 (arXiv 2102.02611) made of them."""

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.ckconv import CKConv1d, samples_taken
from bubbleloc.nn.network import Convolution, Localizer


class Causal(nn.Module):
    """A valid convolution after zeros that keep the length: no output sees a later input.

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
    convolutions: Sequence[Convolution], in_channels: int, channels: int, dropout: float
) -> list[nn.Module]:
    """Return a block of [convolution, ReLU, dropout] × 2, + shortcut, ReLU for each convolution.

    Args:
        convolutions: each makes a normalised convolution from its input and output channels.
        dropout: probability that a value becomes zero in training.
    """
    blocks: list[nn.Module] = []
    for convolution in convolutions:
        layers: list[nn.Module] = []
        for inputs in (in_channels, channels):
            layers += [convolution(inputs, channels), nn.ReLU(), nn.Dropout(dropout)]
        blocks.append(ResidualBlock(layers, in_channels, channels))
        in_channels = channels
    return blocks


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
        def convolution(inputs: int, outputs: int) -> nn.Module:
            layer = CKConv1d(
                inputs,
                outputs,
                kernel,
                omega_0=omega_0,
                hidden_features=hidden_features,
                init=init,
            )
            return nn.Sequential(layer, ChannelNorm(outputs))

        layers = residual_blocks([convolution] * blocks, 1, hidden_channels, dropout)
        super().__init__([*layers, nn.Conv1d(hidden_channels, 1, 1)], input_scaling)
