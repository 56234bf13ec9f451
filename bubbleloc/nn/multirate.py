"""Multi-rate CKCNN: a strided stem, continuous kernels at a low rate, outputs at the full rate.

RF lines are sampled several times faster than their band needs. Here a frame is ``rate`` samples:
one strided convolution turns each frame into a vector of channels, all further layers work on
frames, and a 1-tap read-out gives each frame one output per sample, as sub-pixel convolution does
for images (Shi et al. 2016, arXiv 1609.05158). Kernels are those of `CKConv1d` under windows,
sampled every ``rate`` samples: frequencies and windows mean the same time as at the full rate.
"""

import copy
import math
from fractions import Fraction
from typing import Unpack

import torch
from torch import Tensor, nn

from bubbleloc.nn.ckconv import Kernels, check_odd, check_range
from bubbleloc.nn.frames import FrameCKConv, Frames, FrameStem, Mixing, Normalised, Samples
from bubbleloc.nn.localizer import Localizer, network
from bubbleloc.nn.resample import HALF_WIDTH, RateChange, linear, windowed_sinc

LARGEST_DENOMINATOR = 256  # of a ratio of sampling rates


@network("ckcnn_multirate")
class MultirateCKCNN(Localizer):
    """Stem, ``depth`` × [windowed CKConv → batch norm → ReLU → mixing], interleaving read-out.

    >>> network = MultirateCKCNN(rate=4)
    >>> network.parameter_count
    29772
    >>> network(torch.randn(2, 1, 1001)).shape
    torch.Size([2, 1, 1001])

    Args:
        hidden_channels: channels of every hidden layer.
        kernel: span of the continuous kernels in samples of the RF line, odd; they have
            2 · ⌊kernel/2 / rate⌋ + 1 taps.
        rate: samples of a frame, by which the rate of the hidden layers is lower, 1 to 1024.
        depth: continuous convolutions, 1 to 32.
        mixing: hidden channels between the channels of a frame, up to 4096; 0 for no mixing.
        line_mean: whether they also see the mean of every channel over the line.
        stem: span of the stem in samples, odd.
        head, input_scaling: as in `Localizer`.
        kernels: settings of `CKConv1d`; by default 24 hidden features and windows of 30 samples.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.
    """

    def __init__(
        self,
        hidden_channels: int = 16,
        kernel: int = 263,
        rate: int = 4,
        depth: int = 3,
        mixing: int = 48,
        stem: int = 65,
        line_mean: bool = False,
        head: str = "counts",
        input_scaling: str = "rms",
        **kernels: Unpack[Kernels],
    ) -> None:
        check_odd(kernel=kernel, stem=stem)
        check_range(1, 1024, rate=rate)
        check_range(1, 32, depth=depth)
        check_range(0, 4096, mixing=mixing)
        kernels = Kernels(hidden_features=24, window_samples=30.0) | kernels
        reach, stem_reach = kernel // 2 // rate, stem // 2 // rate  # frames
        channels = hidden_channels
        layers: list[nn.Module] = [
            Frames(rate),
            Normalised(FrameStem(rate, channels, 2 * stem_reach + 1), channels),
            nn.ReLU(inplace=True),
        ]
        for _ in range(depth):
            convolution = FrameCKConv(channels, channels, 2 * reach + 1, rate=rate, **kernels)
            layers += [Normalised(convolution, channels), nn.ReLU(inplace=True)]
            layers += [Mixing(channels, mixing, line_mean)] if mixing else []
        layers.append(nn.Conv2d(channels, rate, 1))
        side = rate * (stem_reach + depth * reach)
        padding = side, side + rate - 1
        super().__init__(layers, head=head, input_scaling=input_scaling, padding=padding)
        self.rate, self.kernel = rate, kernel
        self.to_samples = Samples(rate)

    @property
    def receptive_field(self) -> int:
        """Samples that a frame sees, odd, equally many either way; means over the line aside."""
        return self.context + self.rate

    @property
    def kernel_samples(self) -> int:
        """Span of the continuous kernels."""
        return self.kernel

    def readings(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines with context to what the head reads, (B, 1 or more, samples)."""
        return _first(self.to_samples(super().readings(padded, samples)), samples)

    def at_sampling_rate(
        self, sampling_rate_hz: float, trained_at_hz: float | None = None
    ) -> Localizer:
        """Return a frozen copy for RF lines of another sampling rate, see `AtOtherRate`."""
        ratio = Fraction(
            sampling_rate_hz / (trained_at_hz or self.sampling_rate_hz)
        ).limit_denominator(LARGEST_DENOMINATOR)
        frozen = self.freeze()
        assert isinstance(frozen, MultirateCKCNN)
        return frozen if ratio == 1 else AtOtherRate(frozen, ratio).eval()


class AtOtherRate(Localizer):
    """A multi-rate network between two changes of rate.

    Frames are of one duration at every sampling rate, so nothing but the strided stem and the
    interleaved read-out can depend on it. Both are composed with an interpolation: of the line by
    a windowed sinc, which keeps what lies below both Nyquist rates, and of the bubble counts
    linearly. Values are kept, as by networks whose kernels are resampled; at lower rates, where a
    new sample stands for several old ones, the sum of the counts is.

    It counts, whatever the head of the network: positions of emitters are in samples of the old
    rate. Lines are padded at that rate, as a part of the layers, so that the `context` is 0.

    >>> AtOtherRate(MultirateCKCNN(), Fraction(1, 2))(torch.randn(1, 1, 1000)).shape
    torch.Size([1, 1, 1000])

    Args:
        network: a network for the old rate.
        ratio: new sampling rate over old sampling rate.

    Shape: (B, 1, L) volts → (B, 1, L), for L above half the receptive field.

    Raises:
        ValueError: a ratio that is not positive.
    """

    def __init__(self, network: MultirateCKCNN, ratio: Fraction) -> None:
        if ratio <= 0:
            raise ValueError(f"sampling rate ratio {ratio} must be positive")
        layers = [
            RateChange(1 / ratio, windowed_sinc, HALF_WIDTH),
            *network.model,
            network.to_samples,
            network.head,
            RateChange(ratio, linear, 1, counts=True),
        ]
        super().__init__(layers, padding=(0, 0))
        self.scaling = copy.deepcopy(network.scaling)  # with its matched filter
        self.sampling_rate_hz = network.sampling_rate_hz * float(ratio)
        lower = min(1.0, float(ratio))  # of both rates, in old samples
        self.side = math.ceil(
            ratio * (network.receptive_field // 2 + math.ceil(HALF_WIDTH / lower) + 1)
        )

    @property
    def receptive_field(self) -> int:
        """Samples of the RF line that one output sample sees, odd."""
        return 1 + 2 * self.side

    def readings(self, padded: Tensor, samples: int) -> Tensor:
        """Map lines to bubbles per sample, (B, 1, samples)."""
        return _first(super().readings(padded, samples), samples)

    def at_sampling_rate(
        self, sampling_rate_hz: float, trained_at_hz: float | None = None
    ) -> Localizer:
        """Refuse: a second change of rate would add the errors of both.

        Raises:
            ValueError: always.
        """
        raise ValueError("this network is for another rate already; convert the one it is from")


def _first(x: Tensor, samples: int) -> Tensor:
    """Return the first samples of ``x`` (B, C, L)."""
    if torch.compiler.is_compiling():
        return x.index_select(-1, torch.arange(samples, device=x.device))
    return x[..., :samples]
