import numpy as np
import torch
from torch.nn import functional

from bubbleloc.training.losses import DualLoss, dice_distance


def literal_loss(z, y, alpha, soft_weight, dice_weight):
    """The formula of the paper, in plain numpy loops over signals."""
    kernel = np.exp(-alpha * np.arange(-29, 30) ** 2.0)
    soft = np.mean(
        [
            np.abs(np.convolve(zi, kernel, "same") - np.convolve(yi, kernel, "same"))
            for zi, yi in zip(z, y, strict=True)
        ]
    )
    z, y = np.clip(z, 0, 1), np.clip(y, 0, 1)
    dice = np.mean(1 - 2 * (z * y).sum(1) / ((z + y).sum(1) + 1e-6))
    return soft_weight * soft + dice_weight * dice


def test_equals_the_formula_of_the_paper():
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1, (3, 200))
    y = rng.poisson(0.1, (3, 200)).astype(float)  # counts of 2 and more are not clipped in L1
    loss = DualLoss(alpha=0.05, soft_weight=0.7, dice_weight=1.3).double()
    ours = loss(torch.from_numpy(z)[:, None], torch.from_numpy(y)[:, None])
    np.testing.assert_allclose(float(ours), literal_loss(z, y, 0.05, 0.7, 1.3), rtol=1e-6)


def test_perfect_prediction_costs_nothing():
    y = (torch.rand(2, 1, 300, generator=torch.Generator().manual_seed(0)) < 0.1).float()
    assert float(DualLoss()(y, y)) < 1e-6


def test_dice_of_two_empty_lines_is_finite():
    empty = torch.zeros(1, 1, 10)
    assert torch.isfinite(dice_distance(empty, empty)).all()


def test_near_miss_costs_less_than_far_miss():
    truth = torch.zeros(1, 1, 400)
    truth[..., 200] = 1
    near, far = truth.roll(2, -1), truth.roll(60, -1)
    assert DualLoss(alpha=0.1)(near, truth) < DualLoss(alpha=0.1)(far, truth)


def test_gradient_is_that_of_a_blur_sample_by_sample():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 1, 213, generator=generator, requires_grad=True)
    y = (torch.rand(z.shape, generator=generator) < 0.1).float()
    blur = torch.exp(-0.1 * torch.arange(-29, 30).square()).view(1, 1, -1)
    expected = functional.conv1d(z - y, blur, padding=29).abs().mean()
    ours = DualLoss(alpha=0.1, dice_weight=0)(z, y)
    torch.testing.assert_close(
        torch.autograd.grad(ours, z)[0], torch.autograd.grad(expected, z)[0], atol=1e-6, rtol=0
    )
