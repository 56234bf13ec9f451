"""One acquisition of an array, as an image of its RF lines and of what a network makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.data.plan import DatasetPlan, plan_of
from bubbleloc.files import atomic
from bubbleloc.imaging.acquisition import recorded, simulated
from bubbleloc.imaging.beamforming import Grid, Pixels
from bubbleloc.imaging.figure import image_figure
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.physics import typical_lag_samples
from bubbleloc.report.figures.style import save_figure
from bubbleloc.report.tables import write_csv
from bubbleloc.training.runs import open_run, read_config

RAW, LOCALIZED = "RF lines", "localized lines"


@dataclass(frozen=True)
class Imaged:
    """What was made.

    Attributes:
        lines: of the acquisition.
        pixels: height and width of the images.
        widths: medians over isolated bubbles, a row per image; None without a truth.
    """

    lines: int
    pixels: tuple[int, int]
    folder: Path
    widths: pd.DataFrame | None


def image_array(
    run: str,
    output: str | Path,
    *,
    checkpoint: str = "best",
    input: str | None = None,
    key: str | None = None,
    transpose: bool = False,
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
) -> Imaged:
    """Delay and sum the RF lines of an array, and the same lines after a network, to images.

    Writes ``image.png`` and ``.svg``, ``image.npz`` (both images (H, W), ``lateral_m`` (W,),
    ``depth_m`` (H,)) and, where the bubbles are known, ``widths.csv``, see `measure_widths`.

    Args:
        run: run directory, or ``bubbleloc:small``; simulated lines follow its physics.
        input, key, transpose, aperture_mm: lines of an array, see `recorded`; simulated if None.
        elements, count, pressure_pa, seed: of the simulation, see `simulated`.
        lateral_mm, depth_mm, pixel_mm: region and pixels of the images.
        isolation_mm: distance from all others of the bubbles whose widths are measured.

    Raises:
        InputError: files or settings that do not fit.
    """
    region = [(1e-3 * low, 1e-3 * high) for low, high in (lateral_mm, depth_mm)]
    grid = Grid.covering(region[0], region[1], 1e-3 * pixel_mm)
    trained, plan = open_run(run, checkpoint), plan_of(read_config(Path(run))["data"])
    if input is None:
        array = simulated(plan.setup(), plan.bubbles, elements, count, pressure_pa, seed)
    else:
        array = recorded(Path(input), key, transpose, 1e-3 * aperture_mm, trained.card.scale)
    lines = {
        RAW: array.echoes(_lag_samples(plan)),
        LOCALIZED: array.localized(trained.network, batch_size),
    }
    images = {name: line.image(grid) for name, line in lines.items()}
    folder = Path(output)
    save_figure(image_figure(images[RAW], images[LOCALIZED], grid, array.bubbles), folder, "image")
    _write_arrays(folder / "image.npz", images, grid)
    widths = None
    (folder / "widths.csv").unlink(missing_ok=True)  # of other lines
    if array.bubbles is not None:
        measured = measure_widths(lines, array.bubbles, grid, 1e-3 * isolation_mm)
        write_csv(measured, folder / "widths.csv")
        widths = summarize_widths(measured)
    pixels = len(grid.depth_m), len(grid.lateral_m)
    return Imaged(len(array.volts), pixels, folder, widths)


def _lag_samples(plan: DatasetPlan) -> float:
    """Samples from the arrival of an echo to its peak, for bubbles like those of a dataset."""
    return typical_lag_samples(np.random.default_rng(plan.seed), plan.bubbles, plan.setup())


def _write_arrays(path: Path, images: dict[str, Pixels], grid: Grid) -> None:
    with atomic(path) as unfinished:
        np.savez(
            unfinished,
            rf=images[RAW],
            localized=images[LOCALIZED],
            lateral_m=grid.lateral_m,
            depth_m=grid.depth_m,
        )
