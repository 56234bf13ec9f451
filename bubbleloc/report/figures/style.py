"""How every figure looks, and how it becomes a file.

Figures are plain :class:`matplotlib.figure.Figure` objects that pyplot never hears of, drawn under
temporary settings, so making one leaves a notebook's own style and open figures alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bubbleloc.files import atomic
from bubbleloc.physics.scale import Scale

P = ParamSpec("P")

# tolerances and run names are categories on purpose, also where they look like numbers
logging.getLogger("matplotlib.category").setLevel(logging.WARNING)

COLUMN_INCHES = 3.5
"""Width of one journal column."""

# Okabe–Ito colours: told apart under every common colour blindness
BLUE, ORANGE, GREEN, RED, INK, MUTED = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#1a1a1a",
    "#767676",
)

_SETTINGS: Any = {  # a plain dictionary; rc_context knows its keys by literal type
    **sns.axes_style("ticks"),
    **sns.plotting_context("paper"),
    "font.size": 8,
    "font.family": ["DejaVu Sans"],
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # the same figure gives the same SVG, with text that stays text
    "svg.hashsalt": "bubbleloc",
    "svg.fonttype": "none",
}


def house_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw a figure under the package's settings, and leave the caller's as they were."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(_SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float = COLUMN_INCHES, height: float = 2.6) -> Figure:
    """Return an empty figure of this size in inches whose parts arrange themselves."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `figure` as ``name.png`` (300 dpi) and ``name.svg``, each whole or not at all."""
    return [save_picture(figure, folder / f"{name}.{kind}") for kind in ("png", "svg")]


def save_picture(figure: Figure, path: Path) -> Path:
    """Write `figure` as the PNG (300 dpi) or SVG file `path`, whole or not at all."""
    kind = path.suffix[1:]
    metadata = {"png": {"Software": None}, "svg": {"Date": None}}[kind]
    with mpl.rc_context(_SETTINGS), atomic(path) as unfinished:
        figure.savefig(unfinished, format=kind, dpi=300, metadata=metadata)
    return path


def label_tolerances(axes: Axes, tolerances: Sequence[int], scale: Scale) -> None:
    """Name categorical tolerances in samples below the axes and in µm of depth above."""
    places = range(len(tolerances))
    axes.set_xticks(places, [str(tolerance) for tolerance in tolerances])
    axes.set_xlabel("tolerance (samples)")
    depth = axes.secondary_xaxis("top")
    depth.set_xticks(places, [f"{scale.um_per_sample * t:.0f}" for t in tolerances])
    depth.set_xlabel(f"tolerance in depth (µm{_wavelength_note(scale)})")
    depth.tick_params(length=0)
    depth.spines["top"].set_visible(False)


def tolerance_words(tolerance: int, scale: Scale) -> str:
    """Return a tolerance as figures state it, ``±4 samples (47 µm)``."""
    return f"±{tolerance} samples ({scale.um_per_sample * tolerance:.0f} µm)"


def _wavelength_note(scale: Scale) -> str:
    known = scale.frequency_hz is not None
    return f", λ = {scale.um_per_sample / scale.wavelengths_per_sample:.0f} µm" if known else ""
