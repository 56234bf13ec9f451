"""Multi-rate CKCNN: a strided stem, continuous kernels at a low rate, outputs at the full rate.

RF lines are sampled several times faster than their band needs. Here a frame is ``rate`` samples:
one strided convolution turns each frame into a vector of channels, all further layers work on
frames, and a 1-tap read-out gives each frame one output per sample, as sub-pixel convolution does
for images (Shi et al. 2016, arXiv 1609.05158). Kernels are those of `LocalCKConv1d`, sampled every
``rate`` samples: frequencies and windows mean the same time as at the full rate.
"""

import copy
import math
from fractions import Fraction

import torch
from torch import Tensor, nn

from bubbleloc.nn.frames import FrameCKConv, Frames, FrameStem, Mixing, Normalised, Samples
from bubbleloc.nn.network import Localizer
from bubbleloc.nn.resample import HALF_WIDTH, RateChange, linear, windowed_sinc

LARGEST_DENOMINATOR = 256  # of a ratio of sampling rates


class MultirateCKCNN(Localizer):
    """Stem, ``depth`` × [windowed CKConv → batch norm → ReLU → mixing], interleaving read-out.

    Args:
        hidden_channels: channels of every hidden layer.
        kernel: span of the continuous kernels in samples of the RF line, odd; they have
            2 · ⌊kernel/2 / rate⌋ + 1 taps.
        rate: samples of a frame, by which the rate of the hidden layers is lower.
        depth: continuous convolutions.
        mixing: hidden channels between the channels of a frame, 0 for no mixing.
        line_mean: whether they also see the mean of every channel over the line.
        stem: span of the stem in samples, odd.
        window_samples, omega_0, hidden_features, init, input_scaling: as in `LocalCKCNN`.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.
    """

    def __init__(
        self,
        hidden_channels: int = 16,
        kernel: int = 263,
        input_scaling: str = "rms",
        omega_0: float = 30.0,
        hidden_features: int = 24,
        init: str = "balanced",
        window_samples: float = 30.0,
        rate: int = 4,
        depth: int = 3,
        mixing: int = 48,
        stem: int = 65,
        line_mean: bool = False,
    ) -> None:
        for name, span in (("kernel", kernel), ("stem", stem)):
            if span < 1 or span % 2 == 0:
                raise ValueError(f"{name}={span} must be odd and positive; try {span | 1}")
        if rate < 1:
            raise ValueError(f"rate={rate} must be a whole number of samples, 1 or more")
        reach, stem_reach = kernel // 2 // rate, stem // 2 // rate  # frames
        channels = hidden_channels
        layers: list[nn.Module] = [
            Frames(rate),
            Normalised(FrameStem(rate, channels, 2 * stem_reach + 1), channels),
            nn.ReLU(inplace=True),
        ]
        for _ in range(depth):
            convolution = FrameCKConv(
                channels,
                channels,
                2 * reach + 1,
                spacing=rate,
                window_samples=window_samples,
                hidden_features=hidden_features,
                omega_0=omega_0,
                init=init,
            )
            layers += [Normalised(convolution, channels), nn.ReLU(inplace=True)]
            layers += [Mixing(channels, mixing, line_mean)] if mixing else []
        layers += [nn.Conv2d(channels, rate, 1), Samples(rate)]
        super().__init__(layers, input_scaling)
        self.rate, self.kernel, self.reach = rate, kernel, rate * (stem_reach + depth * reach)
        self.model[0] = nn.ReflectionPad1d((self.reach, self.reach + rate - 1))

    @property
    def receptive_field(self) -> int:
        """Samples that a frame sees, odd, equally many either way; means over the line aside."""
        return 1 + 2 * (self.reach + self.rate - 1)

    @property
    def kernel_samples(self) -> int:
        """Span of the continuous kernels."""
        return self.kernel

    def readings(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context to what the head reads, (B, 1 or more, samples)."""
        return _first(super().readings(padded, samples), samples)

    def freeze(self) -> "MultirateCKCNN":
        """Return a copy of plain convolutions that hold kernels and batch normalisation."""
        frozen = copy.deepcopy(self)
        for name, layer in self.named_modules():
            if isinstance(layer, Normalised):
                frozen.set_submodule(name, layer.plain())
        return frozen.eval().requires_grad_(False)

    def at_sampling_rate(
        self, sampling_rate_hz: float, trained_at_hz: float | None = None
    ) -> Localizer:
        """Return a frozen copy for RF lines of another sampling rate, see `AtOtherRate`."""
        ratio = Fraction(
            sampling_rate_hz / (trained_at_hz or self.sampling_rate_hz)
        ).limit_denominator(LARGEST_DENOMINATOR)
        return self.freeze() if ratio == 1 else AtOtherRate(self.freeze(), ratio).eval()


class AtOtherRate(Localizer):
    """A multi-rate network between two changes of rate.

    Frames are of one duration at every sampling rate, so nothing but the strided stem and the
    interleaved read-out can depend on it. Both are composed with an interpolation: of the line by
    a windowed sinc, which keeps what lies below both Nyquist rates, and of the output linearly.
    Values are kept, as by networks whose kernels are resampled; at lower rates, where a new
    sample stands for several old ones, bubble counts are.

    Args:
        network: for the old rate.
        ratio: new sampling rate over old sampling rate.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.
    """

    def __init__(self, network: MultirateCKCNN, ratio: Fraction) -> None:
        if ratio <= 0:
            raise ValueError(f"sampling rate ratio {ratio} must be positive")
        super().__init__([], network.scaling.mode)
        self.scaling = copy.deepcopy(network.scaling)  # with its matched filter
        self.sampling_rate_hz = network.sampling_rate_hz * float(ratio)
        lower = min(1.0, float(ratio))  # of both rates, in old samples
        self.reach = math.ceil(
            ratio * (network.receptive_field // 2 + math.ceil(HALF_WIDTH / lower) + 1)
        )
        self.to_network = RateChange(1 / ratio, windowed_sinc, HALF_WIDTH)
        self.network = nn.Sequential(network.model, network.head)
        self.to_output = RateChange(ratio, linear, 1, counts=True)

    @property
    def receptive_field(self) -> int:
        """Samples of the RF line that one output sample sees, odd."""
        return 1 + 2 * self.reach

    def forward(self, rf: Tensor) -> Tensor:
        """Map RF lines (B, 1, L) to (B, 1, L)."""
        output = self.to_output(self.network(self.to_network(self.scaling(rf))))
        return _first(output, rf.shape[-1])


def _first(x: Tensor, samples: int) -> Tensor:
    """Return the first samples of ``x`` (B, C, L)."""
    if torch.compiler.is_compiling():
        return x.index_select(-1, torch.arange(samples, device=x.device))
    return x[..., :samples]
