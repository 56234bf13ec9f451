import pytest
import torch

from bubbleloc.nn import DilatedCNN, build_model


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("dilated_cnn", {}, 137_729),
        ("ckcnn", {}, 28_392),
        ("ckcnn", {"kernel": 2111}, 28_392),
        ("ckcnn", {"hidden_channels": 22}, 55_139),
        ("ckcnn_dilated", {}, 636_497),
        ("ckcnn_local", {}, 29_772),
    ],
)
def test_parameter_counts_are_those_of_the_studies(name, arguments, count):
    network = build_model(name, **arguments)
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == count


@pytest.mark.parametrize("name", ["dilated_cnn", "ckcnn", "ckcnn_dilated", "ckcnn_local"])
def test_output_has_the_shape_of_the_input(name):
    network = build_model(name, hidden_channels=3).eval()
    rf = torch.randn(2, 1, 8446)
    assert network(rf).shape == rf.shape


def test_scaled_networks_do_not_see_the_pressure():
    network = build_model("ckcnn", hidden_channels=3, kernel=31).eval()
    rf = torch.randn(2, 1, 1000)
    torch.testing.assert_close(network(1e3 * rf), network(rf), rtol=1e-3, atol=1e-4)


def test_a_crop_with_its_context_gives_the_output_of_the_line():
    network = build_model("ckcnn", hidden_channels=3, kernel=31).eval()
    rf = 5 + torch.randn(1, 1, 2000) * torch.linspace(3, 0.1, 2000)
    padded = network.padded(rf)
    assert padded.shape[-1] == 2000 + network.context
    crop = network.outputs(padded[..., 500 : 1500 + network.context], 1000)
    torch.testing.assert_close(crop, network(rf)[..., 500:1500], rtol=1e-3, atol=1e-4)


def test_receptive_field_is_what_one_output_sees():
    network = (
        build_model("ckcnn", hidden_channels=2, kernel=9, input_scaling="none").double().eval()
    )
    rf = torch.randn(1, 1, 200, dtype=torch.double, requires_grad=True)
    network(rf)[0, 0, 100].backward()
    seen = rf.grad.abs().squeeze() > 1e-14  # FFT round-off is not sight
    reach = network.receptive_field // 2
    assert not seen[: 100 - reach].any()
    assert not seen[101 + reach :].any()


def test_published_weights_fit(published):
    weights = torch.load(published / "dilated_cnn_HS_001.pt", map_location="cpu", weights_only=True)
    DilatedCNN().load_state_dict(weights)


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(ValueError, match="choose one of"):
        build_model("resnet")
    with pytest.raises(ValueError, match="no setting"):
        build_model("dilated_cnn", omega_0=30)
