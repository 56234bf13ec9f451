"""Pictures of what the settings of a dataset mean, before anything is simulated for hours."""

from pathlib import Path
from typing import Any

import numpy as np

from bubbleloc.data.plan import DatasetPlan
from bubbleloc.physics import Scene, Setup, bubble_response, draw_scene, simulate_rf
from bubbleloc.physics.scene import draw_radii
from bubbleloc.report.figures.physics import arrivals_figure, bubble_figure, pulse_figure
from bubbleloc.report.figures.style import save_figure

PRESSURE_PA = 100e3  # within the 5–250 kPa of the scenes, enough for a clear second harmonic
BUBBLES = 12  # few enough to see each echo
RADII = 1001  # to take the middle one of
LAGS = 31


def preview(plan: DatasetPlan) -> Path:
    """Draw pulse, one bubble and a sparse RF line of a dataset's settings; return the folder.

    The bubble is of the plan's median radius, at half the depth of the record.

    Raises:
        InputError: settings that make no sense.
    """
    setup, folder = plan.setup(), Path(plan.folder) / "preview"
    rng = np.random.default_rng(plan.seed)
    radius_m = float(np.median(draw_radii(rng, plan.bubbles, RADII)))
    depth_m = setup.depth_m / 2
    where = f"{_shell_words(setup)}, {1e-3 * PRESSURE_PA:.0f} kPa"
    one = f"{1e6 * radius_m:.2g} µm, {where}, {1e3 * depth_m:.0f} mm deep"
    bubble = bubble_response(radius_m, depth_m, PRESSURE_PA, setup)
    alone = Scene(np.array([depth_m]), np.zeros(1), np.array([radius_m]), PRESSURE_PA)
    few = _scene(rng, plan, setup, BUBBLES, pressure_pa=(PRESSURE_PA, PRESSURE_PA))
    line, lag = simulate_rf(few, setup), typical_lag_samples(rng, plan, setup)
    figures = {
        "pulse": pulse_figure(setup, PRESSURE_PA, depth_m),
        "bubble": bubble_figure(one, bubble, simulate_rf(alone, setup), setup),
        "rf_line": arrivals_figure(f"{BUBBLES} bubbles, {where}", line, lag, setup),
    }
    for name, figure in figures.items():
        save_figure(figure, folder, name)
    return folder


def typical_lag_samples(rng: np.random.Generator, plan: DatasetPlan, setup: Setup) -> float:
    """Return the samples from an echo's arrival to its peak, the median of bubbles like the plan's.

    Which swing of an echo is the loudest changes with radius and pressure, hence the median.
    """
    lags = []
    for _ in range(LAGS):
        alone = simulate_rf(_scene(rng, plan, setup, 1), setup)
        lags.append(np.abs(alone.volts).argmax() - alone.arrival_sample[0])
    return float(np.median(lags))


def _scene(
    rng: np.random.Generator, plan: DatasetPlan, setup: Setup, count: int, **other: Any
) -> Scene:
    """Draw a scene like those of the dataset, of ``count`` bubbles."""
    depth_m, width_m = setup.depth_m, setup.transducer.aperture_m
    shape: dict[str, Any] = {"count": (count, count), "depth_m": depth_m, "width_m": width_m}
    return draw_scene(rng, plan.bubbles, **shape, **other)


def _shell_words(setup: Setup) -> str:
    return "no shell" if setup.shell == "none" else f"{str(setup.shell).capitalize()} shell"
