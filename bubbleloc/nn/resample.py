"""Kernels at another sampling rate."""

import math
from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from bubbleloc.nn.ckconv import plain_convolution

HALF_WIDTH = 24  # samples of the interpolating sinc on either side, at the lower of both rates
KAISER_BETA = 8.0  # its window: stop band below −80 dB


def resample_kernel(kernel: Tensor, ratio: Fraction | float) -> Tensor:
    """Resample a centred kernel so that it filters signals of the new rate as the old ones.

    Band-limited (sinc) interpolation times old rate over new rate, the factor of Romero et al.
    2021, App. D: the sum over samples becomes finer or coarser, the integral stays. The
    frequency response is that of the old kernel below both Nyquist rates, and nothing above the
    lower one passes. Sampling the continuous kernel itself at new points would differ wherever
    it varies faster than the old samples could show, which training never saw.

    >>> resample_kernel(torch.ones(2, 3, 31), 2).shape  # 61 samples and the tails
    torch.Size([2, 3, 157])

    Args:
        kernel: (…, K), K odd; its middle sample is its origin.
        ratio: new sampling rate over old sampling rate.

    Returns:
        (…, K'), K' odd, about ratio · K plus the tails of the interpolation.
    """
    if ratio <= 0:
        raise ValueError(f"sampling rate ratio {ratio} must be positive")
    if ratio == 1:
        return kernel
    ratio, reach = float(ratio), kernel.shape[-1] // 2
    cutoff = min(1.0, ratio)  # of the lower Nyquist rate, in old samples
    new_reach = math.floor(ratio * (reach + HALF_WIDTH / cutoff))
    old = torch.arange(-reach, reach + 1, dtype=torch.float64, device=kernel.device)
    new = torch.arange(-new_reach, new_reach + 1, dtype=torch.float64, device=kernel.device) / ratio
    interpolation = cutoff / ratio * windowed_sinc(cutoff * (new - old.unsqueeze(-1)))
    return kernel @ interpolation.to(kernel.dtype)


class RateChange(nn.Module):
    """Signals at ``ratio`` times their sampling rate, by one strided convolution.

    For ratio = p/q in lowest terms every q samples become p, of the same duration: sample n of the
    output lies at n/ratio of the input. Ends are reflected.

    >>> RateChange(Fraction(2), linear, half_width=1)(torch.arange(4.0).view(1, 1, 4)).squeeze()
    tensor([0.0000, 0.5000, 1.0000, 1.5000, 2.0000, 2.5000, 3.0000, 2.5000])

    Args:
        ratio: new sampling rate over old sampling rate.
        interpolation: function of a distance in samples of the lower rate.
        half_width: the distance beyond which it is zero.
        counts: keep the sum over samples instead of their values at ratios below 1, where a
            new sample stands for several old ones.

    Shape: (B, 1, L) → (B, 1, p · ⌈L/q⌉), for L above the reach of the interpolation.
    """

    weight: Tensor

    def __init__(
        self,
        ratio: Fraction,
        interpolation: Callable[[Tensor], Tensor],
        half_width: int,
        *,
        counts: bool = False,
    ) -> None:
        super().__init__()
        new, old = ratio.numerator, ratio.denominator
        lower = min(1.0, float(ratio))
        reach = math.ceil(half_width / lower)
        instants = torch.arange(-reach, old + reach, dtype=torch.float64)  # of input samples
        outputs = torch.arange(new, dtype=torch.float64).unsqueeze(-1) / float(ratio)
        weight = (1.0 if counts else lower) * interpolation(lower * (instants - outputs))
        self.register_buffer("weight", weight.float().unsqueeze(1), persistent=False)
        self.stride, self.pad = old, nn.ReflectionPad1d((reach, reach + old - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Interpolate ``x`` (B, 1, L)."""
        return conv1d(self.pad(x), self.weight, stride=self.stride).mT.flatten(1).unsqueeze(1)


def linear(distance: Tensor) -> Tensor:
    """Linear interpolation, a triangle: weights at distances in samples.

    >>> linear(torch.tensor([0.0, 0.25, -1.5]))
    tensor([1.0000, 0.7500, 0.0000])
    """
    return (1 - distance.abs()).clamp_min(0)


def windowed_sinc(distance: Tensor) -> Tensor:
    """Band-limited interpolation, a sinc under a Kaiser window: weights at distances in samples.

    >>> windowed_sinc(torch.tensor([0.0, 1.0, 24.5])).round(decimals=4)
    tensor([1., -0., 0.])
    """
    return torch.sinc(distance) * _kaiser(distance / HALF_WIDTH)


def resampled_convolution(layer: nn.Conv1d, ratio: Fraction | float) -> nn.Module:
    """Return the convolution that is ``layer`` at ``ratio`` times the sampling rate.

    A dilated kernel keeps its taps where they are in time if the new rate allows it.

    >>> resampled_convolution(nn.Conv1d(1, 1, 3, dilation=4), 0.5)
    Conv1d(1, 1, kernel_size=(3,), stride=(1,), dilation=(2,))
    """
    weight, (dilation,) = layer.weight.detach(), layer.dilation
    spacing = float(dilation * ratio)
    if dilation > 1 and spacing.is_integer():
        dilation = int(spacing)
    elif weight.shape[-1] > 1:
        dense = weight.new_zeros(*weight.shape[:2], dilation * (weight.shape[-1] - 1) + 1)
        dense[..., ::dilation] = weight
        weight, dilation = resample_kernel(dense, ratio), 1
    return plain_convolution(weight, layer.bias, dilation)


def _kaiser(position: Tensor) -> Tensor:
    """Kaiser window over −1…1, zero outside."""
    inside = (1 - position.square()).clamp_min(0)
    window = torch.special.i0(KAISER_BETA * inside.sqrt()) / torch.special.i0(
        torch.tensor(KAISER_BETA, dtype=position.dtype, device=position.device)
    )
    return torch.where(position.abs() <= 1, window, torch.zeros_like(window))
