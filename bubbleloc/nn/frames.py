"""Layers between frames: several samples of a line at once, at a lower rate.

Features are (B, C, 1, N) for N frames, with the channels last in memory, which is what direct
convolutions read fastest.
"""

import math
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.ckconv import HE_ENERGY, LocalCKConv1d
from bubbleloc.nn.fftconv import fft_conv1d


class Frames(nn.Module):
    """Samples to frames; samples beyond the last whole frame are dropped.

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

    Shape: (B, rate, 1, N) → (B, out_channels, 1, N − frames + 1).
    """

    def __init__(self, rate: int, out_channels: int, frames: int) -> None:
        super().__init__(rate, out_channels, (1, frames), bias=False)
        nn.init.normal_(self.weight, std=math.sqrt(HE_ENERGY / (rate * frames)))

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input``."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input)


class FrameCKConv(LocalCKConv1d):
    """`LocalCKConv1d` between frames, without a bias: batch normalisation follows.

    Shape: (B, in_channels, 1, N) → (B, out_channels, 1, N − kernel_size + 1).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_parameter("bias", None)

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


class Normalised(nn.Module):
    """A convolution and its batch normalisation; in inference they are one convolution.

    Shape: that of ``convolution``.
    """

    def __init__(self, convolution: nn.Module, channels: int) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, nn.BatchNorm2d(channels)
        self._folded: tuple[Tensor, Tensor] | None = None
        self._folded_version: list[tuple[int, int]] = []

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise ``x``."""
        if self.training or torch.is_grad_enabled():
            output: Tensor = self.norm(self.convolution(x))
            return output
        state = [*self.parameters(), *self.buffers()]
        version = [(tensor.data_ptr(), tensor._version) for tensor in state]
        if self._folded is None or version != self._folded_version:
            self._folded, self._folded_version = self.folded(), version
        with torch.autocast(x.device.type, enabled=False):  # as `FrameStem`
            return functional.conv2d(x.to(self._folded[0]), *self._folded)

    @torch.no_grad()
    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight (C_out, C_in, 1, K) and bias (C_out,) of what both are in evaluation."""
        mean, variance = cast(Tensor, self.norm.running_mean), cast(Tensor, self.norm.running_var)
        scale = self.norm.weight * (variance + self.norm.eps).rsqrt()
        weight = cast(Tensor, self.convolution.weight) * scale.view(-1, 1, 1, 1)
        weight = weight.contiguous(memory_format=torch.channels_last)
        return weight, self.norm.bias - mean * scale

    def plain(self) -> nn.Conv2d:
        """Return the plain convolution that both are in evaluation."""
        weight, bias = self.folded()
        out_channels, in_channels, _, taps = weight.shape
        layer = nn.Conv2d(in_channels, out_channels, (1, taps)).to(weight).requires_grad_(False)
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)  # type: ignore[union-attr]
        return layer

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_folded": None}  # a copy folds its own


class Mixing(nn.Module):
    """x + W₂ ReLU(norm(W₁ x) + W₃ mean(x)): channels of a frame mixed by ``width`` hidden ones.

    The mean over all frames is there if ``line_mean``. It tells each frame what the whole line is
    like: its noise, how many bubbles it has and how strong they are. Squeeze-and-excitation (Hu et
    al. 2018, arXiv 1709.01507) scales channels by such means; here they shift the hidden ones.

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
            hidden = hidden + self.line(x.mean((2, 3)))[:, :, None, None]
        mixed: Tensor = self.narrow(functional.relu(hidden, inplace=True))
        return x + mixed
