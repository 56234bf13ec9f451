import numpy as np
import pytest
import torch

from bubbleloc.nn import load_released
from bubbleloc.nn.inference import apply


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(0)
    return 30 * rng.standard_normal((2, 3000), dtype=np.float32)


def in_float32(network, lines):
    with torch.no_grad():
        return network(torch.from_numpy(lines).unsqueeze(1)).squeeze(1).numpy()


def test_bfloat16_changes_little(lines):
    network = load_released("small")
    expected = in_float32(network, lines)
    assert np.linalg.norm(apply(network, lines) - expected) < 0.1 * np.linalg.norm(expected)


def test_frozen_networks_stay_in_float32(lines):
    frozen = load_released("small").freeze()
    np.testing.assert_allclose(apply(frozen, lines), in_float32(frozen, lines), atol=1e-5)
