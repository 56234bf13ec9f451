"""Fits of kernel networks to given kernels, those of linear recurrences among them."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from bubbleloc.nn import CKConv1d

HISTORY = 50  # of steps that L-BFGS knows the curvature from


def recurrence_kernel(transition: Tensor, entry: Tensor, taps: int) -> Tensor:
    """Return the kernel that a linear recurrence is, for ``conv1d`` after ``taps`` − 1 zeros.

    h(τ) = W h(τ − 1) + U x(τ), h(−1) = 0, unrolls to h(τ) = Σ_k Wᵏ U x(τ − k): a causal
    convolution with U, WU, W²U, … (Romero et al. 2021, arXiv 2102.02611). It is exact for
    ``taps`` time steps.

    >>> recurrence_kernel(torch.tensor([[0.5]]), torch.tensor([[2.0]]), taps=4)
    tensor([[[0.2500, 0.5000, 1.0000, 2.0000]]])

    Args:
        transition: W (D, D).
        entry: U (D, C).
        taps: number of powers K.

    Returns:
        (D, C, K), the latest input last.
    """
    powers = [entry]
    for _ in range(taps - 1):
        powers.append(transition @ powers[-1])
    return torch.stack(powers[::-1], dim=-1)


def fit_kernel(layer: CKConv1d, kernel: Tensor, iterations: int = 500) -> float:
    """Fit the kernels of a layer to given ones (C_out, C_in, K), and set its bias to zero.

    Returns:
        Relative error, ‖fit − target‖ / ‖target‖.
    """
    with torch.no_grad():
        if layer.bias is not None:
            layer.bias.zero_()
        layer.siren.scale_output(kernel.norm() / layer.kernel().norm())
    return _minimise(layer.kernel, layer.siren.parameters(), kernel, iterations)


def fit_function(network: nn.Module, tau: Tensor, values: Tensor, iterations: int = 500) -> float:
    """Fit a network of one coordinate to ``values`` (K, n) at ``tau`` (K, 1).

    Returns:
        Relative error, ‖fit − target‖ / ‖target‖.
    """
    return _minimise(lambda: network(tau), network.parameters(), values, iterations)


def _minimise(
    evaluate: Callable[[], Tensor],
    parameters: Iterable[Tensor],
    target: Tensor,
    iterations: int,
) -> float:
    """Minimise the squared relative error by L-BFGS on all values at once."""
    optimizer = torch.optim.LBFGS(
        list(parameters),
        max_iter=iterations,
        history_size=HISTORY,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = (evaluate() - target).square().sum() / target.square().sum()
        error.backward()
        return error

    optimizer.step(loss)
    return float(loss().detach().sqrt())
