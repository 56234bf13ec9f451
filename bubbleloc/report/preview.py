"""Pictures of what the settings of a dataset mean, before anything is simulated for hours."""

from pathlib import Path

import numpy as np

from bubbleloc.data.plan import DatasetPlan
from bubbleloc.physics import (
    Scene,
    Setup,
    bubble_response,
    draw_scene,
    simulate_rf,
    typical_lag_samples,
)
from bubbleloc.physics.scene import draw_radii
from bubbleloc.report.figures.physics import arrivals_figure, bubble_figure, pulse_figure
from bubbleloc.report.figures.style import save_figure

PRESSURE_PA = 100e3  # within the 5–250 kPa of the scenes, enough for a clear second harmonic
BUBBLES = 12  # few enough to see each echo
RADII = 1001  # to take the middle one of


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
    few = draw_scene(
        rng,
        plan.bubbles,
        count=(BUBBLES, BUBBLES),
        pressure_pa=(PRESSURE_PA, PRESSURE_PA),
        depth_m=setup.depth_m,
        width_m=setup.transducer.aperture_m,
    )
    line, lag = simulate_rf(few, setup), typical_lag_samples(rng, plan.bubbles, setup)
    figures = {
        "pulse": pulse_figure(setup, PRESSURE_PA, depth_m),
        "bubble": bubble_figure(one, bubble, simulate_rf(alone, setup), setup),
        "rf_line": arrivals_figure(f"{BUBBLES} bubbles, {where}", line, lag, setup),
    }
    for name, figure in figures.items():
        save_figure(figure, folder, name)
    return folder


def _shell_words(setup: Setup) -> str:
    return "no shell" if setup.shell == "none" else f"{str(setup.shell).capitalize()} shell"
