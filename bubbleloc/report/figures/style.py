"""How every figure looks, and how it becomes a file.

Figures are plain :class:`matplotlib.figure.Figure` objects that pyplot never hears of, drawn under
temporary settings, so making one leaves a notebook's own style and open figures alone.
"""

import logging
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from bubbleloc.arrays import Floats
from bubbleloc.files import atomic
from bubbleloc.units import Scale

# tolerances and run names are categories on purpose, also where they look like numbers
logging.getLogger("matplotlib.category").setLevel(logging.WARNING)

COLUMN_INCHES = 3.5
"""Width of one journal column."""

# Okabe–Ito colours: told apart under every common colour blindness
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, MUTED = "#1a1a1a", "#767676"

house_style = matplotlib.style.context(Path(__file__).with_name("house.mplstyle"))
"""Decorates a function that draws: its figure has the package's look, other figures keep theirs."""


def new_figure(width: float = COLUMN_INCHES, height: float = 2.6) -> Figure:
    """Return an empty figure of this size in inches whose parts arrange themselves."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `figure` as ``name.png`` (300 dpi) and ``name.svg``, each whole or not at all."""
    return [save_picture(figure, folder / f"{name}.{kind}") for kind in ("png", "svg")]


@house_style
def save_picture(figure: Figure, path: Path) -> Path:
    """Write `figure` as the PNG (300 dpi) or SVG file `path`, whole or not at all."""
    metadata = {".png": {"Software": None}, ".svg": {"Date": None}}[path.suffix]
    with atomic(path) as unfinished:
        figure.savefig(unfinished, dpi=300, metadata=metadata)
    return path


def add_depth_axis(axes: Axes, per_sample: float, label: str) -> None:
    """Show depth, in the unit that `label` names, above an axis of samples."""

    def depth(sample: ArrayLike) -> Floats:
        return np.asarray(sample) * per_sample

    def sample(depth: ArrayLike) -> Floats:
        return np.asarray(depth) / per_sample

    axes.secondary_xaxis("top", functions=(depth, sample)).set_xlabel(label)


def tolerance_words(tolerance: int, scale: Scale) -> str:
    """Return a tolerance as figures state it, ``±4 samples (47 µm)``."""
    return f"±{tolerance} samples ({scale.um_per_sample * tolerance:.0f} µm)"
