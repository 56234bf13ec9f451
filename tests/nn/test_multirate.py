from fractions import Fraction

import pytest
import torch
from torch import nn
from torch.nn import functional

from bubbleloc.nn import CKConv1d, MultirateCKCNN
from bubbleloc.nn.frames import FrameCKConv, Frames, Normalised, Samples
from bubbleloc.nn.released import RELEASED, load_released
from bubbleloc.nn.resample import HALF_WIDTH, RateChange, linear, windowed_sinc


def small(**changes):
    """A small network whose batch norm has seen data, in double precision."""
    torch.manual_seed(0)
    settings = {"hidden_channels": 5, "kernel": 43, "depth": 2, "mixing": 6, "stem": 17}
    network = MultirateCKCNN(**(settings | changes)).double()
    for layer in network.modules():
        if isinstance(layer, nn.Linear) and layer.weight.eq(0).all():  # of line_mean
            nn.init.normal_(layer.weight)
    for _ in range(20):
        network(30 * torch.randn(4, 1, 400, dtype=torch.double))
    return network.eval()


def by_definition(network, rf):
    """The network as strided and plain convolutions of the full-rate line, step by step."""
    rate, layers = network.rate, list(network.model)

    def normalise(norm, x):
        return functional.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )

    x = network.scaling(rf)
    x = functional.pad(x, network.model[0].padding, mode="reflect")
    stem = layers[2].convolution.weight.squeeze(2)  # (C, rate, frames)
    taps = stem.transpose(1, 2).flatten(1).unsqueeze(1)  # tap frame·rate + i is phase i
    x = functional.relu(normalise(layers[2].norm, functional.conv1d(x, taps, stride=rate)))
    for layer in layers[3:-1]:
        if isinstance(layer, Normalised):
            kernel = layer.convolution.kernel()
            x = functional.relu(normalise(layer.norm, functional.conv1d(x, kernel)))
        elif hasattr(layer, "widen"):
            hidden = torch.einsum("hc,bcn->bhn", layer.widen.convolution.weight[:, :, 0, 0], x)
            hidden = normalise(layer.widen.norm, hidden)
            if layer.line is not None:
                hidden = hidden + (x.mean(-1) @ layer.line.weight.T).unsqueeze(-1)
            hidden = functional.relu(hidden)
            narrow = layer.narrow.weight[:, :, 0, 0]
            x = x + torch.einsum("ch,bhn->bcn", narrow, hidden)
    z = torch.einsum("rc,bcn->bnr", layers[-1].weight[:, :, 0, 0], x) + layers[-1].bias
    return z.flatten(1)[:, None, : rf.shape[-1]]


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("samples", [400, 401, 402, 403])
@pytest.mark.parametrize("line_mean", [False, True])
def test_network_is_its_definition(rate, samples, line_mean):
    network = small(rate=rate, line_mean=line_mean)
    rf = 30 * torch.randn(2, 1, samples, dtype=torch.double)
    assert network(rf).shape == rf.shape
    torch.testing.assert_close(network(rf), by_definition(network, rf))


def test_shortest_line():
    network = small()
    shortest = network.receptive_field // 2 + 1
    assert network(torch.randn(1, 1, shortest, dtype=torch.double)).shape == (1, 1, shortest)


def test_low_rate_kernels_are_samples_of_the_full_rate_ones():
    torch.manual_seed(0)
    full = CKConv1d(3, 2, 257, window_samples=30.0)
    low = FrameCKConv(3, 2, 65, rate=4, window_samples=30.0)
    weights = {name: value for name, value in full.state_dict().items() if name != "bias"}
    low.load_state_dict(weights)
    torch.testing.assert_close(low.kernel(), full.kernel()[..., ::4])


def test_a_sampled_layer_takes_the_place_of_the_layer():
    torch.manual_seed(0)
    layer = FrameCKConv(3, 2, 15, rate=4, window_samples=30.0)
    x = torch.randn(2, 3, 1, 60)
    torch.testing.assert_close(layer.sampled()(x), layer(x), rtol=1e-4, atol=1e-4)
    plain = CKConv1d(3, 2, 15, bias=False)
    torch.testing.assert_close(plain.sampled()(x.squeeze(2)), plain(x.squeeze(2)))


