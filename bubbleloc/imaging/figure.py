"""Images of an array side by side, whole and where bubbles crowd."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from bubbleloc.arrays import Float32s
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.physics import Scene
from bubbleloc.report.figures.style import COLUMN_INCHES, house_style, new_figure

Position = tuple[float, float]  # lateral, depth in m
Extent = tuple[float, float, float, float]  # left, right, deepest, shallowest in mm

FLOOR_DB = -40.0
PART_M = 6e-3  # side of the square that is shown enlarged
SHOWN_PIXELS = 190  # across an image of RF lines: what print can show
SHOWN_BUBBLES = 100  # across an image of localized lines, so that a bubble is a spot in print
_MARK = "#56c1ff"


@house_style
def image_figure(
    echoes: Float32s, localized: Float32s, grid: Grid, bubbles: Scene | None = None
) -> Figure:
    """Two images (H, W): of RF lines in dB, of localized lines as it is; whole, and a part.

    The part is where most bubbles are, which are marked, or around the brightest pixel of the
    localized lines where they are not known.
    """
    figure, panels = _panels(localized.shape[0] / localized.shape[1])
    tiny = np.finfo(np.float32).tiny
    level_db = 20 * np.log10(np.maximum(echoes / max(echoes.max(), tiny), 1e-6))
    share = localized / max(localized.max(), tiny)
    part = _part(_busiest_position(localized, grid, bubbles), grid)
    in_db, in_shares = Normalize(FLOOR_DB, 0), Normalize(0, 1)
    for whole, enlarged, image, name, label, levels, pixels in (
        ("a", "c", level_db, "RF lines", "level (dB)", in_db, SHOWN_PIXELS),
        ("b", "d", share, "localized lines", "share of the maximum", in_shares, SHOWN_BUBBLES),
    ):
        shown = _draw(panels[whole], _brightest(image, pixels), _extent(grid), levels)
        panels[whole].set(title=name, xlabel="lateral (mm)", ylabel="depth (mm)")
        figure.colorbar(shown, ax=panels[whole], location="bottom", label=label, aspect=18)
        columns, rows = part
        inside = Grid(grid.lateral_m[columns], grid.depth_m[rows])
        enlargement = _brightest(image[rows, columns], pixels)
        _draw(panels[enlarged], enlargement, _extent(inside), levels)
        panels[enlarged].set(title=f"{name}, framed part", ylabel="depth (mm)")
        left, right, deepest, shallowest = _extent(inside)
        size = right - left, deepest - shallowest
        frame = Rectangle((left, shallowest), *size, fill=False, edgecolor=_MARK)
        panels[whole].add_patch(frame)
        if bubbles is not None:
            _mark(panels[enlarged], bubbles, _extent(inside))
    panels["d"].set_xlabel("lateral (mm)")
    if bubbles is not None:
        figure.legend(*panels["d"].get_legend_handles_labels(), loc="lower right")
    return figure


def _panels(height_per_width: float) -> tuple[Figure, dict[str, Axes]]:
    """Axes of the whole images (a, b) and their parts (c, d); wide images lie in two rows."""
    side_by_side = height_per_width > 1
    mosaic = "abc;abd" if side_by_side else "ac;bd"
    height = float(np.clip(1.9 * height_per_width + 1.2, 4.0, 8.0)) if side_by_side else 5.3
    figure = new_figure(width=2 * COLUMN_INCHES, height=height)
    figure.set_layout_engine("compressed")  # constrained, for axes of fixed aspect
    return figure, figure.subplot_mosaic(mosaic)


def _busiest_position(localized: Float32s, grid: Grid, bubbles: Scene | None) -> Position:
    """The bubble with most others around it, or the brightest pixel."""
    if bubbles is not None:
        positions = np.column_stack([bubbles.lateral_m, bubbles.depth_m])
        ends = np.array([axis[[0, -1]] for axis in (grid.lateral_m, grid.depth_m)])
        inner = (positions > ends[:, 0] + PART_M / 2) & (positions < ends[:, 1] - PART_M / 2)
        positions = positions[inner.all(axis=1)]
        if len(positions):
            apart_m = np.abs(positions[:, None] - positions).max(axis=2)
            lateral_m, depth_m = positions[(apart_m < PART_M / 2).sum(axis=1).argmax()]
            return float(lateral_m), float(depth_m)
    row, column = np.unravel_index(localized.argmax(), localized.shape)
    return float(grid.lateral_m[column]), float(grid.depth_m[row])


def _part(centre: Position, grid: Grid) -> tuple[slice, slice]:
    """Columns and rows within half of `PART_M` from a position."""
    columns, rows = (
        slice(*np.searchsorted(axis, [middle - PART_M / 2, middle + PART_M / 2]))
        for axis, middle in zip((grid.lateral_m, grid.depth_m), centre, strict=True)
    )
    return columns, rows


def _brightest(image: Float32s, pixels: int) -> Float32s:
    """Maximum over squares, about `pixels` of them in a row, so that no thin bubble is lost."""
    size = max(1, round(image.shape[1] / pixels))
    for axis, length in enumerate(image.shape):
        image = np.maximum.reduceat(image, np.arange(0, length, size), axis=axis)
    return image


def _extent(grid: Grid) -> Extent:
    across, down = 1e3 * grid.lateral_m, 1e3 * grid.depth_m
    return float(across[0]), float(across[-1]), float(down[-1]), float(down[0])


def _draw(axes: Axes, image: Float32s, extent: Extent, levels: Normalize) -> AxesImage:
    axes.grid(False)
    return axes.imshow(image, extent=extent, cmap="magma", interpolation="nearest", norm=levels)


def _mark(axes: Axes, bubbles: Scene, extent: Extent) -> None:
    """Circle the bubbles inside an extent."""
    left, right, deepest, shallowest = extent
    x, z = 1e3 * bubbles.lateral_m, 1e3 * bubbles.depth_m
    inside = (x > left) & (x < right) & (z > shallowest) & (z < deepest)
    (circles,) = axes.plot(x[inside], z[inside], "o", color=_MARK, label="bubble")
    circles.set(markersize=9, markerfacecolor="none", markeredgewidth=0.7)
