"""The loss of networks that see an array: how surprising the bubbles of an image are to them."""

import math

import torch
from torch import Tensor

from bubbleloc.nn.array_network import spots

NEAR = 2  # cells around a bubble whose Gaussians can stand for it
FEW = 30  # bubbles: an image with many more weighs as much as another, with fewer less
LEAST_DENSITY = 1e-5  # bubbles per cell: a bubble in a gap costs no more than this


class SpotLoss(torch.nn.Module):
    """−log likelihood of the bubbles of an image, per bubble.

    That of the Poisson process of `EmitterLoss`, with the two coordinates of a position in place
    of an arrival, and without radii. It is divided by 30 + their number.
    """

    def forward(self, readings: Tensor, position: Tensor) -> Tensor:
        """Loss of what a network says (B, 5, H, W) about E bubbles of each image, a scalar.

        Args:
            position: rows and columns of the bubbles, (B, E, 2), from the middle of the first
                cell; NaN where an image has fewer.
        """
        weight = FEW + position.isfinite().all(-1).sum(1)
        return (self.surprise(readings, position) / weight).mean()

    def surprise(self, readings: Tensor, position: Tensor) -> Tensor:
        """−log likelihood of each image, (B,)."""
        predicted = spots(readings)
        height, width = predicted.expected.shape[1:]
        row, column = position.nan_to_num(1.0)[..., None, None, :].unbind(-1)
        around = torch.arange(-NEAR, NEAR + 1, device=row.device)
        rows, columns = torch.broadcast_tensors(
            row.round().long() + around[:, None], column.round().long() + around
        )
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        cell = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
        expected, down, right, row_sigma, column_sigma = (
            value.flatten(1).gather(1, cell.flatten(1)).view(cell.shape) for value in predicted
        )
        below = (row - rows - down) / row_sigma
        aside = (column - columns - right) / column_sigma
        density = expected / (row_sigma * column_sigma) * torch.exp(-(below**2 + aside**2) / 2)
        density = torch.where(inside, density, 0.0).sum((-1, -2)) / (2 * math.pi)
        present = position.isfinite().all(-1)
        likely = torch.where(present, torch.log(density + LEAST_DENSITY), 0.0).sum(1)
        return predicted.expected.sum((1, 2)) - likely
