"""Layers between frames: several samples of a line at once, at a lower rate.

Features are (B, C, 1, N) for N frames, with the channels last in memory, which is what direct
convolutions read fastest.
"""

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.ckconv import HE_ENERGY, CKConv1d, Sampled, plain_convolution
from bubbleloc.nn.fftconv import fft_conv1d


class Frames(nn.Module):
    """Samples to frames; samples beyond the last whole frame are dropped.

    >>> Frames(rate=4)(torch.arange(9.0).view(1, 1, 9))[0, :, 0]
    tensor([[0., 4.],
            [1., 5.],
            [2., 6.],
            [3., 7.]])

    Shape: (B, 1, L) → (B, rate, 1, L // rate).
    """

    def __init__(self, rate: int) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Cut ``x`` (B, 1, L): sample i of a frame is channel i."""
        if torch.compiler.is_compiling():  # programs for any L: no lengths to reckon with
            one_hot = torch.eye(self.rate).to(x).view(self.rate, 1, 1, self.rate)
            return functional.conv2d(x.unsqueeze(2), one_hot, stride=(1, self.rate))
        whole = x[..., : x.shape[-1] // self.rate * self.rate]
        return whole.reshape(x.shape[0], 1, -1, self.rate).permute(0, 3, 1, 2)


class Samples(nn.Module):
    """Frames to samples, the inverse of `Frames`, for one value per sample or several.

    >>> line = torch.arange(8.0).view(1, 1, 8)
    >>> torch.equal(Samples(rate=4)(Frames(rate=4)(line)), line)
    True

    Shape: (B, values · rate, 1, N) → (B, values, rate · N).
    """

    def __init__(self, rate: int) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Interleave the channels of ``x``."""
        rate, values = self.rate, x.shape[1] // self.rate
        if torch.compiler.is_compiling():
            one_hot = torch.eye(rate).to(x).view(rate, 1, 1, rate).repeat(values, 1, 1, 1)
            output = functional.conv_transpose2d(x, one_hot, stride=(1, rate), groups=values)
            return output.squeeze(2)
        return x.unflatten(1, (values, rate)).squeeze(3).mT.flatten(2)


class FrameStem(nn.Conv2d):
    """The strided convolution, as one of frames: stride ``rate``, ``rate · frames`` taps.

    In float32 under autocast too, because RF lines have a large dynamic range.

    >>> FrameStem(rate=4, out_channels=16, frames=17)(torch.randn(1, 4, 1, 125)).shape
    torch.Size([1, 16, 1, 109])

    Shape: (B, rate, 1, N) → (B, out_channels, 1, N − frames + 1).
    """

    def __init__(self, rate: int, out_channels: int, frames: int) -> None:
        super().__init__(rate, out_channels, (1, frames), bias=False)
        nn.init.normal_(self.weight, std=math.sqrt(HE_ENERGY / (rate * frames)))

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input``."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input)


class FrameCKConv(CKConv1d):
    """`CKConv1d` between frames: its taps are a frame apart.

    Without a bias, because batch normalisation follows.

    >>> layer = FrameCKConv(16, 16, kernel_size=65, rate=4, window_samples=30.0)
    >>> layer(torch.randn(1, 16, 1, 125)).shape
    torch.Size([1, 16, 1, 61])

    Args:
        rate: samples of a frame.
        in_channels, out_channels, kernel_size, kernels: as in `CKConv1d`.

    Shape: (B, in_channels, 1, N) → (B, out_channels, 1, N − kernel_size + 1).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        rate: int,
        **kernels: Any,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, dilation=rate, bias=False, **kernels
        )

    @property
    def weight(self) -> Tensor:
        """The sampled kernels, (out_channels, in_channels, 1, K)."""
        with torch.autocast(self.tau.device.type, enabled=False):  # ω₀τ needs all its digits
            return self.kernel().unsqueeze(2)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x``: in float32 on a CPU by FFT, whose backward pass is far faster there."""
        weight = self.weight
        if x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return functional.conv2d(x, weight)
        output = fft_conv1d(x.squeeze(2).contiguous(), weight.squeeze(2)).unsqueeze(2)
        return output.contiguous(memory_format=torch.channels_last)

    def sampled(self) -> nn.Module:
        """Return the ``nn.Conv2d`` that this layer is now."""
        return plain_convolution(self.weight, None)


class Normalised(Sampled):
    """A convolution and its batch normalisation; in inference they are one convolution.

    >>> layer = Normalised(FrameStem(rate=4, out_channels=16, frames=17), channels=16).eval()
    >>> x = torch.randn(1, 4, 1, 125)
    >>> torch.allclose(layer.sampled()(x), layer(x), atol=1e-5)
    True

    Shape: that of ``convolution``.
    """

    def __init__(self, convolution: nn.Module, channels: int) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise ``x``."""
        if self.training or torch.is_grad_enabled():
            output: Tensor = self.norm(self.convolution(x))
            return output
        weight, bias = self.kept(self.folded)
        with torch.autocast(x.device.type, enabled=False):  # as `FrameStem`
            return functional.conv2d(x.to(weight), weight, bias)

    @torch.no_grad()
    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight (C_out, C_in, 1, K) and bias (C_out,) of what both are in evaluation."""
        mean, variance = cast(Tensor, self.norm.running_mean), cast(Tensor, self.norm.running_var)
        scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
        weight = cast(Tensor, self.convolution.weight) * scale.view(-1, 1, 1, 1)
        weight = weight.contiguous(memory_format=torch.channels_last)
        return weight, self.norm.bias - mean * scale

    def sampled(self) -> nn.Module:
        """Return the ``nn.Conv2d`` that both are in evaluation."""
        return plain_convolution(*self.folded())


class Mixing(nn.Module):
    """x + W₂ ReLU(norm(W₁ x) + W₃ mean(x)): channels of a frame mixed by ``width`` hidden ones.

    The mean over all frames is there if ``line_mean``. It tells each frame what the whole line is
    like: its noise, how many bubbles it has and how strong they are. Squeeze-and-excitation (Hu et
    al. 2018, arXiv 1709.01507) scales channels by such means; here they shift the hidden ones.

    >>> Mixing(channels=16, width=48, line_mean=True)(torch.randn(2, 16, 1, 125)).shape
    torch.Size([2, 16, 1, 125])

    Shape: (B, channels, 1, N), kept.
    """

    def __init__(self, channels: int, width: int, line_mean: bool = False) -> None:
        super().__init__()
        widen = nn.Conv2d(channels, width, 1, bias=False)
        nn.init.kaiming_normal_(widen.weight, nonlinearity="relu")
        self.widen = Normalised(widen, width)
        # no bias: what follows, a normalised convolution or the read-out, has one
        self.narrow = nn.Conv2d(width, channels, 1, bias=False)
        nn.init.normal_(self.narrow.weight, std=0.5 / math.sqrt(width))
        self.line = nn.Linear(channels, width, bias=False) if line_mean else None
        if self.line is not None:
            nn.init.zeros_(self.line.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Mix the channels of ``x``."""
        hidden: Tensor = self.widen(x)
        if self.line is not None:
            hidden += self.line(x.mean((2, 3)))[:, :, None, None]  # in place: half of the time
        mixed: Tensor = self.narrow(functional.relu(hidden, inplace=True))
        mixed += x
        return mixed
