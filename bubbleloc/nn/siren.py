"""SIREN: a small network with sine activations (Sitzmann et al. 2020, arXiv 2006.09661)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class SIREN(nn.Module):
    """A function of one coordinate, ψ(τ) = W₃ sin(ω₀W₂ sin(ω₀W₁τ + b₁) + b₂) + b₃.

    All three layers are weight-normalised. This is the kernel generator of CKConv
    (Romero et al. 2021, arXiv 2102.02611): its outputs are the values of all kernels at τ.

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
    return nn.functional.linear(x, omega_0 * layer.weight, layer.bias)
