import numpy as np
import pytest
import torch

from bubbleloc.nn import build_model, load_released
from bubbleloc.nn.inference import apply, apply_emitters, apply_fields


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(0)
    return 30 * rng.standard_normal((2, 3000), dtype=np.float32)


def in_float32(network, lines):
    with torch.no_grad():
        return network(torch.from_numpy(lines).unsqueeze(1)).squeeze(1).numpy()


@pytest.mark.parametrize("network", [load_released("small"), load_released("small").freeze()])
def test_outputs_are_those_of_the_network_in_float32(network, lines):
    np.testing.assert_allclose(apply(network, lines), in_float32(network, lines), atol=1e-4)


def test_a_network_is_left_as_it_was(lines):
    network = load_released("small").train()
    frozen = next(network.children()).eval()
    outputs = apply(network, lines)
    assert network.training
    assert not frozen.training
    np.testing.assert_array_equal(apply(network.eval(), lines), outputs)
    with pytest.raises(RuntimeError):
        apply(network.train(), np.zeros((1, 3), np.float32))
    assert network.training


def test_fields_alone_are_those_beside_the_output(lines):
    network = load_released("small")
    np.testing.assert_array_equal(apply_fields(network, lines), apply_emitters(network, lines)[1])


def test_bfloat16_is_close_and_leaves_the_network_alone(lines):
    network = load_released("robust-small")
    exact, before = apply_fields(network, lines), network.state_dict()
    rounded = apply_fields(network.in_bfloat16(), lines)
    assert rounded.dtype == np.float32
    assert 0 < np.abs(rounded[:, 0] - exact[:, 0]).max() < 0.05
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name])
    np.testing.assert_array_equal(apply_fields(network, lines), exact)


@pytest.mark.parametrize("name", ["dilated_cnn", "ckcnn", "tcn"])
def test_networks_that_count_compute_in_bfloat16_too(name, lines):
    torch.manual_seed(0)
    network = build_model(name).eval()
    long = np.tile(lines, (1, 3))
    exact, rounded = apply(network, long), apply(network.in_bfloat16(), long)
    scale = np.abs(exact).max()
    np.testing.assert_allclose(rounded, exact, atol=0.05 * scale)
    assert (rounded != exact).any()
