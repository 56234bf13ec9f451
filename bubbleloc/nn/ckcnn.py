"""CKCNNs: four layers of continuous-kernel convolutions."""

from functools import partial

from bubbleloc.nn.ckconv import CKConv1d, LocalCKConv1d
from bubbleloc.nn.network import Localizer, stack

DEPTH = 4


class CKCNN(Localizer):
    """Four × [CKConv, batch norm, ReLU] and a 1-tap read-out (Jonker 2023).

    The parameter count is independent of the kernel size: 28,392 with 15 channels, 55,139
    with 22.

    Args:
        hidden_channels: channels of every hidden layer.
        kernel: kernel size K in samples, odd.
        input_scaling: ``"rms"`` or ``"none"``.
        omega_0, hidden_features, init: as in `CKConv1d`.
    """

    def __init__(
        self,
        hidden_channels: int = 15,
        kernel: int = 131,
        input_scaling: str = "rms",
        omega_0: float = 30.0,
        hidden_features: int = 32,
        init: str = "balanced",
    ) -> None:
        convolution = partial(
            CKConv1d,
            kernel_size=kernel,
            omega_0=omega_0,
            hidden_features=hidden_features,
            init=init,
        )
        super().__init__(stack([convolution] * DEPTH, hidden_channels), input_scaling)


class LocalCKCNN(Localizer):
    """CKCNN in physical time with a learned Gaussian window per kernel, see `LocalCKConv1d`.

    Accuracy does not depend on the kernel size once it covers the windows. 29,772 parameters
    with 15 channels.

    Args:
        window_samples: initial width of the windows, in samples.
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
        window_samples: float = 30.0,
    ) -> None:
        convolution = partial(
            LocalCKConv1d,
            kernel_size=kernel,
            window_samples=window_samples,
            omega_0=omega_0,
            hidden_features=hidden_features,
            init=init,
        )
        super().__init__(stack([convolution] * DEPTH, hidden_channels), input_scaling)
