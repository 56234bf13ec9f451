import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from bubbleloc.nn import FFTConv1d, fft_conv1d
from bubbleloc.nn.fftconv import _OverlapSave
from bubbleloc.nn.fftconv_plan import Plan, plan_convolution


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


@pytest.mark.parametrize("kernel", [1, 2, 33, 64])
def test_gradcheck(kernel):
    x = torch.randn(2, 2, 150, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 2, kernel, dtype=torch.double, requires_grad=True)
    bias = torch.randn(3, dtype=torch.double, requires_grad=True)
    plan = Plan(length=150, kernel=kernel, block=128, chunk=1)
    assert torch.autograd.gradcheck(_OverlapSave.apply, (x, weight, bias, plan))


@settings(deadline=None, max_examples=60)
@given(
    batch=st.integers(1, 5),
    kernel=st.integers(1, 80),
    extra=st.integers(0, 400),
    block=st.integers(80, 300),
    chunk=st.integers(1, 4),
)
def test_every_cut_gives_the_same_result(batch, kernel, extra, block, chunk):
    x = torch.randn(batch, 2, kernel + extra, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 2, kernel, dtype=torch.double, requires_grad=True)
    plan = Plan(kernel + extra, kernel, 2 * (block // 2), chunk)
    ours, direct = _OverlapSave.apply(x, weight, None, plan), functional.conv1d(x, weight)
    torch.testing.assert_close(ours, direct, rtol=1e-10, atol=1e-10)
    upstream = torch.randn_like(direct)
    for mine, theirs in zip(
        torch.autograd.grad(ours, (x, weight), upstream),
        torch.autograd.grad(direct, (x, weight), upstream),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kernel", [65, 131, 527, 2111, 4223])
def test_float32_is_as_exact_as_float32_can_be(kernel):
    x, weight = torch.randn(1, 4, 8446), torch.randn(4, 4, kernel)
    exact = functional.conv1d(x.double(), weight.double())
    error = (fft_conv1d(x, weight) - exact).norm() / exact.norm()
    assert error <= 2e-6


@pytest.mark.parametrize(
    ("x", "weight"),
    [
        ((2, 3, 10), (4, 3, 11)),  # K > L
        ((2, 3, 300), (4, 2, 65)),  # channels that do not fit
        ((2, 3, 300), (4, 3, 0)),
        ((3, 300), (4, 2, 65)),
        ((0, 3, 300), (4, 3, 65)),
        ((2, 3, 300), (4, 3, 65)),
        ((3, 300), (4, 3, 65)),
        ((2, 0, 300), (4, 0, 65)),
        ((0, 3, 0), (4, 3, 65)),
    ],
)
def test_shapes_are_taken_and_refused_as_by_direct_convolution(x, weight):
    x, weight = torch.randn(x), torch.randn(weight)
    try:
        expected = functional.conv1d(x, weight)
    except RuntimeError as error:
        with pytest.raises(type(error)):
            fft_conv1d(x, weight)
    else:
        torch.testing.assert_close(fft_conv1d(x, weight), expected, rtol=1e-4, atol=1e-4)


def test_memory_layout_does_not_matter():
    x = torch.randn(2, 900, 3).transpose(1, 2)[..., ::2].requires_grad_()
    weight = torch.randn(65, 3, 3).permute(1, 2, 0)
    torch.testing.assert_close(
        fft_conv1d(x, weight), functional.conv1d(x, weight), rtol=1e-4, atol=1e-4
    )
    fft_conv1d(x, weight).sum().backward()


def test_half_precision_is_computed_in_float32():
    x, weight = torch.randn(2, 3, 600), torch.randn(3, 3, 65)
    exact = fft_conv1d(x.bfloat16().float(), weight.bfloat16().float())
    rounded = fft_conv1d(x.bfloat16(), weight.bfloat16())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded, exact.bfloat16())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = fft_conv1d(x.requires_grad_(), weight)
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed, fft_conv1d(x, weight).bfloat16())
    mixed.float().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.float32


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
def test_compiles_without_a_break():
    compiled = torch.compile(fft_conv1d, backend="aot_eager", fullgraph=True)
    x = torch.randn(2, 3, 700, requires_grad=True)
    weight = torch.randn(4, 3, 65, requires_grad=True)
    torch.testing.assert_close(compiled(x, weight), fft_conv1d(x, weight))
    compiled(x, weight).sum().backward()
    assert math.isfinite(float(x.grad.norm()))


@settings(deadline=None, max_examples=100)
@given(
    length=st.integers(1, 20_000),
    kernel=st.integers(1, 5_000),
    channels=st.integers(1, 64),
    batch=st.integers(1, 64),
)
def test_plans_cover_the_line(length, kernel, channels, batch):
    plan = plan_convolution((batch, channels, length), (channels, channels, kernel), "cpu")
    if plan is not None:
        assert plan.step >= 1
        assert plan.blocks * plan.step >= plan.valid == length - kernel + 1
        assert plan.covered >= length
        assert sum(len(range(batch)[lines]) for lines in plan.chunks(batch)) == batch


def test_tiny_kernels_are_convolved_directly():
    assert plan_convolution((8, 22, 8446), (22, 22, 3), "cpu") is None
    assert plan_convolution((8, 22, 8446), (22, 22, 131), "cpu") is not None
