import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from bubbleloc.examples.fitting import fit_function, fit_kernel, recurrence_kernel
from bubbleloc.nn import SIREN, CKConv1d

TAPS = 129


def recurrence(transition, entry, x):
    """The states (D, L) of h(τ) = W h(τ − 1) + U x(τ), step by step."""
    state, states = torch.zeros(len(transition), dtype=x.dtype), []
    for sample in x.T:
        state = transition @ state + entry @ sample
        states.append(state)
    return torch.stack(states, dim=-1)


def random_system(radius, dtype=torch.float32):
    """W (4, 4) with eigenvalues of absolute value ``radius`` in a random basis, and U (4, 2)."""
    generator = torch.Generator().manual_seed(0)
    turns = [
        torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]) for a in (0.05, 0.5)
    ]
    basis = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
    transition = radius * basis @ torch.block_diag(*turns) @ basis.T
    return transition.to(dtype), torch.randn(4, 2, generator=generator).to(dtype)


def causal(x, kernel):
    return functional.conv1d(functional.pad(x, (kernel.shape[-1] - 1, 0)), kernel)


@pytest.mark.parametrize("radius", [0.9, 1.0, 1.05])
def test_a_recurrence_is_a_causal_convolution(radius):
    transition, entry = random_system(radius, torch.float64)
    x = torch.randn(2, TAPS, dtype=torch.float64)
    kernel = recurrence_kernel(transition, entry, TAPS)
    torch.testing.assert_close(causal(x, kernel), recurrence(transition, entry, x))


@pytest.mark.parametrize("radius", [0.95, 1.02])
def test_a_fitted_ckconv_is_the_recurrence_within_a_percent(radius):
    torch.manual_seed(0)
    transition, entry = random_system(radius)
    layer = CKConv1d(2, 4, TAPS)
    error = fit_kernel(layer, recurrence_kernel(transition, entry, TAPS))
    assert error < 0.01
    x = torch.randn(1, 2, TAPS)
    expected = recurrence(transition, entry, x[0])
    found = layer(functional.pad(x, (TAPS - 1, 0)))[0].detach()
    assert (found - expected).norm() < 0.01 * expected.norm()


def test_a_siren_fits_what_a_relu_network_cannot():
    torch.manual_seed(0)
    tau = torch.linspace(-1, 1, TAPS).unsqueeze(-1)
    chirp = torch.sin(20 * math.pi * (0.5 * (tau + 1)) ** 2)
    relu = nn.Sequential(
        nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)
    )
    siren = SIREN(1)
    assert fit_function(siren, tau, chirp, 300) < 0.01
    assert fit_function(relu, tau, chirp, 300) > 0.3
    left = siren(tau).detach() - chirp
    assert left.norm() < 0.01 * chirp.norm()
