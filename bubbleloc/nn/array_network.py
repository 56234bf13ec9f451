"""A network that sees all elements of an array, as images; it says where bubbles are in the plane.

As the head of emitters of lines, it describes bubbles as a Poisson process in the plane: the
intensity is a sum of Gaussians, one per cell of the image (`bubbleloc.nn.heads`).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_OFFSET = 1.5  # cells from the middle of a cell to that of its Gaussian
LEAST_SIGMA, MOST_ROW_SIGMA, MOST_COLUMN_SIGMA = 0.04, 1.54, 2.04  # cells
START_EXPECTED = 0.01  # bubbles per cell, of a new network
STEP = 4  # cells, of which height and width are multiples once they are padded
ANGLES, ROWS = 8, 2  # of the images, and rows of pixels in a cell
BY_ANGLE = ANGLES * ROWS
IMAGES = 2 * BY_ANGLE + ROWS
"""Channels: images by angle of the whole, of what remains after CLEAN, and the bubbles of CLEAN."""
DESIGNS = {"sum": ROWS, "angles": BY_ANGLE, "remainder": 2 * BY_ANGLE + 2 * ROWS}
"""What a network may see, and how many channels that has; see `seen`."""


class Spots(NamedTuple):
    """The Gaussians of the cells of images, each (B, H, W); lengths are in cells.

    Attributes:
        expected: expected number of bubbles
        row: distance from the middle of the cell to their position, downwards
        column: the same, to the right
        row_sigma: standard deviation of the position, downwards
        column_sigma: the same, to the right
    """

    expected: Tensor
    row: Tensor
    column: Tensor
    row_sigma: Tensor
    column_sigma: Tensor


def spots(readings: Tensor) -> Spots:
    """Return the Gaussians that the values of a network (B, 5, H, W) stand for.

    >>> spots(torch.zeros(2, 5, 20, 30)).row.shape
    torch.Size([2, 20, 30])
    """
    rate, row, column, row_sigma, column_sigma = readings.float().unbind(1)
    return Spots(
        expected=functional.softplus(rate),
        row=MOST_OFFSET * torch.tanh(row),
        column=MOST_OFFSET * torch.tanh(column),
        row_sigma=_sigma(row_sigma, MOST_ROW_SIGMA),
        column_sigma=_sigma(column_sigma, MOST_COLUMN_SIGMA),
    )


def _sigma(reading: Tensor, most: float) -> Tensor:
    return LEAST_SIGMA + (most - LEAST_SIGMA) * torch.sigmoid(reading - 1)


def seen(images: Tensor, design: str) -> Tensor:
    """Return what a design sees of images (B, IMAGES, H, W), loud bubbles compressed.

    ``sum``: the delay-and-sum image; ``angles``: its parts by angle; ``remainder``: these, what
    remains of them after CLEAN, its sum, and the bubbles of CLEAN.
    """
    whole, rest, bubbles = images.split([BY_ANGLE, BY_ANGLE, ROWS], dim=1)
    if design == "sum":
        return torch.asinh(2 * _summed(whole))
    if design == "angles":
        return torch.asinh(ANGLES * whole)
    parts = ANGLES * rest, 4 * _summed(rest), 2 * bubbles, ANGLES * whole
    return torch.asinh(torch.cat(parts, 1))


def _summed(images: Tensor) -> Tensor:
    """Sum over angles: (B, BY_ANGLE, H, W) → (B, ROWS, H, W)."""
    return images.unflatten(1, (ANGLES, ROWS)).sum(1)


class ArrayNetwork(nn.Module):
    """A U-net of residual blocks on three scales: (B, IMAGES, H, W) → (B, 5, H, W).

    >>> ArrayNetwork("sum")(torch.zeros(1, IMAGES, 30, 41)).shape
    torch.Size([1, 5, 30, 41])

    Args:
        design: what it sees of the images, see `seen`.
        widths: channels of the layers on each scale.
    """

    def __init__(self, design: str, widths: tuple[int, int, int] = (32, 48, 64)) -> None:
        super().__init__()
        self.design = design
        fine, middle, coarse = widths
        self.fine = nn.Sequential(_layer(DESIGNS[design], fine), _Residual(fine))
        self.middle = _halved(fine, middle)
        self.coarse = _halved(middle, coarse)
        self.to_middle = nn.Sequential(_layer(middle + coarse, middle), _Residual(middle))
        self.to_fine = nn.Sequential(_layer(fine + middle, fine), _Residual(fine))
        self.read_out = nn.Conv2d(fine, len(Spots._fields), 1)
        with torch.no_grad():
            self.read_out.weight.mul_(0.3)
            assert self.read_out.bias is not None
            self.read_out.bias.zero_()
            self.read_out.bias[0] = math.log(math.expm1(START_EXPECTED))

    def forward(self, images: Tensor) -> Tensor:
        """Return the values that `spots` reads."""
        height, width = images.shape[-2:]
        channels = seen(images, self.design)
        padded = functional.pad(channels, (0, -width % STEP, 0, -height % STEP))
        fine = self.fine(padded)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.to_middle(torch.cat([middle, _doubled(coarse)], 1))
        fine = self.to_fine(torch.cat([fine, _doubled(middle)], 1))
        readings: Tensor = self.read_out(fine)
        return readings[..., :height, :width]

    @property
    def parameter_count(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())


class _Residual(nn.Module):
    """x ↦ ReLU(x + two convolutions of x). Shape: (B, channels, H, W), kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.layers = nn.Sequential(_layer(channels, channels), second, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.layers(x))


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _halved(inputs: int, outputs: int) -> nn.Sequential:
    """Half as many rows and columns."""
    return nn.Sequential(_layer(inputs, outputs, 2), _Residual(outputs), _Residual(outputs))


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0)
