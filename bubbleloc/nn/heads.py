"""Heads: what the values of a network mean, one per sample or several.

`CountHead` reads them as bubbles per sample. `EmitterHead` reads of every bubble whether, where,
how certainly and how large. Its network describes the arrivals of bubbles as a Poisson process:
the intensity is a sum of Gaussians, one per sample, each with an expected number of bubbles, a
position, a standard deviation and a radius. DECODE (Speiser et al., Nature Methods 18, 2021)
describes emitters in images by such a mixture; the Poisson process gives it a likelihood without a
threshold or a limit of one bubble per sample (Daley and Vere-Jones, An Introduction to the Theory
of Point Processes).
"""

import math
from typing import NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_SIGMA, MOST_SIGMA = 0.05, 3.0  # samples
MOST_OFFSET = 2  # samples from the sample of a Gaussian to its middle
START_EXPECTED, START_RADIUS_UM = 0.06, 2.4  # bubbles per sample, and radius, of a new head

ReadOut = TypeVar("ReadOut", nn.Conv1d, nn.Conv2d)


class Emitters(NamedTuple):
    """The Gaussians of lines, each (B, L).

    Attributes:
        expected: expected number of bubbles
        offset: distance from the sample of the Gaussian to their arrival, in samples
        sigma: standard deviation of the arrival, in samples
        log_radius: logarithm of their radius in µm
    """

    expected: Tensor
    offset: Tensor
    sigma: Tensor
    log_radius: Tensor


def emitters(readings: Tensor) -> Emitters:
    """Return the Gaussians that the values of a network (B, 4, L) stand for.

    >>> emitters(torch.zeros(2, 4, 500)).sigma.shape
    torch.Size([2, 500])
    """
    rate, offset, sigma, log_radius = readings.float().unbind(1)
    return Emitters(
        *_bubbles(rate, offset),
        sigma=LEAST_SIGMA + (MOST_SIGMA - LEAST_SIGMA) * torch.sigmoid(sigma),
        log_radius=log_radius,
    )


def _bubbles(rate: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Return what they stand for: expected bubbles, and the offset of their arrival."""
    return functional.softplus(rate), MOST_OFFSET * torch.tanh(offset)


class Calibration(NamedTuple):
    """How probabilities and errors of a network's bubbles are corrected, from a validation split.

    A bubble has the log-odds ℓ = log(p / (1 − p)), the standard deviation σ and the radius r.
    Within ±4 samples, m bubbles are expected for each one reported. The corrected values are

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


class CountHead(nn.Module):
    """The values of the network are bubbles per sample. Shape: (B, 1, L), kept.

    >>> CountHead()(torch.ones(1, 1, 3))
    tensor([[[1., 1., 1.]]])
    """

    def read_out(self, single: ReadOut) -> ReadOut:
        """Return the last convolution of a network, from that to one value per sample."""
        return single

    def forward(self, readings: Tensor) -> Tensor:
        """Return ``readings``."""
        return readings


class EmitterHead(nn.Module):
    """Expected bubbles per sample: those of each Gaussian, near its middle.

    A quadratic B-spline, ±1.5 samples wide, shares them between the samples around it. Spread by
    their σ instead, they would score a lower F1: a doubtful bubble is one bubble, not many faint
    ones.

    >>> readings = torch.randn(1, 4, 500)  # of a network with head="emitters"
    >>> head = EmitterHead()
    >>> torch.equal(head(readings), head.counts(*emitters(readings)[:2]))
    True

    Attributes:
        calibration: calibration of the bubbles that are read from the Gaussians; the card of a
            trained network has it

    Shape: (B, 4, L) → (B, 1, L).
    """

    def __init__(self) -> None:
        super().__init__()
        self.calibration = UNCALIBRATED

    def read_out(self, single: ReadOut) -> ReadOut:
        """Return a read-out to four values per sample in place of that to one, untrained.

        It starts with few bubbles everywhere, 0.06 per sample.
        """
        wide = type(single)(single.in_channels, 4 * single.out_channels, 1)
        start = (math.log(math.expm1(START_EXPECTED)), 0.0, 0.0, math.log(START_RADIUS_UM))
        with torch.no_grad():
            wide.weight.mul_(0.3)
            cast(Tensor, wide.bias).copy_(
                torch.tensor(start).repeat_interleave(single.out_channels)
            )
        return wide

    def forward(self, readings: Tensor) -> Tensor:
        """Return the bubbles per sample that the values of a network stand for."""
        rate, offset = readings[:, :2].float().unbind(1)
        return self.counts(*_bubbles(rate, offset))

    def counts(self, bubbles: Tensor, offset: Tensor) -> Tensor:
        """Add up the bubbles of all Gaussians in each sample, (B, 1, L).

        Args:
            bubbles, offset: expected bubbles and offset of `Emitters`.
        """
        nearest = offset.round()
        beyond = offset - nearest  # −0.5 to 0.5
        room = MOST_OFFSET + 1  # samples before and after the line, for what falls beyond it
        sample = torch.arange(room, bubbles.shape[-1] + room, device=bubbles.device)
        sample = sample + nearest.long()
        total = bubbles.new_zeros(*bubbles.shape[:-1], bubbles.shape[-1] + 2 * room)
        total.scatter_add_(-1, sample - 1, bubbles * (0.5 - beyond).square() / 2)
        total.scatter_add_(-1, sample, bubbles * (0.75 - beyond.square()))
        total.scatter_add_(-1, sample + 1, bubbles * (0.5 + beyond).square() / 2)
        return total[..., room:-room].unsqueeze(1)


Head = CountHead | EmitterHead
HEADS: dict[str, type[Head]] = {"counts": CountHead, "emitters": EmitterHead}
