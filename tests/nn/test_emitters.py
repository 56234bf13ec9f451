import pytest
import torch
from scipy.interpolate import BSpline
from torch import nn

from bubbleloc.nn import NETWORKS, build_model
from bubbleloc.nn.heads import EmitterHead, emitters


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_gives_four_values_per_sample_and_a_count(name):
    torch.manual_seed(0)
    small = {"hidden_channels": 4, "kernel": 3}
    network = build_model(name, head="emitters", **small).eval()
    plain = build_model(name, **small)
    rf = torch.randn(2, 1, 4501)
    readings = network.readings(network.padded(rf), 4501)
    assert readings.shape == (2, 4, 4501)
    torch.testing.assert_close(network(rf), network.head(readings))
    read_out = plain.model[-1]
    more = 3 * (read_out.weight.numel() + read_out.bias.numel())
    assert network.parameter_count == plain.parameter_count + more


def test_a_new_head_expects_few_bubbles_everywhere():
    torch.manual_seed(0)
    network = build_model("ckcnn_multirate", head="emitters").train()  # normalises by this batch
    with torch.no_grad():
        expected = network(torch.randn(4, 1, 4000))
    assert 0.03 < expected.mean() < 0.2
    assert (expected >= 0).all()


def test_expected_counts_are_those_of_splines_at_the_gaussians():
    torch.manual_seed(0)
    readings = torch.randn(2, 4, 60)
    found = emitters(readings)
    own = torch.arange(60)
    away = own[:, None] - (own + found.offset)[:, None]  # (2, sample, Gaussian)
    shares = torch.from_numpy(BSpline.basis_element([-1.5, -0.5, 0.5, 1.5], False)(away.numpy()))
    counts = (shares.nan_to_num() * found.expected[:, None]).sum(-1)
    torch.testing.assert_close(EmitterHead()(readings)[:, 0], counts.float())


def test_no_bubble_is_lost():
    readings = torch.full((1, 4, 60), -30.0)
    readings[:, 0, 20:40] = torch.randn(20)
    readings[:, 1] = torch.randn(60)
    expected = emitters(readings).expected.sum()
    torch.testing.assert_close(EmitterHead()(readings).sum(), expected)


def test_values_stay_in_their_ranges():
    found = emitters(100 * torch.randn(1, 4, 500))
    assert (found.expected >= 0).all()
    assert found.sigma.min() >= 0.05
    assert found.sigma.max() <= 3
    assert (found.offset.abs() <= 2.001).all()


def test_frozen_networks_keep_their_emitters():
    torch.manual_seed(0)
    network = build_model("ckcnn_multirate", head="emitters", hidden_channels=4).eval()
    rf = torch.randn(1, 1, 3000)
    frozen = network.freeze()
    torch.testing.assert_close(frozen(rf), network(rf), atol=1e-4, rtol=1e-4)
    assert isinstance(frozen.head, EmitterHead)


def test_resampled_kernels_are_refused():
    network = build_model("ckcnn_local", head="emitters")
    with pytest.raises(ValueError, match="keeps its sampling rate"):
        network.at_sampling_rate(31.25e6, 62.5e6)


def test_unknown_head_is_refused():
    with pytest.raises(ValueError, match="counts, emitters"):
        build_model("ckcnn", head="tail")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_read_out_is_the_last_convolution(name):
    layer = build_model(name).model[-1]
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    assert layer.kernel_size[-1] == 1
