"""The networks that work at the sampling rate of the lines; each is a way to compose layers.

Of all: ``hidden_channels`` is the number of channels between layers, ``kernel`` the size of the
convolutions in samples, ``kernels`` are settings of `CKConv1d`, ``head`` and ``input_scaling``
are those of `Localizer`.
"""

from functools import partial
from typing import Unpack

from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from bubbleloc.nn.blocks import ChannelNorm, doubling, residual_blocks, stack
from bubbleloc.nn.ckconv import CKConv1d, Kernels, check_odd, check_range
from bubbleloc.nn.localizer import Localizer, network

CKCNN_DEPTH = 4
DILATED_DEPTH = 12  # dilations 1, 2, 4 … 2048


@network("ckcnn")
@network("ckcnn_local", window_samples=30.0)
class CKCNN(Localizer):
    """Four × [CKConv, batch norm, ReLU] and a 1-tap read-out (Jonker 2023).

    The parameter count is independent of the kernel size: 28,392 with 15 channels, 55,139 with
    22. ``ckcnn_local`` has kernels in physical time under learned windows; its accuracy does not
    depend on the kernel size once it covers them, and it has 29,772 parameters.

    >>> import torch
    >>> CKCNN(kernel=65, omega_0=20.0)(torch.randn(2, 1, 500)).shape
    torch.Size([2, 1, 500])
    """

    def __init__(
        self,
        hidden_channels: int = 15,
        kernel: int = 131,
        head: str = "counts",
        input_scaling: str = "rms",
        **kernels: Unpack[Kernels],
    ) -> None:
        convolution = partial(CKConv1d, kernel_size=kernel, **kernels)
        layers = stack(convolution, hidden_channels, dilations=[1] * CKCNN_DEPTH)
        super().__init__(layers, head=head, input_scaling=input_scaling)


@network("dilated_cnn")
class DilatedCNN(Localizer):
    """Twelve convolutions with dilations 1, 2, 4 … 2048, each with batch norm and ReLU.

    It is the network of Blanken et al., IEEE TMI 41(9), 2022: 64 channels, kernels of 3 taps, raw
    volts. ``model`` has the layer order of the published code, so published weights load into it:
    ``network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))``.

    >>> DilatedCNN().parameter_count
    137729
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        kernel: int = 3,
        head: str = "counts",
        input_scaling: str = "none",
    ) -> None:
        check_odd(kernel=kernel)
        convolution = partial(nn.Conv1d, kernel_size=kernel)
        layers = stack(convolution, hidden_channels, dilations=doubling(DILATED_DEPTH))
        super().__init__(layers, head=head, input_scaling=input_scaling)


@network("ckcnn_dilated")
class DilatedCKCNN(Localizer):
    """The dilated CNN with every convolution a `CKConv1d` of the same taps and dilation.

    By default the kernels have 12 ``hidden_features``.

    >>> DilatedCKCNN().parameter_count
    636497
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        kernel: int = 3,
        head: str = "counts",
        input_scaling: str = "rms",
        **kernels: Unpack[Kernels],
    ) -> None:
        kernels = Kernels(hidden_features=12) | kernels
        convolution = partial(CKConv1d, kernel_size=kernel, **kernels)
        layers = stack(convolution, hidden_channels, dilations=doubling(DILATED_DEPTH))
        super().__init__(layers, head=head, input_scaling=input_scaling)


@network("ckcnn_residual")
class ResidualCKCNN(Localizer):
    """Residual blocks of [CKConv, layer norm, ReLU, dropout] × 2, and a 1-tap read-out.

    Romero et al. 2021 (arXiv 2102.02611) normalise over channels and time together; this
    normalises over the channels of each sample, so that a crop gives the output of the whole line,
    and a quiet end of a line does not depend on a loud one. An output sees the echo that follows:
    the convolutions are centred, not causal. 28,422 parameters with 15 channels.

    >>> ResidualCKCNN(kernel=31, blocks=2).receptive_field
    121

    Args:
        blocks: two CKConv layers each, 1 to 32.
        dropout: probability that a value becomes zero in training.
    """

    def __init__(
        self,
        hidden_channels: int = 15,
        kernel: int = 131,
        blocks: int = 2,
        dropout: float = 0.0,
        head: str = "counts",
        input_scaling: str = "rms",
        **kernels: Unpack[Kernels],
    ) -> None:
        check_range(1, 32, blocks=blocks)

        def convolution(inputs: int, outputs: int, dilation: int) -> nn.Module:
            layer = CKConv1d(inputs, outputs, kernel, dilation=dilation, **kernels)
            return nn.Sequential(layer, ChannelNorm(outputs))

        layers = residual_blocks(convolution, 1, hidden_channels, [1] * blocks, dropout)
        read_out = nn.Conv1d(hidden_channels, 1, 1)
        super().__init__([*layers, read_out], head=head, input_scaling=input_scaling)


@network("tcn")
class TCN(Localizer):
    """Temporal convolutional network: residual blocks of [convolution, ReLU, dropout] × 2.

    Block i has dilation 2ⁱ and weight normalisation. The published network (Bai et al. 2018, arXiv
    1803.01271) is causal; here an output sees as much after as before it, because the echo of a
    bubble follows its arrival. 48,976 parameters with 25 channels.

    >>> TCN(kernel=7, levels=6).receptive_field
    757

    Args:
        levels: number of blocks, 1 to 12.
        dropout: probability that a value becomes zero in training.
    """

    def __init__(
        self,
        hidden_channels: int = 25,
        kernel: int = 7,
        levels: int = 6,
        dropout: float = 0.0,
        head: str = "counts",
        input_scaling: str = "rms",
    ) -> None:
        check_odd(kernel=kernel)
        check_range(1, 12, levels=levels)

        def convolution(inputs: int, outputs: int, dilation: int) -> nn.Module:
            return weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation))

        layers = residual_blocks(convolution, 1, hidden_channels, doubling(levels), dropout)
        read_out = nn.Conv1d(hidden_channels, 1, 1)
        super().__init__([*layers, read_out], head=head, input_scaling=input_scaling)
