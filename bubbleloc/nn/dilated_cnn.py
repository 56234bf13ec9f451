"""The dilated CNN of Blanken et al., IEEE TMI 41(9), 2022, and its twin with CKConv layers."""

from functools import partial

from torch import nn

from bubbleloc.nn.ckconv import CKConv1d
from bubbleloc.nn.network import Localizer, doubling, stack

DEPTH = 12  # dilations 1, 2, 4 … 2048


class DilatedCNN(Localizer):
    """Twelve convolutions with dilations 1, 2, 4 … 2048, each with batch norm and ReLU.

    ``model`` has the layer order of the published code, so published weights load into it:
    ``network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))``.

    Args:
        hidden_channels: channels of every hidden layer (64 as published).
        kernel: taps per convolution, odd (3 as published).
        input_scaling: ``"none"`` (raw volts, as published) or ``"rms"``.
    """

    def __init__(
        self, hidden_channels: int = 64, kernel: int = 3, input_scaling: str = "none"
    ) -> None:
        convolution = partial(nn.Conv1d, kernel_size=kernel)
        super().__init__(stack(doubling(convolution, DEPTH), hidden_channels), input_scaling)


class DilatedCKCNN(Localizer):
    """The dilated CNN with every convolution a `CKConv1d` of the same taps and dilation.

    Args:
        hidden_channels, kernel: as in `DilatedCNN`.
        input_scaling: ``"rms"`` or ``"none"``.
        omega_0, hidden_features, init: as in `CKConv1d`.
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        kernel: int = 3,
        input_scaling: str = "rms",
        omega_0: float = 30.0,
        hidden_features: int = 12,
        init: str = "balanced",
    ) -> None:
        convolution = partial(
            CKConv1d,
            kernel_size=kernel,
            omega_0=omega_0,
            hidden_features=hidden_features,
            init=init,
        )
        super().__init__(stack(doubling(convolution, DEPTH), hidden_channels), input_scaling)
