"""Losses: of networks that count bubbles per sample, and of those with a head of emitters."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.heads import emitters

HALF_WIDTH = 29  # samples of the Gaussian on either side of its centre, as published
BLOCK = 32  # samples that are blurred at a time
NEAR = 6  # samples around a bubble whose Gaussians can stand for it
RADIUS_SPREAD = 0.3  # standard deviation of log radius around what the network says
FEW = 30  # bubbles: a line with many more weighs as much as another, with fewer less
LEAST_DENSITY = 1e-6  # bubbles per sample: a bubble in a gap costs no more than this


class DualLoss(nn.Module):
    """ε₁ · L1(z ∗ G, y ∗ G) + ε₂ · Dice(clip(z, 0, 1), clip(y, 0, 1)): Blanken et al., TMI 2022.

    G(i) = exp(−α i²) for |i| ≤ 29 blurs both lines, so that a near miss still attracts; Dice
    per line, 1 − 2Σzy / (Σ(z + y) + 1e-6), then averaged, rewards sparse, exact answers.

    Args:
        alpha: sharpness of the Gaussian, per sample²; 0.01 served the dilated CNN best, 0.1
            the CKCNN study.
        soft_weight: ε₁.
        dice_weight: ε₂.
    """

    blur: Tensor

    def __init__(
        self, alpha: float = 0.1, soft_weight: float = 1.0, dice_weight: float = 1.6
    ) -> None:
        super().__init__()
        self.soft_weight, self.dice_weight = soft_weight, dice_weight
        offset = torch.arange(BLOCK + 2 * HALF_WIDTH) - HALF_WIDTH - torch.arange(BLOCK).view(-1, 1)
        blur = torch.exp(-alpha * offset.square()) * (offset.abs() <= HALF_WIDTH)
        self.register_buffer("blur", blur.unsqueeze(1), persistent=False)

    def forward(self, prediction: Tensor, count: Tensor) -> Tensor:
        """Loss of ``prediction`` (B, 1, L) against the bubble ``count`` (B, 1, L), a scalar."""
        with torch.autocast(prediction.device.type, enabled=False):  # sums over whole lines
            prediction = prediction.to(self.blur)
            soft = self._blurred(prediction - count).abs().mean()
            dice = dice_distance(prediction.clamp(0, 1), count.clamp(0, 1)).mean()
            return self.soft_weight * soft + self.dice_weight * dice

    def _blurred(self, error: Tensor) -> Tensor:
        """Convolve (B, 1, L) with G: one matrix product of overlapping blocks, (B, L)."""
        samples = error.shape[-1]
        padded = functional.pad(error, (HALF_WIDTH, HALF_WIDTH + -samples % BLOCK))
        blocks = functional.conv1d(padded, self.blur, stride=BLOCK)  # (B, BLOCK, blocks)
        return blocks.mT.flatten(1)[:, :samples]


def dice_distance(prediction: Tensor, truth: Tensor) -> Tensor:
    """1 − 2Σzy / (Σ(z + y) + 1e-6) of each line: (B, …) → (B,)."""
    overlap = (prediction * truth).flatten(1).sum(1)
    total = (prediction + truth).flatten(1).sum(1)
    return 1 - 2 * overlap / (total + 1e-6)


class EmitterLoss(nn.Module):
    """−log likelihood of the bubbles of a line, per bubble that is expected in it.

    With n_k expected bubbles at sample k, N(t_k, σ_k²) their arrival in samples and N(l_k, 0.3²)
    the logarithm of their radius in µm, bubbles of arrival t and radius r are those of a Poisson
    process with probability density

        exp(−Σ_k n_k) · Π_bubbles Σ_k n_k N(t; t_k, σ_k²) N(log r; l_k, 0.3²)

    (Daley and Vere-Jones, An Introduction to the Theory of Point Processes, section 7.1).
    `forward` takes the radii themselves, in µm, and takes their logarithm. The likelihood is
    largest where n_k is the number of bubbles that the line lets one expect, and nothing in it
    depends on the order of bubbles or on how many there are in a sample.

    The loss is divided by 30 + Σ n_k, or else a line with few bubbles would hardly count beside a
    crowded one. This weight is a function of the RF line alone, not of its true bubbles, so it does
    not change what is best. The gradient takes the weight as constant, so the value of the loss may
    rise while `surprise` falls; to watch a training, use the latter.
    """

    def forward(self, readings: Tensor, arrival_sample: Tensor, radius_um: Tensor) -> Tensor:
        """Loss of what a network says (B, 4, L) about E bubbles of each line, a scalar.

        Args:
            readings: `bubbleloc.nn.Localizer.readings` of the lines.
            arrival_sample: arrivals in the line, (B, E); NaN where a line has fewer bubbles.
            radius_um: radii of the bubbles in µm, (B, E); NaN where unknown.
        """
        expected = emitters(readings).expected.sum(dim=1)
        surprise = self.surprise(readings, arrival_sample, radius_um)
        return (surprise / (FEW + expected.detach())).mean()

    def surprise(self, readings: Tensor, arrival_sample: Tensor, radius_um: Tensor) -> Tensor:
        """−log likelihood of each line, (B,)."""
        predicted = emitters(readings)
        samples = predicted.expected.shape[1]
        arrival, radius = arrival_sample.nan_to_num(1.0), radius_um.nan_to_num(1.0)
        around = torch.arange(-NEAR, NEAR + 1, device=arrival.device)
        near = arrival.round().long().unsqueeze(-1) + around
        inside = near.clamp(0, samples - 1)
        expected, offset, sigma, log_radius = (
            value.gather(1, inside.flatten(1)).view(inside.shape) for value in predicted
        )
        away = (arrival.unsqueeze(-1) - inside - offset) / sigma
        larger = (radius.log().unsqueeze(-1) - log_radius) / RADIUS_SPREAD
        larger = torch.where(radius_um.isfinite().unsqueeze(-1), larger, 0.0)
        density = expected / sigma * torch.exp(-(away.square() + larger.square()) / 2)
        density = torch.where(near == inside, density, 0.0).sum(-1) / math.sqrt(2 * math.pi)
        present = arrival_sample.isfinite()
        likely = torch.where(present, torch.log(density + LEAST_DENSITY), 0.0)
        return predicted.expected.sum(dim=1) - likely.sum(dim=1)
