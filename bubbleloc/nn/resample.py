"""Kernels at another sampling rate."""

import math
from fractions import Fraction

import torch
from torch import Tensor, nn

HALF_WIDTH = 24  # samples of the interpolating sinc on either side, at the lower of both rates
KAISER_BETA = 8.0  # its window: stop band below −80 dB


def resample_kernel(kernel: Tensor, ratio: Fraction | float) -> Tensor:
    """Resample a centred kernel so that it filters signals of the new rate as the old ones.

    Band-limited (sinc) interpolation times old rate over new rate, the factor of Romero et al.
    2021, App. D: the sum over samples becomes finer or coarser, the integral stays. The
    frequency response is that of the old kernel below both Nyquist rates, and nothing above the
    lower one passes. Sampling the continuous kernel itself at new points would differ wherever
    it varies faster than the old samples could show, which training never saw.

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
    distance = cutoff * (new - old.unsqueeze(-1))
    interpolation = cutoff / ratio * torch.sinc(distance) * _kaiser(distance / HALF_WIDTH)
    return kernel @ interpolation.to(kernel.dtype)


def resampled_convolution(layer: nn.Conv1d, ratio: Fraction | float) -> nn.Conv1d:
    """Return the convolution that is ``layer`` at ``ratio`` times the sampling rate.

    A dilated kernel keeps its taps where they are in time if the new rate allows it.
    """
    weight, (dilation,) = layer.weight.detach(), layer.dilation
    spacing = float(dilation * ratio)
    if dilation > 1 and spacing.is_integer():
        dilation = int(spacing)
    elif weight.shape[-1] > 1:
        dense = weight.new_zeros(*weight.shape[:2], dilation * (weight.shape[-1] - 1) + 1)
        dense[..., ::dilation] = weight
        weight, dilation = resample_kernel(dense, ratio), 1
    out_channels, in_channels, taps = weight.shape
    resampled = nn.Conv1d(in_channels, out_channels, taps, dilation=dilation).to(weight)
    resampled.weight.data = weight
    resampled.bias = layer.bias
    return resampled.requires_grad_(False)


def _kaiser(position: Tensor) -> Tensor:
    """Kaiser window over −1…1, zero outside."""
    inside = (1 - position.square()).clamp_min(0)
    window = torch.special.i0(KAISER_BETA * inside.sqrt()) / torch.special.i0(
        torch.tensor(KAISER_BETA, dtype=position.dtype, device=position.device)
    )
    return torch.where(position.abs() <= 1, window, torch.zeros_like(window))
