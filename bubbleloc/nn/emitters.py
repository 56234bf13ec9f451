"""A head that says of every bubble whether, where, how certainly and how large.

The network describes the arrivals of bubbles as a Poisson process: its intensity is a sum of
Gaussians, one per sample, each with an expected number of bubbles, a position, a standard
deviation and a radius. DECODE (Speiser et al., Nature Methods 18, 2021) describes emitters in
images by such a mixture; the Poisson process gives it a likelihood without a threshold or a limit
of one bubble per sample (Daley and Vere-Jones, An Introduction to the Theory of Point Processes).
"""

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from bubbleloc.nn.network import Localizer

LEAST_SIGMA, MOST_SIGMA = 0.05, 3.0  # samples
MOST_OFFSET = 2  # samples from a Gaussian's own sample to its middle
START_EXPECTED, START_RADIUS_UM = 0.06, 2.4  # bubbles per sample, and radius, of a new head


class Emitters(NamedTuple):
    """The Gaussians of lines, each (B, L).

    Attributes:
        expected: number of bubbles.
        offset: from the Gaussian's own sample to their arrival, in samples.
        sigma: standard deviation of the arrival in samples.
        log_radius: of the radius in µm.
    """

    expected: Tensor
    offset: Tensor
    sigma: Tensor
    log_radius: Tensor


def emitters(readings: Tensor) -> Emitters:
    """Return the Gaussians that the values of a network (B, 4, L) stand for."""
    rate, offset, sigma, log_radius = readings.float().unbind(1)
    return Emitters(
        expected=functional.softplus(rate),
        offset=MOST_OFFSET * torch.tanh(offset),
        sigma=LEAST_SIGMA + (MOST_SIGMA - LEAST_SIGMA) * torch.sigmoid(sigma),
        log_radius=log_radius,
    )


class Calibration(NamedTuple):
    """What a validation split taught about the probabilities and errors of a network's bubbles.

    Of a bubble with log-odds ℓ = log(p / (1 − p)), standard deviation σ and radius r, and with m
    bubbles expected within ±4 samples for each one reported there, they become

        ℓ' = offset + slope · ℓ + by_sigma · log σ + by_radius · log(r / 2.4 µm)
             + (by_near + by_near_radius · log(r / 2.4 µm)) · log m
        σ' = scale · σ^power · (r / 2.4 µm)^radius_power
    """

    offset: float
    slope: float
    by_sigma: float
    by_radius: float
    by_near: float
    by_near_radius: float
    scale: float
    power: float
    radius_power: float


UNCALIBRATED = Calibration(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0)


class EmitterHead(nn.Module):
    """Expected bubbles per sample: those of each Gaussian, near its middle.

    A quadratic B-spline, ±1.5 samples wide, shares them between the samples around it. Spread by
    their σ instead, they would score a lower F1: a doubtful bubble is one bubble, not many faint
    ones.

    Attributes:
        calibration: of the bubbles that are read from the Gaussians; the card of a network has it.

    Shape: (B, 4, L) → (B, 1, L).
    """

    def __init__(self) -> None:
        super().__init__()
        self.calibration = UNCALIBRATED

    def forward(self, readings: Tensor) -> Tensor:
        """Return the bubbles per sample that the values of a network stand for."""
        return self.counts(emitters(readings))

    def counts(self, found: Emitters) -> Tensor:
        """Add up the bubbles of all Gaussians in each sample, (B, 1, L)."""
        total = torch.zeros_like(found.offset)
        for shift in range(-MOST_OFFSET - 1, MOST_OFFSET + 2):
            away = (found.offset - shift).abs()
            spline = torch.where(away < 0.5, 0.75 - away**2, (1.5 - away).clamp_min(0) ** 2 / 2)
            total = total + functional.pad(found.expected * spline, (shift, -shift))
        return total.unsqueeze(1)


def counts_and_emitters(network: Localizer, rf: Tensor) -> tuple[Tensor, Tensor]:
    """Map RF lines (B, 1, L) to counts (B, 1, L) and the fields of `Emitters`, (B, 4, L)."""
    found = emitters(network.readings(network.padded(rf), rf.shape[-1]))
    return cast(EmitterHead, network.head).counts(found), torch.stack(found, dim=1)


def with_emitters(network: Localizer) -> Localizer:
    """Give a network of counts the read-out and the head of emitters, both untrained."""
    old = cast(nn.Conv1d | nn.Conv2d, network.get_submodule(network.read_out))
    new = type(old)(old.in_channels, 4 * old.out_channels, 1)
    start = (math.log(math.expm1(START_EXPECTED)), 0.0, 0.0, math.log(START_RADIUS_UM))
    with torch.no_grad():
        new.weight.mul_(0.3)
        cast(Tensor, new.bias).copy_(torch.tensor(start).repeat_interleave(old.out_channels))
    network.set_submodule(network.read_out, new)
    network.head = EmitterHead()
    return network
