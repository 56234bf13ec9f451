import numpy as np
import torch
from scipy.stats import norm

from bubbleloc.nn.array_network import spots
from bubbleloc.training.spot_loss import FEW, LEAST_DENSITY, NEAR, SpotLoss


def literal_surprise(readings, positions):
    """Sum over every bubble and every cell near it, by SciPy's densities."""
    expected, down, right, row_sigma, column_sigma = (v[0].double().numpy() for v in readings)
    height, width = expected.shape
    surprise = expected.sum()
    for row, column in positions:
        density = 0.0
        for r in range(height):
            for c in range(width):
                if max(abs(r - round(row)), abs(c - round(column))) <= NEAR:
                    density += (
                        expected[r, c]
                        * norm.pdf(row, r + down[r, c], row_sigma[r, c])
                        * norm.pdf(column, c + right[r, c], column_sigma[r, c])
                    )
        surprise -= np.log(density + LEAST_DENSITY)
    return surprise


def test_surprise_is_the_literal_sum():
    torch.manual_seed(0)
    readings = torch.randn(1, 5, 14, 11)
    positions = np.random.default_rng(0).uniform(-0.4, (13.4, 10.4), (12, 2))
    given = torch.full((1, 15, 2), torch.nan)
    given[0, :12] = torch.from_numpy(positions)
    surprise = SpotLoss().surprise(readings, given).item()
    np.testing.assert_allclose(surprise, literal_surprise(spots(readings), positions), rtol=1e-5)


def test_the_loss_is_per_bubble():
    readings, position = torch.randn(2, 5, 14, 11), torch.rand(2, 4, 2) * 10
    position[1, 3] = torch.nan
    surprise = SpotLoss().surprise(readings, position) / torch.tensor([FEW + 4, FEW + 3])
    torch.testing.assert_close(SpotLoss()(readings, position), surprise.mean())


def test_learning_finds_the_number_and_the_place_of_bubbles():
    readings = torch.zeros(1, 5, 9, 9, requires_grad=True)
    position = torch.tensor([[[3.3, 5.2], [6.0, 1.8]]])
    optimizer = torch.optim.LBFGS([readings], max_iter=300, line_search_fn="strong_wolfe")

    def surprise():
        optimizer.zero_grad()
        total = SpotLoss().surprise(readings, position).sum()
        total.backward()
        return total

    optimizer.step(surprise)
    found = spots(readings.detach())
    assert abs(found.expected.sum() - 2) < 0.05
    row, column = divmod(int(found.expected[0].argmax()), 9)
    place = torch.stack([row + found.row[0, row, column], column + found.column[0, row, column]])
    assert (place - position[0]).abs().amax(1).min() < 0.1
