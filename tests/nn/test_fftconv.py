import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bubbleloc.nn import FFTConv1d, fft_conv1d


@settings(deadline=None, max_examples=60)
@given(
    batch=st.integers(1, 3),
    in_channels=st.integers(1, 4),
    out_channels=st.integers(1, 4),
    kernel=st.integers(1, 300),
    extra=st.integers(0, 900),
    bias=st.booleans(),
)
def test_equals_direct_convolution(batch, in_channels, out_channels, kernel, extra, bias):
    generator = torch.Generator().manual_seed(kernel)
    x = torch.randn(batch, in_channels, kernel + extra, generator=generator).double()
    weight = torch.randn(out_channels, in_channels, kernel, generator=generator).double()
    offset = torch.randn(out_channels, generator=generator).double() if bias else None
    expected = functional.conv1d(x, weight, offset)
    torch.testing.assert_close(fft_conv1d(x, weight, offset), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kernel", [3, 64, 131, 527])
def test_gradients_equal_those_of_direct_convolution(kernel):
    x = torch.randn(2, 3, 1500, dtype=torch.double, requires_grad=True)
    weight = torch.randn(4, 3, kernel, dtype=torch.double, requires_grad=True)
    bias = torch.randn(4, dtype=torch.double, requires_grad=True)
    ours, direct = (f(x, weight, bias) for f in (fft_conv1d, functional.conv1d))
    upstream = torch.randn_like(direct)
    for mine, theirs in zip(
        torch.autograd.grad(ours, (x, weight, bias), upstream),
        torch.autograd.grad(direct, (x, weight, bias), upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


def test_module_has_the_parameters_of_conv1d():
    layer, direct = FFTConv1d(3, 5, 31), torch.nn.Conv1d(3, 5, 31)
    layer.load_state_dict(direct.state_dict())
    x = torch.randn(2, 3, 400)
    torch.testing.assert_close(layer(x), direct(x), rtol=1e-4, atol=1e-5)
