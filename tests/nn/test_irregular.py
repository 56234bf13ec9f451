import pytest
import torch
from torch.func import functional_call
from torch.nn import functional

from bubbleloc.nn import CKConv1d, irregular_conv1d


def local(*sizes, window_samples=30.0, **settings):
    """A layer in physical time, under windows."""
    return CKConv1d(*sizes, window_samples=window_samples, **settings)


KINDS = pytest.mark.parametrize("kind", [CKConv1d, local])


@pytest.fixture(autouse=True)
def double():
    """Make layers in float64, τ included."""
    torch.set_default_dtype(torch.double)
    yield
    torch.set_default_dtype(torch.float)


def layer_of(kind, kernel=31):
    torch.manual_seed(0)
    return kind(2, 3, kernel)


def padded(layer, x):
    """The layer at every sample, computed by PyTorch."""
    return functional.conv1d(x, layer.kernel(), layer.bias, padding=layer.kernel_size // 2)


@KINDS
@pytest.mark.parametrize("kernel", [1, 31, 65])
def test_on_a_regular_grid_it_is_the_layer(kind, kernel):
    layer = layer_of(kind, kernel)
    x = torch.randn(2, 2, 100)
    at = torch.arange(100)
    torch.testing.assert_close(irregular_conv1d(layer, x, at), padded(layer, x))
    inner = at[kernel // 2 : 100 - kernel // 2]
    torch.testing.assert_close(irregular_conv1d(layer, x, at, inner), layer(x))


@KINDS
def test_missing_samples_count_as_zeros_in_any_order(kind):
    layer = layer_of(kind)
    x = torch.randn(2, 2, 200)
    kept = torch.randperm(200)[:70]
    holes = torch.zeros_like(x)
    holes[..., kept] = x[..., kept]
    at = torch.arange(200)
    found = irregular_conv1d(layer, x[..., kept], kept.double(), at)
    torch.testing.assert_close(found, padded(layer, holes))
    itself = irregular_conv1d(layer, x[..., kept], kept.double())
    torch.testing.assert_close(itself, padded(layer, holes)[..., kept])


@KINDS
def test_between_samples_it_is_the_sum_over_all_pairs(kind):
    layer = layer_of(kind)
    positions, at = (60 * torch.rand(n) for n in (40, 25))
    weights = torch.rand(40)
    x = torch.randn(1, 2, 40)
    expected = layer.bias.detach().repeat(25, 1).T[None]
    for j, t in enumerate(at):
        for i, s in enumerate(positions):
            if abs(s - t) <= 15:
                tau = (s - t) / 15 if kind is CKConv1d else (s - t) / 65
                psi = layer.values_at(tau.reshape(1))[..., 0]
                expected[0, :, j] = expected[0, :, j] + psi @ x[0, :, i] * weights[i]
    torch.testing.assert_close(irregular_conv1d(layer, x, positions, at, weights), expected)


def test_weights_make_the_sum_independent_of_where_samples_lie():
    """A smooth signal, sampled at random, is filtered as the same signal sampled regularly."""
    layer = local(1, 1, 263, omega_0=5.0, window_samples=20.0)

    def signal(t):
        return torch.sin(2 * torch.pi * t / 61) + torch.cos(2 * torch.pi * t / 43)

    regular = torch.arange(1000)
    at = torch.arange(300, 700, 7)
    expected = irregular_conv1d(layer, signal(regular)[None, None], regular, at)
    positions = (1000 * torch.rand(3000)).sort().values
    sizes = torch.gradient(positions)[0]
    x = signal(positions)[None, None]
    found = irregular_conv1d(layer, x, positions, at, sizes)
    size = (expected - layer.bias).norm()
    assert (found - expected).norm() < 0.02 * size
    assert (irregular_conv1d(layer, x, positions, at) - expected).norm() > size


@KINDS
def test_rounded_positions_still_meet_the_last_taps(kind):
    layer = layer_of(kind)
    x = torch.randn(1, 2, 60)
    seconds = torch.arange(60) / 62.5e6
    found = irregular_conv1d(layer, x, (seconds * 62.5e6).float().double() * (1 + 1e-6))
    torch.testing.assert_close(found, padded(layer, x), rtol=1e-3, atol=1e-3)


@KINDS
def test_gradients(kind):
    layer = layer_of(kind, kernel=9)
    positions = (12 * torch.rand(8)).requires_grad_()
    at = (12 * torch.rand(5)).requires_grad_()
    x = torch.randn(2, 2, 8, requires_grad=True)
    weights = torch.rand(8, requires_grad=True)
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def applied(*tensors):
        values = dict(zip(names, tensors[4:], strict=True))
        return functional_call(layer, values, (tensors[:4],))

    layer.forward = lambda given: irregular_conv1d(layer, *given)
    assert torch.autograd.gradcheck(applied, (x, positions, at, weights, *parameters))


def test_what_makes_no_sense_is_refused():
    x = torch.randn(1, 2, 20)
    with pytest.raises(ValueError, match="dilation 2 must be 1"):
        irregular_conv1d(CKConv1d(2, 3, 9, dilation=2), x, torch.arange(20.0))
    with pytest.raises(ValueError, match=r"positions \(19,\) must be one per sample"):
        irregular_conv1d(CKConv1d(2, 3, 9), x, torch.arange(19.0))


def test_samples_out_of_reach_leave_the_bias():
    layer = CKConv1d(1, 2, 9)
    found = irregular_conv1d(layer, torch.ones(1, 1, 3), torch.arange(3.0), torch.tensor([50.0]))
    torch.testing.assert_close(found[0, :, 0], layer.bias)
