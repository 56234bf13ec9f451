"""Image one acquisition of an array twice: its RF lines, and the same lines localized."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from bubbleloc.data.plan import plan_of
from bubbleloc.files import atomic, check_output
from bubbleloc.formats import Hints
from bubbleloc.imaging.acquisition import analytic, localized, recorded, simulated
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.imaging.figure import image_figure
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.physics import Scene, Setup, typical_lag_samples
from bubbleloc.physics.scale import Scale
from bubbleloc.report.figures.style import save_figure
from bubbleloc.report.tables import write_csv
from bubbleloc.training.runs import open_run, read_config

RAW, LOCALIZED = "RF lines", "localized lines"


@dataclass(frozen=True)
class Imaged:
    """The images of an acquisition.

    Attributes:
        lines: of the acquisition.
        pixels: height and width of the images.
        scale: of the lines.
        widths: medians over isolated bubbles, a row per image; None where bubbles are unknown.
    """

    lines: int
    pixels: tuple[int, int]
    scale: Scale
    folder: Path
    widths: pd.DataFrame | None


def image_array(
    run: str,
    output: str | Path,
    *,
    checkpoint: str = "best",
    input: str | None = None,
    aperture_mm: float = 28.0,
    elements: int = 96,
    count: int = 300,
    pressure_pa: float = 100e3,
    seed: int = 0,
    lateral_mm: tuple[float, float] = (-14.0, 14.0),
    depth_mm: tuple[float, float] = (10.0, 70.0),
    pixel_mm: float = 0.025,
    isolation_mm: float = 3.0,
    batch_size: int = 16,
    **hints: Unpack[Hints],
) -> Imaged:
    """Beamform the RF lines of an array and their localized lines by delay-and-sum.

    Writes ``image.png`` and ``.svg``, ``image.npz`` (both images (H, W), ``lateral_m`` (W,),
    ``depth_m`` (H,)) and, where the bubbles are known, ``widths.csv``, see `measure_widths`.

    Args:
        run: run directory, or ``bubbleloc:small``; simulated lines follow its physics.
        input, aperture_mm, hints: file of lines, see `recorded`; if None, `simulated` ones.
        lateral_mm, depth_mm, pixel_mm: region and pixels of the images.
        isolation_mm: distance to the nearest other bubble, above which widths are measured.

    Raises:
        InputError: files or settings that do not fit.
    """
    folder = Path(output)
    check_output(folder / "image.npz")
    grid = Grid.covering(_metres(lateral_mm), _metres(depth_mm), 1e-3 * pixel_mm)
    trained, plan = open_run(run, checkpoint), plan_of(read_config(Path(run))["data"])
    setup = _at_scale(plan.setup(), trained.card.scale)
    bubbles = None
    if input is None:
        rf, bubbles = simulated(setup, plan.bubbles, elements, count, pressure_pa, seed)
    else:
        rf = recorded(Path(input), trained.card.scale, 1e-3 * aperture_mm, **hints)
    lag_samples = typical_lag_samples(np.random.default_rng(plan.seed), plan.bubbles, setup)
    lines = {
        RAW: analytic(rf, lag_samples),
        LOCALIZED: localized(rf, trained.network, batch_size),
    }
    widths = _write(lines, bubbles, grid, 1e-3 * isolation_mm, folder)
    pixels = len(grid.depth_m), len(grid.lateral_m)
    return Imaged(len(rf.signal), pixels, rf.scale, folder, widths)


def _at_scale(setup: Setup, scale: Scale) -> Setup:
    """Return a setup whose lines are like those that a network was trained on, if imported ones."""
    medium = replace(setup.medium, speed_of_sound_m_s=scale.speed_of_sound_m_s)
    return replace(setup, sampling_rate_hz=scale.sampling_rate_hz, medium=medium)


def _metres(range_mm: tuple[float, float]) -> tuple[float, float]:
    return 1e-3 * range_mm[0], 1e-3 * range_mm[1]


def _write(
    lines: Mapping[str, ArrayLines],
    bubbles: Scene | None,
    grid: Grid,
    isolation_m: float,
    folder: Path,
) -> pd.DataFrame | None:
    """Write figure, images and, of known bubbles, widths; return the medians of the widths."""
    rf, sharp = lines[RAW].image(grid), lines[LOCALIZED].image(grid)
    save_figure(image_figure(rf, sharp, grid, bubbles), folder, "image")
    with atomic(folder / "image.npz") as path:
        across, down = grid.lateral_m, grid.depth_m
        np.savez(path, rf=rf, localized=sharp, lateral_m=across, depth_m=down)
    table = folder / "widths.csv"
    if bubbles is None:
        table.unlink(missing_ok=True)  # left by an image of other lines
        return None
    measured = measure_widths(lines, bubbles, grid, isolation_m)
    write_csv(measured, table)
    return summarize_widths(measured)
