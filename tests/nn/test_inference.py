import numpy as np
import pytest
import torch

from bubbleloc.nn import load_released
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
