"""Kernels at another sampling rate."""

import math
from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d

from bubbleloc.nn.ckconv import CKConv1d

HALF_WIDTH = 24  # samples of the interpolating sinc on either side, at the lower of both rates
KAISER_BETA = 8.0  # its window: stop band below −80 dB
BLUR_SAMPLES = 0.5  # of the new rate: the Gaussian of Romero et al. 2021, App. D


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
    interpolation = cutoff / ratio * windowed_sinc(cutoff * (new - old.unsqueeze(-1)))
    return kernel @ interpolation.to(kernel.dtype)


class RateChange(nn.Module):
    """Signals at ``ratio`` times their sampling rate, by one strided convolution.

    For ratio = p/q in lowest terms every q samples become p, of the same duration: sample n of the
    output lies at n/ratio of the input. Ends are reflected.

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
        places = torch.arange(-reach, old + reach, dtype=torch.float64)  # of input samples
        wanted = torch.arange(new, dtype=torch.float64).unsqueeze(-1) / float(ratio)
        weight = (1.0 if counts else lower) * interpolation(lower * (places - wanted))
        self.register_buffer("weight", weight.float().unsqueeze(1), persistent=False)
        self.stride, self.pad = old, nn.ReflectionPad1d((reach, reach + old - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Interpolate ``x`` (B, 1, L)."""
        return conv1d(self.pad(x), self.weight, stride=self.stride).mT.flatten(1).unsqueeze(1)


def linear(distance: Tensor) -> Tensor:
    """Linear interpolation, a triangle."""
    return (1 - distance.abs()).clamp_min(0)


def windowed_sinc(distance: Tensor) -> Tensor:
    """Band-limited interpolation."""
    return torch.sinc(distance) * _kaiser(distance / HALF_WIDTH)


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
    return _convolution(weight, layer.bias, dilation)


@torch.no_grad()
def continuous_convolution(
    layer: CKConv1d, ratio: Fraction | float, *, causal: bool = False
) -> nn.Conv1d:
    """Return the convolution that is ``layer`` at ``ratio`` times the sampling rate, by its ψ.

    Unlike `resampled_convolution` it needs no tails and stays causal. As in Romero et al. 2021,
    App. D: (x ∗ ψ) at rate sr₂ ≈ sr₂/sr₁ · (x ∗ ψ) at rate sr₁, so ψ is multiplied by sr₁/sr₂;
    old and new positions coincide where they can, from the sample an output belongs to; and at
    higher rates ψ is blurred, because training has not seen it between the old positions.

    Args:
        causal: an output belongs to the last tap, else to the middle one.

    Raises:
        ValueError: a ratio that is not positive, or a dilated layer.
    """
    if ratio <= 0 or layer.dilation > 1:
        raise ValueError(f"ratio {ratio} must be positive, dilation {layer.dilation} must be 1")
    tau, ratio = layer.tau, float(ratio)
    step = (tau[-1] - tau[0]) / max(1, len(tau) - 1) / ratio
    reach = math.floor(ratio * (len(tau) - 1) / (1 if causal else 2))
    places = torch.arange(-reach, 1 if causal else reach + 1).to(tau)
    positions = step * places + (tau[-1] if causal else 0.0)
    blur = math.ceil(ratio) if ratio > 1 else 0
    offsets = torch.arange(-blur, blur + 1).to(tau)
    weights = torch.softmax(-0.5 * (offsets / BLUR_SAMPLES).square(), 0)
    kernel = sum(
        weight * layer.values_at((positions + offset * step).clamp(tau[0], tau[-1]))
        for weight, offset in zip(weights, offsets, strict=True)
    )
    return _convolution(kernel / ratio, layer.bias)


def _convolution(weight: Tensor, bias: Tensor | None, dilation: int = 1) -> nn.Conv1d:
    """Return the frozen convolution of a weight (C_out, C_in, K)."""
    out_channels, in_channels, taps = weight.shape
    made = nn.Conv1d(in_channels, out_channels, taps, dilation=dilation).to(weight)
    made.weight.data = weight
    made.bias = None if bias is None else nn.Parameter(bias.detach())
    return made.requires_grad_(False)


def _kaiser(position: Tensor) -> Tensor:
    """Kaiser window over −1…1, zero outside."""
    inside = (1 - position.square()).clamp_min(0)
    window = torch.special.i0(KAISER_BETA * inside.sqrt()) / torch.special.i0(
        torch.tensor(KAISER_BETA, dtype=position.dtype, device=position.device)
    )
    return torch.where(position.abs() <= 1, window, torch.zeros_like(window))
