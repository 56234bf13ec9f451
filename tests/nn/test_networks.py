"""What is true of every network. A new one needs its number of parameters here, nothing else."""

import pytest
import torch
import yaml
from torch import nn

from bubbleloc.console import config_folder
from bubbleloc.nn import NETWORKS, CKConv1d, DilatedCNN, build_model

PARAMETERS = {  # with default settings
    "ckcnn": 28_392,
    "ckcnn_dilated": 636_497,
    "ckcnn_local": 29_772,
    "ckcnn_multirate": 29_772,
    "ckcnn_residual": 28_422,
    "dilated_cnn": 137_729,
    "tcn": 48_976,
}
EVERY = pytest.mark.parametrize("name", NETWORKS)
START = 240  # of a crop, in frames of any number of samples


def small(name, **settings):
    """A network with few channels and short kernels that has seen a line, in double precision."""
    torch.manual_seed(0)
    network = build_model(name, hidden_channels=3, kernel=9, **settings).double()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = 1.0  # the one line is enough
    network(line(network))
    return network.eval()


def line(network, lines=1, beyond=600):
    """RF lines (lines, 1, L) that are longer than what the network sees, quieter at their end."""
    samples = network.receptive_field + beyond
    noise = torch.randn(lines, 1, samples, dtype=torch.double)
    return 5 + noise * torch.linspace(3, 0.1, samples, dtype=torch.double)


@EVERY
def test_parameter_count(name):
    assert build_model(name).parameter_count == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "settings", "count"),
    [
        ("ckcnn", {"kernel": 2111}, 28_392),
        ("ckcnn", {"hidden_channels": 22}, 55_139),
        ("ckcnn_residual", {"kernel": 527}, 28_422),
        ("tcn", {"kernel": 3, "levels": 2}, 5_976),
    ],
)
def test_parameter_count_at_other_sizes(name, settings, count):
    assert build_model(name, **settings).parameter_count == count


def test_every_network_has_a_configuration_and_every_configuration_a_network():
    assert {path.stem for path in (config_folder() / "model").glob("*.yaml")} == set(NETWORKS)


@EVERY
def test_configuration_has_the_defaults_of_the_class(name):
    settings = yaml.safe_load((config_folder() / f"model/{name}.yaml").read_text())
    assert settings["name"] == name
    own = {k: v for k, v in settings.items() if "$" not in str(v)}
    assert build_model(**own).parameter_count == PARAMETERS[name]
    build_model(**(settings | own | {"hidden_channels": 3, "kernel": 9, "omega_0": None}))


@EVERY
@pytest.mark.parametrize("beyond", [0, 1, 2, 3])
def test_output_has_the_shape_of_the_input(name, beyond):
    network = small(name)
    rf = line(network, lines=2, beyond=beyond)
    assert network(rf).shape == rf.shape
    shortest = rf[..., : network.receptive_field // 2 + 1]
    assert network(shortest).shape == shortest.shape


@EVERY
def test_scaled_networks_do_not_see_the_pressure(name):
    network = small(name, input_scaling="rms")
    rf = line(network)
    torch.testing.assert_close(network(1e3 * rf), network(rf), rtol=1e-3, atol=1e-4)


@EVERY
def test_a_crop_with_its_context_gives_the_output_of_the_line(name):
    network = small(name)
    rf = line(network)
    padded = network.padded(rf)
    assert padded.shape[-1] == rf.shape[-1] + network.context
    crop = network.outputs(padded[..., START : START + 300 + network.context], 300)
    expected = network(rf)[..., START : START + 300]
    torch.testing.assert_close(crop, expected, rtol=1e-3, atol=1e-4)


@EVERY
def test_receptive_field_is_what_outputs_see(name):
    network = small(name, input_scaling="none")
    rf = line(network).requires_grad_()
    first, last = rf.shape[-1] // 2 - 100, rf.shape[-1] // 2 + 100
    network(rf)[0, 0, first:last].square().sum().backward()
    gradient = rf.grad.abs().squeeze()
    seen = gradient > 1e-12 * gradient.max()  # round-off of FFTs is not sight
    assert not seen[: first - network.receptive_field // 2].any()
    assert not seen[last + network.receptive_field // 2 :].any()
    assert seen[:first].any()
    assert seen[last:].any()


@EVERY
@pytest.mark.parametrize("head", ["counts", "emitters"])
def test_training_reaches_every_weight(name, head):
    network = small(name, head=head).train()
    network(line(network, lines=2)).square().sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
    assert network.model[-1].weight.grad.abs().sum() > 0


@EVERY
def test_frozen_network_is_plain_and_equal(name):
    network = small(name)
    rf = 50 * line(network, lines=2)
    with torch.no_grad():
        network(rf)  # samples the kernels once before freezing
    frozen = network.freeze()
    assert not any(isinstance(module, CKConv1d) for module in frozen.modules())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert sum(isinstance(m, nn.Conv1d | nn.Conv2d) for m in frozen.modules()) >= 5
    torch.testing.assert_close(frozen(rf), network(rf), rtol=1e-3, atol=1e-4)


@EVERY
@pytest.mark.parametrize("rate_hz", [31.25e6, 125e6])
def test_a_network_at_another_rate_takes_the_place_of_the_network(name, rate_hz):
    other = small(name).float().at_sampling_rate(rate_hz)
    assert other.sampling_rate_hz == rate_hz
    rf = line(other).float()
    output = other(rf)
    assert output.shape == rf.shape
    padded = other.padded(rf)
    assert padded.shape[-1] == rf.shape[-1] + other.context
    assert torch.equal(other.outputs(padded, rf.shape[-1]), output)
    torch.testing.assert_close(other.freeze()(rf), output)


@EVERY
def test_even_kernels_are_refused(name):
    with pytest.raises(ValueError, match="kernel=4 must be odd and positive; try 5"):
        build_model(name, kernel=4)


def test_published_weights_fit(published):
    weights = torch.load(published / "dilated_cnn_HS_001.pt", map_location="cpu", weights_only=True)
    DilatedCNN().load_state_dict(weights)


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(ValueError, match="choose one of ckcnn, ckcnn_dilated"):
        build_model("resnet")
    with pytest.raises(ValueError, match="dilated_cnn has no setting omega_0; it has hidden_chann"):
        build_model("dilated_cnn", omega_0=30)
    with pytest.raises(ValueError, match=r"no setting levels; .*omega_0, hidden_features, init"):
        build_model("ckcnn", levels=3)
