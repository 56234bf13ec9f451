"""CKConv: convolution with continuous kernels (Romero et al. 2021, arXiv 2102.02611).

A kernel is a function ψ(τ) of time, computed by a small network, a SIREN. A layer samples it at K
points and convolves with the samples. So the number of parameters does not depend on K, and ψ is
known between the samples, too.
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from bubbleloc.nn.fftconv import FixedKernel, fft_conv1d

HE_ENERGY = 2.0  # Σ w² over C_in·K that keeps the variance through a ReLU (He et al. 2015)
UNIT_SAMPLES = 65.0  # one unit of τ in physical time: 65 samples at 62.5 MHz, 1.04 µs
EDGE_SAMPLES = 1e-3  # positions off by rounding still meet the first and last tap

Value = TypeVar("Value")


class Kernels(TypedDict, total=False):
    """What the continuous kernels of a network are like: arguments of its `CKConv1d` layers.

    >>> CKConv1d(2, 3, kernel_size=65, **Kernels(omega_0=20.0, window_samples=30.0)).kernel().shape
    torch.Size([3, 2, 65])
    """

    omega_0: float
    hidden_features: int
    init: str
    window_samples: float


class SIREN(nn.Module):
    """A function of one coordinate, ψ(τ) = W₃ sin(ω₀W₂ sin(ω₀W₁τ + b₁) + b₂) + b₃.

    Sines as activations are of Sitzmann et al. 2020 (arXiv 2006.09661). All three layers are
    weight-normalised. The outputs are the values of all kernels at τ.

    >>> SIREN(out_features=6)(torch.zeros(131, 1)).shape
    torch.Size([131, 6])

    Args:
        out_features: number of functions, one per kernel.
        hidden_features: width of both hidden layers.
        omega_0: angular frequency in radians per unit of τ.

    Shape: (..., 1) → (..., out_features).
    """

    def __init__(self, out_features: int, hidden_features: int = 32, omega_0: float = 30.0) -> None:
        super().__init__()
        self.omega_0 = omega_0
        self.input = _sine_layer(1, hidden_features, bound=1.0)
        bound = math.sqrt(6 / hidden_features) / omega_0
        self.hidden = _sine_layer(hidden_features, hidden_features, bound)
        self.output = _sine_layer(hidden_features, out_features, bound)

    def forward(self, tau: Tensor) -> Tensor:
        """Evaluate at ``tau`` (..., 1)."""
        hidden = torch.sin(_scaled_linear(tau, self.input, self.omega_0))
        hidden = torch.sin(_scaled_linear(hidden, self.hidden, self.omega_0))
        return self.output(hidden)

    @torch.no_grad()
    def scale_output(self, factor: float | Tensor) -> None:
        """Multiply the function by ``factor`` and drop its output bias."""
        self.output.parametrizations.weight.original0.mul_(factor)  # type: ignore[operator, union-attr]
        self.output.bias.zero_()


def _sine_layer(in_features: int, out_features: int, bound: float) -> nn.Linear:
    """Weight-normalised layer, weights U(−bound, bound), biases U(−1, 1) as Romero et al."""
    layer = nn.Linear(in_features, out_features)
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -1.0, 1.0)
    weight_norm(layer)
    return layer


def _scaled_linear(x: Tensor, layer: nn.Linear, omega_0: float) -> Tensor:
    """ω₀·W·x + b: the frequency scales the weights only, as in CKConv."""
    return functional.linear(x, omega_0 * layer.weight, layer.bias)


class Sampled(nn.Module):
    """A layer that is a plain convolution as long as its tensors do not change."""

    _kept: Any = None
    _kept_version: tuple[tuple[int, int], ...] = ()

    @abstractmethod
    def sampled(self) -> nn.Module:
        """Return the plain convolution that this layer now is in evaluation."""

    def kept(self, compute: Callable[[], Value]) -> Value:
        """Return what ``compute`` gives: from before, unless a parameter or buffer has changed."""
        tensors = [*self.parameters(), *self.buffers()]
        version = tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
        if self._kept is None or version != self._kept_version:
            self._kept, self._kept_version = compute(), version
        value: Value = self._kept
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}  # a copy computes its own


class CKConv1d(Sampled):
    """Valid 1-D convolution whose kernels are a SIREN sampled at ``kernel_size`` points.

    By default τ runs from −1 to 1 over the kernel, whatever its size. With ``window_samples`` it
    is physical time, in units of 65 samples from the centre: ω₀ means the same frequency at every
    kernel size. Each kernel is then multiplied by a Gaussian window of learned centre and width,
    exp(−½((τ − centre)/width)²), and K only truncates the window.

    >>> layer = CKConv1d(2, 3, kernel_size=65)
    >>> x = torch.randn(1, 2, 500)
    >>> layer(x).shape
    torch.Size([1, 3, 436])
    >>> torch.allclose(layer(x), functional.conv1d(x, layer.kernel(), layer.bias), atol=1e-4)
    True

    Args:
        in_channels, out_channels: as in ``torch.nn.Conv1d``.
        kernel_size: number of samples K, odd, so that a kernel has a centre.
        dilation: samples from one tap to the next.
        bias: whether there is one, as in ``torch.nn.Conv1d``.
        omega_0: angular frequency of the SIREN, radians per unit of τ.
        hidden_features: width of the SIREN.
        init: ``"balanced"`` starts with zero-mean kernels of He variance; ``"published"``
            keeps the SIREN's own start, nearly constant kernels.
        window_samples: initial standard deviation of the windows in samples; None for no window.

    Shape: (B, in_channels, L) → (B, out_channels, L − dilation·(K − 1)).

    Raises:
        ValueError: an even kernel size or another ``init``.
    """

    INITS = ("balanced", "published")
    tau: Tensor
    window_centre: nn.Parameter | None
    window_log_width: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        dilation: int = 1,
        bias: bool = True,
        omega_0: float = 30.0,
        hidden_features: int = 32,
        init: str = "balanced",
        window_samples: float | None = None,
    ) -> None:
        super().__init__()
        check_odd(kernel=kernel_size)
        if init not in self.INITS:
            raise ValueError(f"init={init!r} must be one of {', '.join(self.INITS)}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.dilation = kernel_size, dilation
        self.siren = SIREN(in_channels * out_channels, hidden_features, omega_0)
        bound = 1 / math.sqrt(in_channels * kernel_size)
        start = torch.empty(out_channels).uniform_(-bound, bound)  # drawn either way: what
        self.bias = nn.Parameter(start) if bias else None  # a seed gives does not depend on it
        if window_samples is None:
            tau = torch.linspace(-1, 1, kernel_size) if kernel_size > 1 else torch.zeros(1)
            self.window_centre = self.window_log_width = None
        else:
            from_centre = torch.arange(kernel_size) - (kernel_size - 1) / 2
            tau = dilation * from_centre / UNIT_SAMPLES
            width = torch.full((out_channels, in_channels, 1), window_samples / UNIT_SAMPLES)
            self.window_centre = nn.Parameter(torch.zeros_like(width))
            self.window_log_width = nn.Parameter(width.log())
        self.register_buffer("tau", tau, persistent=False)
        if init == "balanced":
            self.balance()

    def kernel(self) -> Tensor:
        """Sample the kernels: (out_channels, in_channels, K)."""
        return self.values_at(self.tau)

    def values_at(self, tau: Tensor) -> Tensor:
        """Evaluate the kernels at ``tau`` (N,): (out_channels, in_channels, N)."""
        values: Tensor = self.siren(tau.unsqueeze(-1))
        values = values.T.reshape(self.out_channels, self.in_channels, len(tau))
        if self.window_centre is None or self.window_log_width is None:
            return values
        distance = (tau - self.window_centre) * torch.exp(-self.window_log_width)
        # above e⁻⁶⁰: convolutions with subnormal numbers take ten times as long on a CPU
        return values * torch.exp(-0.5 * distance.square().clamp_max(120.0))

    @torch.no_grad()
    def balance(self) -> None:
        """Zero the kernels' offset and scale them to He variance on average over outputs."""
        self.siren.scale_output(1.0)
        energy = self.kernel().square().sum(dim=(1, 2)).mean()
        self.siren.scale_output(torch.sqrt(HE_ENERGY / energy))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` (B, in_channels, L)."""
        if self.dilation > 1:  # few, far apart taps: nothing for an FFT to gain
            return functional.conv1d(x, self.kernel(), self.bias, dilation=self.dilation)
        if self.training or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return fft_conv1d(x, self.kernel(), self.bias)
        return self.kept(lambda: FixedKernel(self.kernel()))(x, self.bias)

    def sampled(self) -> nn.Module:
        """Return the ``nn.Conv1d`` that this layer is now."""
        return plain_convolution(self.kernel(), self.bias, self.dilation)

    def extra_repr(self) -> str:
        """Show the sizes in ``print(network)``."""
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"


def check_odd(**spans: int) -> None:
    """Refuse a span without a middle sample.

    >>> check_odd(kernel=130)
    Traceback (most recent call last):
    ValueError: kernel=130 must be odd and positive; try 131

    Raises:
        ValueError: names the first even or negative one of ``spans``.
    """
    for name, span in spans.items():
        if span < 1 or span % 2 == 0:
            raise ValueError(f"{name}={span} must be odd and positive; try {max(1, span | 1)}")


def check_range(least: int, most: int, **values: int) -> None:
    """Refuse numbers beyond ``least`` and ``most``, before anything of that size is built.

    >>> check_range(1, 12, levels=13)
    Traceback (most recent call last):
    ValueError: levels=13 must be 1 to 12

    Raises:
        ValueError: names the first such one of ``values``.
    """
    for name, value in values.items():
        if not least <= value <= most:
            raise ValueError(f"{name}={value} must be {least} to {most}")


def samples_taken(layer: nn.Module) -> int:
    """Samples by which a valid convolution shortens a line; 0 for any other layer.

    >>> samples_taken(nn.Conv1d(1, 1, 3, dilation=4)), samples_taken(nn.ReLU())
    (8, 0)
    """
    if isinstance(layer, CKConv1d):
        return layer.dilation * (layer.kernel_size - 1)
    if isinstance(layer, nn.Conv1d):
        return layer.dilation[0] * (layer.kernel_size[0] - 1)
    return 0


@torch.no_grad()
def plain_convolution(weight: Tensor, bias: Tensor | None, dilation: int = 1) -> nn.Module:
    """Return the frozen convolution with a weight and a bias (C_out,).

    >>> plain_convolution(torch.ones(1, 1, 3), None)(torch.ones(1, 1, 5))
    tensor([[[3., 3., 3.]]])

    Args:
        weight: (C_out, C_in, K) for ``nn.Conv1d``, (C_out, C_in, 1, K) for ``nn.Conv2d``.
    """
    out_channels, in_channels, *taps = weight.shape
    kind: Any = nn.Conv1d if len(taps) == 1 else nn.Conv2d
    layer = kind(in_channels, out_channels, taps, dilation=dilation, bias=bias is not None)
    layer = layer.to(weight).requires_grad_(False)
    layer.weight.copy_(weight)
    if bias is not None:
        layer.bias.copy_(bias)
    return layer


def irregular_conv1d(
    layer: CKConv1d,
    x: Tensor,
    positions: Tensor,
    at: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Apply a layer to samples at any positions: y(t) = b + Σ_i ψ(t_i − t) · x(t_i) · Δ_i.

    ψ has its origin in the middle of the kernel and is zero beyond (K − 1)/2 samples from it. At
    positions 0, 1, …, L − 1 this is the layer itself, zero-padded to keep the length. Memory grows
    as C_in · C_out times the number of pairs within reach, whose choice alone has no gradient.

    >>> layer, x = CKConv1d(1, 2, 9), torch.randn(1, 1, 50)
    >>> kept = torch.tensor([0, 3, 4, 9])  # the other samples are missing
    >>> irregular_conv1d(layer, x[..., kept], kept, at=torch.arange(50)).shape
    torch.Size([1, 2, 50])

    Args:
        layer: not dilated.
        x: samples (B, C_in, N).
        positions: where they lie (N,), in any order, in samples of the rate that the layer
            knows (one τ step each); in float64 for long lines.
        at: where to evaluate (M,); ``positions`` if None.
        weights: length of line Δ_i (N,) in samples that each sample stands for, such as
            ``torch.gradient(positions)[0]`` of sorted positions, which makes the sum approximate
            the integral over all samples; 1 if None, which leaves out what is missing.

    Returns:
        (B, C_out, M).

    Raises:
        ValueError: a dilated layer, or positions that are not one per sample.
    """
    if layer.dilation > 1:
        raise ValueError(f"dilation {layer.dilation} must be 1")
    if positions.shape != x.shape[-1:]:
        raise ValueError(f"positions {tuple(positions.shape)} must be one per sample of {x.shape}")
    at = positions if at is None else at
    reach = (layer.kernel_size - 1) / 2
    outputs, inputs = _pairs(positions.detach(), at.detach(), reach + EDGE_SAMPLES)
    step = (layer.tau[-1] - layer.tau[0]) / max(1, layer.kernel_size - 1)
    offset = (positions[inputs] - at[outputs]).clamp(-reach, reach)
    kernel = layer.values_at(offset.to(layer.tau) * step)
    weighted = x if weights is None else x * weights
    terms = torch.einsum("oip,bip->bop", kernel, weighted[..., inputs])
    total = terms.new_zeros(*terms.shape[:2], len(at)).index_add(-1, outputs, terms)
    return total if layer.bias is None else total + layer.bias.unsqueeze(-1)


def _pairs(positions: Tensor, at: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Indices (P,) into ``at`` and into ``positions`` of all pairs within ``reach``."""
    ordered, order = positions.sort()
    first = torch.searchsorted(ordered, at - reach)
    count = torch.searchsorted(ordered, at + reach, right=True) - first
    outputs = torch.repeat_interleave(count)
    within = torch.arange(len(outputs), device=at.device) - (count.cumsum(0) - count)[outputs]
    return outputs, order[first[outputs] + within]
