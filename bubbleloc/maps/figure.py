"""A map of vessels as a figure: density, and velocity by hue and brightness."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from bubbleloc.arrays import Floats
from bubbleloc.maps.results import Grids
from bubbleloc.report.figures.style import COLUMN_INCHES, house_style, new_figure

HIGHEST = 0.99
"""Quantile of crossed pixels at which the scales of density and speed end."""

# OKLCH: the same lightness and chroma look the same in every hue (Ottosson 2020)
_LIGHTNESS, _CHROMA, _HUE_RIGHT = 0.76, 0.15, np.radians(30)
_DARKEST = 0.35  # brightness of a bubble at rest
_OKLAB_TO_LMS = np.array([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728],
                          [1, -0.0894841775, -1.2914855480]])  # fmt: skip
_LMS_TO_RGB = np.array([[4.0767416621, -3.3077115913, 0.2309699292],
                        [-1.2684380046, 2.6097574011, -0.3413193965],
                        [-0.0041960863, -0.7034186147, 1.7076147010]])  # fmt: skip


@house_style
def map_figure(grids: Grids) -> Figure:
    """Draw the density of tracks, and their velocity: hue is direction, brightness is speed."""
    left, right, top, bottom = grids.extent_mm
    crossed = grids.density > 0
    height = float(np.clip(COLUMN_INCHES * (bottom - top) / (right - left), 2.0, 7.0)) + 0.9
    figure = new_figure(width=2 * COLUMN_INCHES, height=height)
    figure.set_layout_engine("compressed")  # constrained, for axes of fixed aspect
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    counted = PowerNorm(0.5, 0, _highest(grids.density, crossed))
    shown = _draw(panels[0], grids.density, grids)
    shown.set(cmap="magma", norm=counted)
    figure.colorbar(shown, ax=panels[0], location="bottom", label="tracks per pixel", aspect=25)
    speeds = Normalize(0, _highest(grids.speed_mm_s, crossed))
    share = np.clip(np.where(crossed, speeds(grids.speed_mm_s), 0), 0, 1)
    colours = colour(np.where(crossed, grids.direction_rad, 0), share)
    _draw(panels[1], np.where(crossed[..., None], colours, 0), grids)
    greys = LinearSegmentedColormap.from_list("speed", [(_DARKEST,) * 3, (1, 1, 1)])
    bar = ScalarMappable(speeds, greys)
    figure.colorbar(bar, ax=panels[1], location="bottom", label="speed (mm/s)", aspect=25)
    _wheel(panels[1])
    panels[0].set(title="density", xlabel="lateral (mm)", ylabel="depth (mm)")
    panels[1].set(title="velocity", xlabel="lateral (mm)")
    return figure


def colour(direction_rad: Floats, share: Floats) -> Floats:
    """RGB (…, 3) of directions, and of speeds as shares of the highest."""
    hue = direction_rad + _HUE_RIGHT
    lab = np.stack([np.full_like(hue, _LIGHTNESS), _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])
    linear = np.moveaxis(lab, 0, -1) @ _OKLAB_TO_LMS.T
    linear = np.clip((linear**3) @ _LMS_TO_RGB.T, 0, 1)
    rgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return rgb * (_DARKEST + (1 - _DARKEST) * share)[..., None]


def _highest(values: Floats, crossed: NDArray[np.bool_]) -> float:
    return float(np.quantile(values[crossed], HIGHEST)) if crossed.any() else 1.0


def _draw(axes: Axes, image: Floats, grids: Grids) -> AxesImage:
    left, right, top, bottom = grids.extent_mm
    axes.grid(False)
    axes.set_facecolor("black")
    return axes.imshow(image, extent=(left, right, bottom, top), interpolation="nearest")


def _wheel(axes: Axes) -> None:
    """Show which hue is which direction, in the upper right corner."""
    inset = axes.inset_axes((0.8, 0.84, 0.18, 0.14))
    across, down = np.meshgrid(*2 * [np.linspace(-1, 1, 101)])
    radius = np.hypot(across, down)
    alpha = (radius <= 1) & (radius > 0.45)
    rgba = np.dstack([colour(np.arctan2(down, across), np.ones_like(radius)), alpha])
    inset.imshow(rgba, interpolation="bilinear")
    inset.axis("off")
