"""Sequence classifiers: causality, sizes of the publications, and other sampling rates."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbleloc.examples.sequence import CKCNNClassifier, TCNClassifier, continuous_convolution
from bubbleloc.nn import CKConv1d


def parameters(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def test_sizes_are_the_published_ones():
    assert parameters(CKCNNClassifier(kernel=785)) == 98_286  # "98K" in Romero et al. 2021
    assert parameters(TCNClassifier()) == 66_910  # "70K" in Bai et al. 2018


@pytest.mark.parametrize(
    "network",
    [
        CKCNNClassifier(kernel=33, hidden_channels=4, norm="channels"),
        TCNClassifier(hidden_channels=4, kernel=3, levels=3),
    ],
)
@settings(max_examples=10, deadline=None)
@given(instant=st.integers(0, 31))
def test_outputs_do_not_change_with_later_inputs(network, instant):
    body = network.double().eval().body
    x = torch.randn(1, 1, 32, dtype=torch.double)
    changed = x.clone()
    changed[..., instant + 1 :] += torch.randn(31 - instant, dtype=torch.double)
    before, after = body(x), body(changed)
    torch.testing.assert_close(before[..., : instant + 1], after[..., : instant + 1])
    assert instant == 31 or not torch.allclose(before, after)


def test_norm_over_the_sequence_lets_outputs_know_later_inputs():
    body = CKCNNClassifier(kernel=33, hidden_channels=4, norm="sequence").double().eval().body
    x = torch.randn(1, 1, 32, dtype=torch.double)
    louder = torch.cat([x[..., :16], 10 * x[..., 16:]], -1)
    assert not torch.allclose(body(x)[..., :16], body(louder)[..., :16])


def test_the_last_step_sees_the_whole_sequence():
    network = CKCNNClassifier(kernel=33, hidden_channels=4).eval()
    x = torch.randn(1, 1, 32, requires_grad=True)
    network(x).square().sum().backward()
    assert (x.grad.abs() > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kernel": 4}, "odd"), ({"kernel": 5, "norm": "batch"}, "norm='batch' must be one of")],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CKCNNClassifier(**arguments)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("window", [None, 30.0])
def test_positions_of_both_rates_coincide(window, causal):
    layer = CKConv1d(2, 3, 65, window_samples=window)
    kernel = layer.kernel().detach()
    assert torch.equal(continuous_convolution(layer, 1).weight, kernel)
    half = continuous_convolution(layer, 0.5, causal=causal).weight
    torch.testing.assert_close(half, 2 * kernel[..., ::2])


def smooth_layer(kernel):
    torch.manual_seed(0)
    return CKConv1d(1, 1, kernel, omega_0=4.0, hidden_features=8).double()


def signal(time):
    return torch.sin(0.11 * time) + 0.5 * torch.cos(0.23 * time + 1)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("ratio", [0.5, 1, 2, 3, 4])
def test_a_layer_at_another_rate_is_the_same_integral(ratio, causal):
    """The dense reference: ∫ x(t − s) ψ(s) ds by the trapezoidal rule, 64 points a sample."""
    layer, span = smooth_layer(129), 128
    instants = torch.arange(200, 264, 2, dtype=torch.double)  # on the grid of every rate
    tau = torch.linspace(-1, 1, 64 * span + 1, dtype=torch.double)
    lag = span * (1 - tau) / 2 if causal else -span * tau / 2
    psi = layer.values_at(tau).detach().flatten()
    values = signal(instants.unsqueeze(-1) - lag) * psi
    reference = torch.trapezoid(values, dx=1 / 64) + float(layer.bias.detach())

    convolution = continuous_convolution(layer, ratio, causal=causal)
    reach = convolution.kernel_size[0] - 1
    back = reach if causal else reach // 2
    window = torch.arange(-back, reach - back + 1, dtype=torch.double) / ratio
    found = convolution(signal(instants.unsqueeze(-1) + window).unsqueeze(1)).detach().flatten()
    assert (found - reference).norm() < 0.05 / min(ratio, 2) * reference.norm()


def test_without_the_factor_outputs_grow_with_the_rate():
    layer = smooth_layer(129)
    sums = [float(continuous_convolution(layer, r).weight.sum()) for r in (0.5, 1, 2, 4)]
    assert all(math.isclose(value, sums[1], rel_tol=0.1) for value in sums)


def test_a_classifier_at_another_rate_decides_alike_on_smooth_sequences():
    torch.manual_seed(0)
    network = CKCNNClassifier(kernel=129, hidden_channels=6, omega_0=5.0).eval()
    phases = torch.linspace(0, 6, 16).view(-1, 1, 1)

    def logits(ratio):
        time = torch.arange(1, round(128 * ratio) + 1) / ratio  # all end at the same instant
        return network.at_sampling_rate(ratio)(torch.sin(0.2 * time + phases))

    expected = logits(1)
    torch.testing.assert_close(expected, network(torch.sin(0.2 * torch.arange(1, 129) + phases)))
    for ratio in (0.5, 2, 3):
        spread = (expected - expected.mean(0)).norm()
        assert (logits(ratio) - expected).norm() < 0.3 * spread


@pytest.mark.parametrize(("ratio", "dilation"), [(0, 1), (-1, 1), (2, 2)])
def test_impossible_rates_are_refused(ratio, dilation):
    with pytest.raises(ValueError, match="must be"):
        continuous_convolution(CKConv1d(1, 1, 3, dilation=dilation), ratio)
