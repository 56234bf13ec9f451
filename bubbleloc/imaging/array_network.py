"""Localization by a network that sees all elements of an array, and what CLEAN makes of them."""

from dataclasses import dataclass
from functools import cached_property

import torch

from bubbleloc.arrays import Float32s
from bubbleloc.imaging.array_images import ArrayImages
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.positions import Positions
from bubbleloc.imaging.spots import bubbles_of
from bubbleloc.nn.array_network import ArrayNetwork, spots


@dataclass(frozen=True, eq=False)
class ArrayMethod:
    """Finds the bubbles in the RF lines (E, L) of a frame, with probability and deviations.

    Attributes:
        clean: with the echo of a bubble.
        network: in evaluation mode.
    """

    clean: Clean
    network: ArrayNetwork

    def __call__(self, rf: Float32s) -> Positions:
        """Return the bubbles of a frame."""
        return self.bubbles(self.images(rf))

    def bubbles(self, images: Float32s) -> Positions:
        """Return the bubbles of images (34, H, W)."""
        with torch.inference_mode():
            readings = self.network(torch.from_numpy(images[None]))
            field = torch.stack([value[0] for value in spots(readings)])
        return bubbles_of(field.numpy(), self.images.cells)

    @cached_property
    def images(self) -> ArrayImages:
        """What the network sees."""
        return ArrayImages(self.clean)
