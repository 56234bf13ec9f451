"""Residual CKCNNs and TCNs: their blocks against plain convolutions, and what they can see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample
from torch import nn
from torch.nn import functional

from bubbleloc.examples.sequence import TCNClassifier
from bubbleloc.nn import TCN, CKConv1d, build_model
from bubbleloc.nn.blocks import Causal, ChannelNorm, ResidualBlock
from tests.nn.test_resample import band_limited_noise

NAMES = ["ckcnn_residual", "tcn"]


def small(name, **other):
    return build_model(name, hidden_channels=3, kernel=5, **other).eval()


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 3),
    inputs=st.integers(1, 4),
    outputs=st.integers(1, 4),
    length=st.integers(9, 60),
    kernel=st.sampled_from([1, 3, 9]),
)
def test_causal_convolution_is_conv1d_after_zeros(batch, inputs, outputs, length, kernel):
    layer = CKConv1d(inputs, outputs, kernel)
    x = torch.randn(batch, inputs, length)
    zeros = torch.zeros(batch, inputs, kernel - 1)
    expected = functional.conv1d(torch.cat([zeros, x], -1), layer.kernel(), layer.bias)
    found = Causal(layer)(x)
    assert found.shape == (batch, outputs, length)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_channel_norm_is_the_formula():
    x = torch.randn(2, 5, 7)
    deviation = x - x.mean(dim=1, keepdim=True)
    expected = deviation / (deviation.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(ChannelNorm(5)(x), expected)


@pytest.mark.parametrize("padding", [0, 2])
def test_a_block_adds_the_input_that_its_outputs_belong_to(padding):
    layers = nn.Conv1d(2, 3, 5, padding=padding)
    block = ResidualBlock([layers], 2, 3)
    x = torch.randn(1, 2, 20)
    same = x if padding else x[..., 2:-2]
    expected = functional.relu(
        layers(x) + functional.conv1d(same, block.shortcut.weight) + shift(block)
    )
    torch.testing.assert_close(block(x), expected)
    assert isinstance(ResidualBlock([nn.Identity()], 3, 3).shortcut, nn.Identity)


def shift(block):
    return block.shortcut.bias.view(1, -1, 1)


def test_a_tcn_block_is_two_dilated_convolutions():
    network = TCNClassifier(in_channels=2, hidden_channels=2, kernel=3, levels=2, dropout=0.0)
    block = network.body[2]
    x = torch.randn(1, 2, 30)
    first, second = (block.layers[place].convolution for place in (0, 3))
    assert first.dilation == second.dilation == (2,)
    expected = x
    for layer in (first, second):
        norm = layer.weight.norm(dim=(1, 2), keepdim=True)
        magnitude = layer.parametrizations.weight.original0
        torch.testing.assert_close(norm, magnitude)
        padded = functional.pad(expected, (4, 0))
        expected = functional.conv1d(padded, layer.weight, layer.bias, dilation=2).relu()
    torch.testing.assert_close(block(x), (expected + x).relu())


def test_receptive_field_of_a_tcn():
    assert TCN(kernel=3, levels=1).receptive_field == 5
    assert TCN(kernel=7, levels=6).receptive_field == 757


@pytest.mark.parametrize("name", NAMES)
def test_dropout_acts_in_training_only(name):
    network, rf = small(name, dropout=0.5), torch.randn(1, 1, 500)
    assert torch.equal(network(rf), network(rf))
    network.train()
    assert not torch.equal(network(rf), network(rf))


@pytest.mark.parametrize("name", NAMES)
def test_exported_network_gives_the_same_output(name, tmp_path):
    from bubbleloc.evaluation.export import export_network

    network, rf = small(name), torch.randn(2, 1, 700)
    export_network(network, tmp_path / "model.pt2")
    program = torch.export.load(tmp_path / "model.pt2").module()
    torch.testing.assert_close(program(rf), network(rf), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_at_twice_the_rate_gives_the_same_output_in_time(name):
    torch.manual_seed(0)
    sizes = {"levels": 3} if name == "tcn" else {"kernel": 65}
    network = build_model(name, hidden_channels=4, **sizes).eval()
    x = band_limited_noise(2000).float()
    fine = torch.from_numpy(resample(x.numpy(), 4000))
    slow = network(x.view(1, 1, -1)).flatten()
    fast = network.at_sampling_rate(125e6)(fine.view(1, 1, -1)).flatten()[::2]
    inner = slice(300, -300)  # reflection at the ends is not the same in time
    error = (fast - slow)[inner].norm() / (slow[inner] - slow[inner].mean()).norm()
    assert error < 0.1
