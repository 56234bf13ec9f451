import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from bubbleloc.nn.heads import emitters
from bubbleloc.training.losses import FEW, RADIUS_SPREAD, EmitterLoss


def by_definition(readings, bubbles):
    """The likelihood as its formula says, one bubble and one Gaussian at a time."""
    surprises, samples = [], readings.shape[-1]
    for line, own in zip(readings, bubbles, strict=True):
        expected, offset, sigma, log_radius = (v[0].numpy() for v in emitters(line[None]))
        sample = np.arange(samples) + offset
        surprises.append(expected.sum())
        for arrival, radius_um in own:
            density = 0.0
            for k in range(samples):
                if abs(k - round(float(arrival))) <= 6:
                    part = expected[k] * stats.norm.pdf(arrival, sample[k], sigma[k])
                    away = (math.log(radius_um) - log_radius[k]) / RADIUS_SPREAD
                    density += part * math.exp(-(away**2) / 2)
            surprises[-1] -= math.log(density + 1e-6)
    return torch.tensor(surprises)


def padded(lines):
    most = max(map(len, lines))
    rows = [[*line, *[(np.nan, np.nan)] * (most - len(line))] for line in lines]
    return torch.tensor(rows, dtype=torch.float32).reshape(len(lines), most, 2).unbind(-1)


LINES = [[(3.2, 2.4), (17.9, 1.1), (18.1, 3.0), (18.1, 3.0)], [(0.0, 2.0)], [(29.4, 4.0)]]


def test_likelihood_is_that_of_its_formula():
    torch.manual_seed(0)
    readings = torch.randn(3, 4, 30)
    surprise = EmitterLoss().surprise(readings, *padded(LINES))
    torch.testing.assert_close(surprise, by_definition(readings, LINES), check_dtype=False)
    assert surprise.shape == (3,)


def test_lines_weigh_by_the_bubbles_that_are_expected_in_them():
    torch.manual_seed(0)
    readings = torch.randn(3, 4, 30, requires_grad=True)
    weight = 1 / (FEW + emitters(readings).expected.sum(dim=1).detach())
    loss = EmitterLoss()(readings, *padded(LINES))
    expected = (weight * EmitterLoss().surprise(readings, *padded(LINES))).mean()
    torch.testing.assert_close(loss, expected)
    slopes = (torch.autograd.grad(each, readings)[0] for each in (loss, expected))
    torch.testing.assert_close(*slopes)  # the weight is no part of what is learned


def test_order_of_bubbles_does_not_matter():
    torch.manual_seed(0)
    readings = torch.randn(1, 4, 30)
    losses = {
        round(EmitterLoss()(readings, *padded([list(order)])).item(), 6)
        for order in itertools.permutations(LINES[0])
    }
    assert len(losses) == 1


def test_an_empty_line_costs_what_is_expected():
    readings = torch.randn(1, 4, 30)
    surprise = EmitterLoss().surprise(readings, *torch.zeros(2, 1, 0))
    torch.testing.assert_close(surprise, emitters(readings).expected.sum(dim=1))


def test_unknown_radii_are_left_out():
    torch.manual_seed(0)
    readings = torch.randn(1, 4, 30)
    known, unknown = padded([[(8.0, 2.4)]]), padded([[(8.0, np.nan)]])
    known[1][:] = float("nan")
    torch.testing.assert_close(EmitterLoss()(readings, *known), EmitterLoss()(readings, *unknown))
    assert EmitterLoss()(readings, *unknown).isfinite()


def test_gradients_are_right():
    torch.manual_seed(0)
    readings, truth = torch.randn(2, 4, 20), padded([[(3.2, 2.4), (9.0, 1.0)], []])

    def loss(change):
        return EmitterLoss().surprise(readings + change.view_as(readings), *truth).sum()

    zero = torch.zeros(readings.numel(), requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(zero), zero)
    for place in np.random.default_rng(0).choice(zero.numel(), 12, replace=False):
        step = torch.zeros(zero.numel())
        step[place] = 1e-2
        slope = (loss(step) - loss(-step)).item() / 2e-2
        assert gradient[place].item() == pytest.approx(slope, abs=5e-3)


def test_the_true_intensity_is_the_best_answer():
    """Over many lines drawn from an intensity, no other one is more likely on average."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rate = 0.3
    lines = []
    for _ in range(400):
        present = rng.random() < rate
        lines.append([(10 + 0.5 * rng.standard_normal(), 2.4)] if present else [])
    bubbles = padded(lines)

    def loss(expected, sigma):
        readings = torch.full((400, 4, 21), -20.0)
        readings[:, 0, 10] = math.log(math.expm1(expected))
        readings[:, 1] = 0.0
        readings[:, 2, 10] = math.log((sigma - 0.05) / (3 - sigma))
        readings[:, 3] = math.log(2.4)
        return EmitterLoss().surprise(readings, *bubbles).mean().item()

    share = np.mean([len(line) for line in lines])
    best = loss(share, 0.5)
    assert best < min(
        loss(share * 1.5, 0.5), loss(share / 1.5, 0.5), loss(share, 0.8), loss(share, 0.3)
    )