def test_frames_and_samples_are_inverse():
    x = torch.arange(2 * 24.0).view(2, 1, 24)
    frames = Frames(4)(x)
    assert frames.shape == (2, 4, 1, 6)
    assert frames[1, 3, 0, 2] == x[1, 0, 4 * 2 + 3]
    assert torch.equal(Samples(4)(frames), x)


def test_the_mean_over_the_line_starts_without_effect():
    torch.manual_seed(0)
    rf, plain = torch.randn(2, 1, 1000), MultirateCKCNN().eval()
    summed = MultirateCKCNN(line_mean=True).eval()
    summed.load_state_dict(summed.state_dict() | plain.state_dict())
    assert torch.equal(summed(rf), plain(rf))


def test_shift_by_a_frame_shifts_the_output():
    network = small()
    rf = 30 * torch.randn(1, 1, 1400, dtype=torch.double)
    padded, rate = network.padded(rf), network.rate
    late = network.outputs(padded[..., rate:], 1400 - rate)
    torch.testing.assert_close(late, network(rf)[..., rate:])


@pytest.mark.parametrize("samples", [1200, 1201, 1203])
def test_a_crop_with_its_context_gives_the_output_of_the_line(samples):
    network = small()
    rf = 30 * torch.randn(1, 1, 1900, dtype=torch.double)
    start = 50 * network.rate
    window = slice(start, start + samples + network.context)
    crop = network.outputs(network.padded(rf)[..., window], samples)
    torch.testing.assert_close(crop, network(rf)[..., start : start + samples])


def test_receptive_field_is_what_one_output_sees():
    network = small(input_scaling="none")
    half = network.receptive_field // 2
    rf = torch.randn(1, 1, 6 * half, dtype=torch.double, requires_grad=True)
    for sample in range(3 * half, 3 * half + network.rate):
        (gradient,) = torch.autograd.grad(network(rf)[0, 0, sample], rf)
        seen = gradient.abs().squeeze() > 1e-14  # FFT round-off is not sight
        assert not seen[: sample - half].any()
        assert not seen[sample + half + 1 :].any()


@pytest.mark.parametrize("line_mean", [False, True])
def test_folded_and_frozen_networks_are_equal_and_frozen_ones_plain(line_mean):
    network = small(line_mean=line_mean)
    rf = 30 * torch.randn(2, 1, 403, dtype=torch.double)
    with torch.no_grad():
        folded = network(rf)
    expected = network(rf)  # with gradients: convolution, then batch norm
    torch.testing.assert_close(folded, expected)
    frozen = network.freeze()
    torch.testing.assert_close(frozen(rf), expected)
    assert not any(isinstance(m, CKConv1d | nn.BatchNorm2d) for m in frozen.modules())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


def test_inference_folds_anew_after_a_change():
    network = small()
    rf = torch.randn(1, 1, 400, dtype=torch.double)
    with torch.no_grad():
        first = network(rf)
        network.model[4].norm.running_mean.add_(1.0)
        assert not torch.allclose(network(rf), first)
    torch.testing.assert_close(network(rf).detach(), network.freeze()(rf))


def test_gradients_are_right():
    network = small(hidden_channels=2, kernel=11, stem=5, mixing=2, depth=1, hidden_features=3)
    network.train()
    rf = 3 * torch.randn(2, 1, 60, dtype=torch.double)
    parameters = list(network.parameters())

    def output(*_):
        return network(rf).square().mean()

    for parameter in parameters:
        (gradient,) = torch.autograd.grad(output(), parameter)
        direction = torch.randn_like(parameter)
        step = 1e-6
        with torch.no_grad():
            parameter.add_(step * direction)
            above = output()
            parameter.sub_(2 * step * direction)
            below = output()
            parameter.add_(step * direction)
        slope = (gradient * direction).sum()
        torch.testing.assert_close((above - below) / (2 * step), slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({}, 29_772),
        ({"kernel": 527}, 29_772),
        ({"hidden_channels": 32, "mixing": 64, "hidden_features": 32}, 129_380),
        ({"line_mean": True}, 29_772 + 3 * 16 * 48),
    ],
)
def test_parameter_counts(arguments, count):
    assert sum(p.numel() for p in MultirateCKCNN(**arguments).parameters()) == count


