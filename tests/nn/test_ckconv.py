import math

import pytest
import torch
from torch.nn import functional

from bubbleloc.nn import SIREN, CKConv1d


def local(*sizes, window_samples=30.0, **settings):
    """A layer in physical time, under windows."""
    return CKConv1d(*sizes, window_samples=window_samples, **settings)


def test_siren_is_the_formula():
    siren = SIREN(out_features=5, hidden_features=7, omega_0=11.0)
    tau = torch.linspace(-1, 1, 9).unsqueeze(-1)

    def layer(x, linear, factor):
        return factor * x @ linear.weight.T + linear.bias

    hidden = torch.sin(layer(tau, siren.input, 11.0))
    hidden = torch.sin(layer(hidden, siren.hidden, 11.0))
    torch.testing.assert_close(siren(tau), layer(hidden, siren.output, 1.0))


@pytest.mark.parametrize("kind", [CKConv1d, local])
def test_convolves_with_its_sampled_kernel(kind):
    layer = kind(2, 3, 65)
    x = torch.randn(2, 2, 500)
    expected = functional.conv1d(x, layer.kernel(), layer.bias)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [CKConv1d, local])
@pytest.mark.parametrize("kernel", [1, 65, 527])
def test_balanced_start_has_he_variance(kind, kernel):
    layer = kind(15, 15, kernel)
    energy = layer.kernel().detach().square().sum(dim=(1, 2)).mean()
    assert math.isclose(float(energy), 2.0, rel_tol=1e-4)


def test_published_start_is_a_nearly_constant_kernel():
    kernel = CKConv1d(15, 15, 131, init="published").kernel().detach()
    offset, ripple = kernel.mean(dim=-1), kernel.std(dim=-1)
    assert 0.4 < float(offset.square().mean().sqrt()) < 0.7
    assert float(ripple.mean()) < 0.1


def test_parameters_do_not_depend_on_the_kernel_size():
    counts = {sum(p.numel() for p in CKConv1d(4, 4, k).parameters()) for k in (3, 131, 2111)}
    assert len(counts) == 1


def test_local_kernel_is_only_truncated_by_its_size():
    torch.manual_seed(0)
    small = local(2, 2, 131)
    large = local(2, 2, 1055)
    large.load_state_dict(small.state_dict())
    middle = slice((1055 - 131) // 2, (1055 + 131) // 2)
    torch.testing.assert_close(large.kernel()[..., middle], small.kernel())


@pytest.mark.parametrize("kernel", [0, 4, -3])
def test_even_or_empty_kernels_are_refused(kernel):
    with pytest.raises(ValueError, match="odd"):
        CKConv1d(1, 1, kernel)
