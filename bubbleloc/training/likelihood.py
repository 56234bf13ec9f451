"""The loss of networks with a head of emitters: the likelihood of a marked Poisson process."""

import math

import torch
from torch import Tensor, nn

from bubbleloc.nn.emitters import emitters

NEAR = 6  # samples around a bubble whose Gaussians can stand for it
RADIUS_SPREAD = 0.3  # standard deviation of log radius around what the network says
FEW = 30  # bubbles: a line with many more weighs as much as another, with fewer less
LEAST_DENSITY = 1e-6  # bubbles per sample: a bubble in a gap costs no more than this


class EmitterLoss(nn.Module):
    """−log likelihood of the bubbles of a line, per bubble that is expected in it.

    With n_k expected bubbles at sample k, N(t_k, σ_k²) their arrival and N(l_k, 0.3²) their log
    radius, bubbles (t, l) are those of a Poisson process with probability density

        exp(−Σ_k n_k) · Π_bubbles Σ_k n_k N(t; t_k, σ_k²) N(l; l_k, 0.3²)

    (Daley and Vere-Jones, An Introduction to the Theory of Point Processes, section 7.1). It is
    largest where n_k is the number of bubbles that the line lets one expect, and nothing in it
    depends on the order of bubbles or on how many there are in a sample.

    It is divided by 30 + Σ n_k, or else a line with few bubbles would hardly count beside a crowded
    one. This weight is a function of the RF line alone, not of its true bubbles, so it does not
    change what is best.
    """

    def forward(self, readings: Tensor, arrival_sample: Tensor, radius_um: Tensor) -> Tensor:
        """Loss of what a network says (B, 4, L) about E bubbles of each line, a scalar.

        Args:
            arrival_sample: arrivals in the line, (B, E); NaN where a line has fewer bubbles.
            radius_um: radii of the bubbles in µm, (B, E); NaN where unknown.
        """
        expected = emitters(readings).expected.sum(dim=1)
        surprise = self.surprise(readings, arrival_sample, radius_um)
        return (surprise / (FEW + expected.detach())).mean()

    def surprise(self, readings: Tensor, arrival_sample: Tensor, radius_um: Tensor) -> Tensor:
        """−log likelihood of each line, (B,)."""
        found = emitters(readings)
        samples = found.expected.shape[1]
        arrival, radius = arrival_sample.nan_to_num(1.0), radius_um.nan_to_num(1.0)
        around = torch.arange(-NEAR, NEAR + 1, device=arrival.device)
        near = arrival.round().long().unsqueeze(-1) + around
        place = near.clamp(0, samples - 1)
        expected, offset, sigma, log_radius = (
            value.gather(1, place.flatten(1)).view(place.shape) for value in found
        )
        away = (arrival.unsqueeze(-1) - place - offset) / sigma
        larger = (radius.log().unsqueeze(-1) - log_radius) / RADIUS_SPREAD
        larger = torch.where(radius_um.isfinite().unsqueeze(-1), larger, 0.0)
        density = expected / sigma * torch.exp(-(away.square() + larger.square()) / 2)
        density = torch.where(near == place, density, 0.0).sum(-1) / math.sqrt(2 * math.pi)
        present = arrival_sample.isfinite()
        likely = torch.where(present, torch.log(density + LEAST_DENSITY), 0.0)
        return found.expected.sum(dim=1) - likely.sum(dim=1)
