"""Image one acquisition of an array twice: its RF lines, and the same lines localized."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.console.settings.using import Image
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.files import atomic, check_output
from bubbleloc.imaging.acquisition import analytic, localized, recorded, simulated
from bubbleloc.imaging.beamforming import ArrayLines, Grid
from bubbleloc.imaging.figure import image_figure
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Scene, Setup, typical_lag_samples
from bubbleloc.report.figures.style import save_figure
from bubbleloc.tables import write_csv
from bubbleloc.units import Scale

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


def image_array(settings: Image) -> Imaged:
    """Beamform the RF lines of an array and their localized lines by delay-and-sum.

    Writes ``image.png`` and ``.svg``, ``image.npz`` (both images (H, W), ``lateral_m`` (W,),
    ``depth_m`` (H,)) and, where the bubbles are known, ``widths.csv``, see `measure_widths`.
    Simulated lines follow the physics of the run.

    Raises:
        InputError: files or settings that do not fit.
    """
    folder = Path(settings.output)
    check_output(folder / "image.npz")
    lateral_m, depth_m = 1e-3 * np.array([settings.lateral_mm, settings.depth_mm])
    grid = Grid.covering(lateral_m, depth_m, 1e-3 * settings.pixel_mm)
    trained = open_run(settings.run, settings.checkpoint)
    plan = DatasetPlan(trained.config.data)
    setup = _at_scale(plan.setup(), trained.card.scale)
    if settings.input is None:
        rf, bubbles = simulated(setup, plan.settings.bubbles, settings)
    else:
        rf, bubbles = recorded(settings.input, trained.card.scale, settings), None
    data = plan.settings
    lag_samples = typical_lag_samples(np.random.default_rng(data.seed), data.bubbles, setup)
    lines = {
        RAW: analytic(rf, lag_samples),
        LOCALIZED: localized(rf, trained.network, settings.batch_size),
    }
    widths = _write(lines, bubbles, grid, 1e-3 * settings.isolation_mm, folder)
    pixels = len(grid.depth_m), len(grid.lateral_m)
    return Imaged(len(rf.signal), pixels, rf.scale, folder, widths)


def _at_scale(setup: Setup, scale: Scale) -> Setup:
    """Return a setup whose lines are like those that a network was trained on, if imported ones."""
    medium = replace(setup.medium, speed_of_sound_m_s=scale.speed_of_sound_m_s)
    return replace(setup, sampling_rate_hz=scale.sampling_rate_hz, medium=medium)


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