@pytest.mark.parametrize(
    "arguments", [{"kernel": 262}, {"stem": 64}, {"rate": 0}, {"input_scaling": "dB"}]
)
def test_refuses_what_makes_no_sense(arguments):
    with pytest.raises(ValueError, match="must be"):
        MultirateCKCNN(**arguments)


@pytest.mark.parametrize("kernel", [3, 43])
def test_autocast_rounds_little_though_it_comes_first(kernel):
    network, rf = small(kernel=kernel).float(), 30 * torch.randn(2, 1, 500)
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            reduced = network(rf).float()  # samples the kernels, which need all their digits
        expected = network(rf)
        folded = network.model[2]._kept
    assert (reduced - expected).norm() < 0.01 * expected.norm()
    assert all(part.dtype == torch.float32 for part in folded)


@pytest.mark.parametrize("name", RELEASED)
def test_no_weight_is_subnormal(name):
    for weight in load_released(name).freeze().parameters():
        assert (weight[weight != 0].abs() > torch.finfo(torch.float32).tiny).all()


def test_onnx_gives_the_same_output_for_any_number_and_length_of_lines(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="pip install bubbleloc[onnx]")
    pytest.importorskip("onnxscript", reason="pip install bubbleloc[onnx]")
    from bubbleloc.evaluation.export import export_network

    network = small(line_mean=True).float()
    export_network(network, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    for shape in ((2, 1, 1000), (1, 1, 1003), (3, 1, 402)):
        rf = 30 * torch.randn(shape)
        (output,) = session.run(None, {"rf": rf.numpy()})
        expected = network(rf).detach()
        torch.testing.assert_close(torch.from_numpy(output), expected, rtol=1e-3, atol=1e-3)


def band_limited(time):
    """A few sines below 5 MHz, at times in samples of 62.5 MHz."""
    waves = [(0.3, 0.0), (0.21, 1.0), (0.11, 2.0), (0.05, 0.5)]  # radians per sample, phase
    return sum(torch.sin(frequency * time + phase) for frequency, phase in waves)


@pytest.mark.parametrize("ratio", [Fraction(2), Fraction(1, 2), Fraction(16, 25), Fraction(6, 5)])
def test_rate_change_interpolates(ratio):
    line = band_limited(torch.arange(2000, dtype=torch.double)).float().view(1, 1, -1)
    new = RateChange(ratio, windowed_sinc, HALF_WIDTH)(line).squeeze()
    time = torch.arange(len(new), dtype=torch.double) / float(ratio)
    inside = (time > 100) & (time < 1900)
    torch.testing.assert_close(new[inside].double(), band_limited(time)[inside], rtol=0, atol=2e-3)


@pytest.mark.parametrize("ratio", [Fraction(1, 2), Fraction(1, 3), Fraction(16, 25)])
def test_linear_rate_change_downwards_keeps_the_sum_of_counts(ratio):
    counts = torch.zeros(1, 1, 400)
    counts[..., 50:350] = torch.rand(300)
    output = RateChange(ratio, linear, 1, counts=True)(counts)
    torch.testing.assert_close(output.sum(), counts.sum())


@pytest.mark.parametrize(("rate_hz", "ratio"), [(31.25e6, 0.5), (125e6, 2.0), (40e6, 0.64)])
@pytest.mark.parametrize("line_mean", [False, True])
def test_another_sampling_rate_gives_the_output_at_the_same_times(rate_hz, ratio, line_mean):
    network = small(line_mean=line_mean).float()
    samples = 2000
    line = band_limited(torch.arange(samples, dtype=torch.double)).float().view(1, 1, -1)
    resampled = RateChange(Fraction(ratio).limit_denominator(100), windowed_sinc, HALF_WIDTH)(line)
    other = network.at_sampling_rate(rate_hz)
    output = other(resampled)
    assert output.shape == resampled.shape
    expected = RateChange(Fraction(ratio).limit_denominator(100), linear, 1, counts=True)(
        network(line)
    )
    inside = slice(int(300 * ratio), int(1700 * ratio))
    error = (output - expected)[..., inside].norm() / expected[..., inside].norm()
    assert error < 0.01
    assert network.at_sampling_rate(62.5e6)(line).shape == line.shape
