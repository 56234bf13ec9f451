"""What a network sees of the frame of an array: images by angle, before and after CLEAN.

Both are of lines in which the echo of a bubble has become a short pulse. CLEAN explains most of a
frame by bubbles. The network sees these, what remains, and the whole, so that it can take back
what CLEAN decided too early.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.angles import images_by_angle
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.clean import Clean

LATERAL_STEP, DEPTH_STEP = 1 / 6, 1 / 24  # wavelengths: a pixel
ROWS = 2  # of pixels in a cell
MARGIN_CELLS = 5, 8  # at either side of the region, and above and below it


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Makes the images of frames that a network sees.

    Attributes:
        clean: finds the bubbles of a frame, and takes their pulses from its lines.
    """

    clean: Clean

    def __call__(self, rf: Float32s) -> Float32s:
        """Return the images (34, H, W) of RF lines (E, L), of the rows of pixels in a cell apart.

        Those by angle of the whole, those of what remains, and the bubbles of CLEAN.
        """
        deconvolution = self.clean.wiener.deconvolution
        sharp, array = deconvolution(rf), deconvolution.lines_array
        whole = images_by_angle(sharp.lines, array, self.pixels)
        found = self.clean.take_bubbles(sharp)
        rest = images_by_angle(sharp.lines, array, self.pixels)
        return in_cells(np.concatenate([whole, rest, drawn(found, self.pixels)[None]]))

    @cached_property
    def cells(self) -> Grid:
        """Middles of the cells that hold the region and a margin."""
        return cells_around(self.clean.region, self.clean.array)

    @cached_property
    def pixels(self) -> Grid:
        """The pixels of the cells."""
        step_m = self.cells.depth_m[1] - self.cells.depth_m[0]
        rows = (np.arange(ROWS) - (ROWS - 1) / 2) / ROWS
        depth_m = (self.cells.depth_m[:, None] + step_m * rows).ravel()
        return Grid(self.cells.lateral_m, depth_m)


def cells_around(region: Region, array: Array) -> Grid:
    """Return the middles of the cells that hold a region and a margin."""
    scale = array.scale
    assert scale.frequency_hz is not None
    wavelength_m = scale.speed_of_sound_m_s / scale.frequency_hz
    steps_m = wavelength_m * LATERAL_STEP, wavelength_m * DEPTH_STEP * ROWS
    axes = [
        low + step_m * np.arange(-margin, np.ceil((high - low) / step_m) + margin + 1)
        for (low, high), step_m, margin in zip(
            (region.lateral_m, region.depth_m), steps_m, MARGIN_CELLS, strict=True
        )
    ]
    return Grid(*axes)


def in_cells(images: Float32s) -> Float32s:
    """Give every row of pixels in a cell a channel: (C, ROWS·H, W) → (ROWS·C, H, W)."""
    channels, rows, width = images.shape
    apart = images.reshape(channels, rows // ROWS, ROWS, width)
    return np.ascontiguousarray(np.moveaxis(apart, 2, 1)).reshape(-1, rows // ROWS, width)


def drawn(found: Floats, pixels: Grid) -> Float32s:
    """Draw bubbles (n, 3) of x, z and height into pixels (H, W), each into the four around it."""
    x_step_m, z_step_m = (axis[1] - axis[0] for axis in (pixels.lateral_m, pixels.depth_m))
    column = (found[:, 0] - pixels.lateral_m[0]) / x_step_m
    row = (found[:, 1] - pixels.depth_m[0]) / z_step_m
    shape = len(pixels.depth_m), len(pixels.lateral_m)
    return np.asarray(_drawn(row, column, found[:, 2], np.zeros(shape, np.float32)))


@njit(cache=True, nogil=True)
def _drawn(row, column, height, image):  # type: ignore[no-untyped-def]
    for i in range(len(row)):
        r, c = int(np.floor(row[i])), int(np.floor(column[i]))
        below, aside = row[i] - r, column[i] - c
        for y, x, part in (
            (r, c, (1 - below) * (1 - aside)),
            (r, c + 1, (1 - below) * aside),
            (r + 1, c, below * (1 - aside)),
            (r + 1, c + 1, below * aside),
        ):
            if 0 <= y < image.shape[0] and 0 <= x < image.shape[1]:
                image[y, x] += height[i] * part
    return image
