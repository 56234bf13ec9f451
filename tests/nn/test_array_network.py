import numpy as np
import pytest
import torch

from bubbleloc.nn.array_network import ANGLES, BY_ANGLE, DESIGNS, IMAGES, ArrayNetwork, seen, spots


@pytest.mark.parametrize("design", DESIGNS)
def test_readings_are_as_large_as_the_images(design):
    network = ArrayNetwork(design)
    assert network(torch.randn(2, IMAGES, 21, 30)).shape == (2, 5, 21, 30)
    assert seen(torch.randn(2, IMAGES, 8, 8), design).shape == (2, DESIGNS[design], 8, 8)


def test_the_sum_is_that_over_angles():
    images = torch.randn(1, IMAGES, 4, 5)
    rows = images[:, :BY_ANGLE].numpy().reshape(ANGLES, 2, 4, 5)
    np.testing.assert_allclose(seen(images, "sum")[0], np.arcsinh(2 * rows.sum(0)), rtol=1e-5)


def test_a_new_network_expects_few_bubbles():
    torch.manual_seed(0)
    expected = spots(ArrayNetwork("angles").eval()(torch.zeros(1, IMAGES, 40, 40))).expected
    assert 0.005 < expected.mean() < 0.02


def test_what_is_far_away_changes_nothing():
    torch.manual_seed(0)
    network = ArrayNetwork("remainder").eval()
    images = torch.randn(1, IMAGES, 16, 200)
    changed = images.clone()
    changed[..., 150:] = 0
    with torch.inference_mode():
        before, after = network(images), network(changed)
    torch.testing.assert_close(before[..., :80], after[..., :80], rtol=0, atol=0)
