"""Input scaling: offsets, drifts and units of RF lines make no difference to a network."""

import math

import numpy as np
import pytest
import torch

from bubbleloc.metrics.detections import pick_peaks
from bubbleloc.nn import build_model, load_released
from bubbleloc.nn.scaling import InputScaling
from bubbleloc.physics import Setup, compress, draw_scene, matched_filter, simulate_rf

RATE_HZ = 62.5e6


def tone(frequency_hz, samples=8446, rate_hz=RATE_HZ):
    time = torch.arange(samples, dtype=torch.float64) / rate_hz
    return torch.sin(2 * torch.pi * frequency_hz * time).float().view(1, 1, -1)


def passed(frequency_hz, rate_hz=RATE_HZ):
    """Which part of a tone's amplitude is left, away from the ends of a line."""
    scaling, line = InputScaling(sampling_rate_hz=rate_hz), tone(frequency_hz, rate_hz=rate_hz)
    left = scaling.in_band(line)
    return (left.flatten() @ line.flatten() / line.square().sum()).item()


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(5)
    volts = [simulate_rf(draw_scene(rng, count=(60, 300))).volts for _ in range(3)]
    return torch.from_numpy(np.stack(volts)).unsqueeze(1)


@pytest.fixture(scope="module")
def network():
    return load_released("small")


def bubbles(network, lines):
    with torch.inference_mode():
        output = network(lines.float()).squeeze(1).numpy()
    return sum(len(pick_peaks(line, 0.1)) for line in output)


@pytest.mark.parametrize("rate_hz", [31.25e6, 62.5e6, 100e6])
def test_the_band_is_kept_and_what_lies_below_it_removed(rate_hz):
    for frequency_hz in (0.8e6, 1e6, 1.7e6, 3.4e6, 5e6):
        assert passed(frequency_hz, rate_hz) == pytest.approx(1, abs=3e-3)
    for frequency_hz in (5e4, 1e5):
        assert abs(passed(frequency_hz, rate_hz)) < 2e-2


@pytest.mark.parametrize("offset", [0.01, 0.02, 0.05, 0.1, 1.0, 1000.0])
def test_an_offset_changes_no_detection(network, lines, offset):
    clean = bubbles(network, lines)
    rms = lines.square().mean(dim=-1, keepdim=True).sqrt()
    assert clean > 300
    assert bubbles(network, lines + offset * rms) == pytest.approx(clean, rel=0.01)


def test_an_integer_recording_may_have_an_offset(network, lines):
    counts = (lines / lines.abs().amax(dim=-1, keepdim=True) * 20_000).round().short()
    assert bubbles(network, counts + 1370) == pytest.approx(bubbles(network, counts), rel=0.01)


def test_of_a_slow_drift_a_fiftieth_is_left(lines):
    scaling = InputScaling()
    rms = lines.square().mean(dim=-1, keepdim=True).sqrt()
    left = scaling(lines + 0.2 * rms * tone(1e5)) - scaling(lines)
    reach = scaling.low_pass.shape[-1] // 2
    left = left[..., reach:-reach]  # at the ends the step sees half as much
    assert left.square().mean().sqrt() < 0.2 * math.sqrt(0.5) / 50


@pytest.mark.parametrize("unit", [1e-41, 1e-30, 1e20, 1e35])
def test_the_unit_changes_no_detection(network, lines, unit):
    assert bubbles(network, lines * unit) == pytest.approx(bubbles(network, lines), rel=0.01)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e-40, 3e38])
@pytest.mark.parametrize("samples", [1, 7, 400, 1000])
def test_a_constant_line_becomes_zero(value, samples):
    scaling = InputScaling()
    assert not scaling(torch.full((2, 1, samples), value)).any()


def test_scaled_lines_have_unit_rms_each():
    lines = (3 + torch.randn(3, 1, 3000)) * torch.tensor([1e-9, 1.0, 1e9]).view(3, 1, 1)
    torch.testing.assert_close(InputScaling()(lines).square().mean((1, 2)), torch.ones(3))


def test_raw_volts_stay_as_they_are():
    lines = 5 + torch.randn(2, 1, 500)
    assert InputScaling("none")(lines) is lines


def test_the_rate_comes_back_with_the_weights_and_follows_resampling():
    network = build_model("ckcnn", hidden_channels=2, kernel=9)
    old = {name: value for name, value in network.state_dict().items() if "rate" not in name}
    network.sampling_rate_hz = 40e6
    other = build_model("ckcnn", hidden_channels=2, kernel=9)
    other.load_state_dict(network.state_dict())
    assert other.sampling_rate_hz == 40e6
    assert other.bfloat16().float().sampling_rate_hz == 40e6
    assert other.scaling.low_pass.shape == network.scaling.low_pass.shape
    faster = network.at_sampling_rate(80e6)
    assert faster.sampling_rate_hz == 80e6
    reach, doubled = (n.scaling.low_pass.shape[-1] // 2 for n in (network, faster))
    assert doubled == pytest.approx(2 * reach, abs=1)
    assert faster.receptive_field > 1.9 * network.receptive_field
    other.load_state_dict(old)  # weights of before do not tell it
    with pytest.raises(ValueError, match="in Hz"):
        other.sampling_rate_hz = 62.5


def test_mixed_precision_does_not_bring_the_offset_back():
    scaling, line = InputScaling(), torch.randn(1, 1, 2000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(scaling(100 + line), scaling(100 + line).float())
        torch.testing.assert_close(scaling(100 + line), scaling(line), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("mode", ["none", "rms"])
def test_a_matched_filter_compresses_scaled_lines(mode):
    setup = Setup(waveform="suc")
    plain, scaling, line = InputScaling(mode), InputScaling(mode), torch.randn(2, 1, 3000)
    scaling.compress_with(torch.from_numpy(matched_filter(setup)))
    expected = compress(plain(line).numpy(), setup)
    np.testing.assert_allclose(scaling(line).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("model", ["ckcnn", "ckcnn_multirate"])
def test_the_matched_filter_comes_back_with_the_weights_and_follows_resampling(model):
    setup = Setup(waveform="suc")
    line = torch.from_numpy(simulate_rf(draw_scene(np.random.default_rng(0)), setup).volts)
    network = build_model(model, hidden_channels=2, kernel=9)
    network.scaling.compress_with(torch.from_numpy(matched_filter(setup)))
    other = build_model(model, hidden_channels=2, kernel=9)
    other.load_state_dict(network.state_dict())
    compressed = other.scaling(line.view(1, 1, -1))
    torch.testing.assert_close(compressed, network.scaling(line.view(1, 1, -1)))
    faster = other.eval().at_sampling_rate(125e6).scaling
    twice = torch.from_numpy(np.fft.irfft(np.fft.rfft(line), 2 * len(line)) * 2).float()
    again = faster(twice.view(1, 1, -1))[..., ::2]
    inner = slice(2000, -2000)
    error = (again - compressed)[..., inner].norm() / compressed[..., inner].norm()
    assert error < 0.02
