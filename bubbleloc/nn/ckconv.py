"""CKConv: convolution with continuous kernels (Romero et al. 2021, arXiv 2102.02611)."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.fftconv import FixedKernel, fft_conv1d
from bubbleloc.nn.siren import SIREN

HE_ENERGY = 2.0  # Σ w² over C_in·K that keeps the variance through a ReLU (He et al. 2015)
UNIT_SAMPLES = 65.0  # one unit of τ in physical coordinates: 65 samples at 62.5 MHz, 1.04 µs


class CKConv1d(nn.Module):
    """Valid 1-D convolution whose kernels are a SIREN sampled at ``kernel_size`` points.

    The number of parameters does not depend on the kernel size.

    Args:
        in_channels, out_channels: as in ``torch.nn.Conv1d``.
        kernel_size: number of samples K, odd, so that a kernel has a centre.
        hidden_features: width of the SIREN.
        omega_0: its angular frequency, radians per unit of τ.
        dilation: distance between kernel samples.
        init: ``"balanced"`` starts with zero-mean kernels of He variance; ``"published"``
            keeps the SIREN's own start, nearly constant kernels.

    Shape: (B, in_channels, L) → (B, out_channels, L − dilation·(K − 1)).
    """

    tau: Tensor

    INITS = ("balanced", "published")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        hidden_features: int = 32,
        omega_0: float = 30.0,
        dilation: int = 1,
        init: str = "balanced",
    ) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(
                f"kernel={kernel_size} must be odd and positive; try {kernel_size | 1}"
            )
        if init not in self.INITS:
            raise ValueError(f"init={init!r} must be one of {', '.join(self.INITS)}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.dilation = kernel_size, dilation
        self.siren = SIREN(in_channels * out_channels, hidden_features, omega_0)
        bound = 1 / math.sqrt(in_channels * kernel_size)
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))
        self.register_buffer("tau", self.coordinates(), persistent=False)
        self._fixed: FixedKernel | None = None
        self._fixed_version: list[tuple[int, int]] = []
        if init == "balanced":
            self.balance()

    def coordinates(self) -> Tensor:
        """Where the kernel is sampled, (K,): the whole kernel always spans −1…1."""
        return torch.linspace(-1, 1, self.kernel_size) if self.kernel_size > 1 else torch.zeros(1)

    def kernel(self) -> Tensor:
        """Sample the kernels: (out_channels, in_channels, K)."""
        return self.values_at(self.tau)

    def values_at(self, tau: Tensor) -> Tensor:
        """Evaluate the kernels at ``tau`` (N,): (out_channels, in_channels, N)."""
        values: Tensor = self.siren(tau.unsqueeze(-1))
        return values.T.reshape(self.out_channels, self.in_channels, len(tau))

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
        return self._fixed_kernel()(x, self.bias)

    def _fixed_kernel(self) -> FixedKernel:
        """Return the sampled kernel, sampled again only after a parameter has changed."""
        version = [(p.data_ptr(), p._version) for p in self.parameters()]
        if self._fixed is None or version != self._fixed_version:
            self._fixed, self._fixed_version = FixedKernel(self.kernel()), version
        return self._fixed

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fixed": None}  # a copy samples its own kernel

    @torch.no_grad()
    def sampled(self) -> nn.Conv1d:
        """Return the plain convolution that this layer is now."""
        layer = nn.Conv1d(
            self.in_channels, self.out_channels, self.kernel_size, dilation=self.dilation
        ).to(self.bias)
        layer.weight.copy_(self.kernel())
        layer.bias.copy_(self.bias)  # type: ignore[union-attr]
        return layer

    def extra_repr(self) -> str:
        """Show the sizes in ``print(network)``."""
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"


def samples_taken(layer: nn.Module) -> int:
    """Samples by which a valid convolution shortens a line; 0 for any other layer."""
    if isinstance(layer, CKConv1d):
        return layer.dilation * (layer.kernel_size - 1)
    if isinstance(layer, nn.Conv1d):
        return layer.dilation[0] * (layer.kernel_size[0] - 1)
    return 0


class LocalCKConv1d(CKConv1d):
    """CKConv in physical time, under a Gaussian window per channel pair.

    τ counts time in units of 65 samples (at 62.5 MHz), so ω₀ means the same frequency at
    every kernel size and K only truncates the window. Centre and width are learned, one
    pair per kernel: exp(−½((τ − centre)/width)²).

    Args:
        window_samples: initial standard deviation of the window, in samples.
        spacing: samples from one tap to the next.
    """

    spacing: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        window_samples: float = 30.0,
        spacing: int = 1,
        hidden_features: int = 32,
        omega_0: float = 30.0,
        init: str = "balanced",
    ) -> None:
        self.__dict__["spacing"] = spacing  # read by coordinates(), which the base class calls
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            hidden_features=hidden_features,
            omega_0=omega_0,
            init="published",
        )
        pairs = (out_channels, in_channels, 1)
        self.window_centre = nn.Parameter(torch.zeros(pairs))
        self.window_log_width = nn.Parameter(
            torch.full(pairs, math.log(window_samples / UNIT_SAMPLES))
        )
        if init == "balanced":
            self.balance()

    def coordinates(self) -> Tensor:
        """Where the kernel is sampled, (K,), in units of 65 samples from its centre."""
        places = torch.arange(self.kernel_size) - (self.kernel_size - 1) / 2
        return self.spacing * places / UNIT_SAMPLES

    def values_at(self, tau: Tensor) -> Tensor:
        """Evaluate the windowed kernels at ``tau`` (N,): (out_channels, in_channels, N)."""
        distance = (tau - self.window_centre) * torch.exp(-self.window_log_width)
        # above e⁻⁶⁰: convolutions with subnormal numbers take ten times as long on a CPU
        window = torch.exp(-0.5 * distance.square().clamp_max(120.0))
        return super().values_at(tau) * window
