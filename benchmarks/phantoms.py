"""Draw phantoms: vessels with the bubbles of one frame, and RF lines of an array above them.

    python benchmarks/phantoms.py

Draws ``docs/figures/phantoms.png``.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from bubbleloc.console.settings.mapping import Phantom
from bubbleloc.data.phantom import PhantomPlan
from bubbleloc.physics.flow import Carried
from bubbleloc.report.figures.style import house_style, new_figure, save_figure

SHOWN = {"pair": 20.0, "tree": 10.0, "crossing": 10.0}  # bubbles per mm² of the vessels
FASTEST_MM_S = 20


def draw_vessels(axes: Axes, plan: PhantomPlan, carried: Carried) -> PathCollection:
    """Draw walls, and bubbles by their speed."""
    for vessel in plan.vessels:
        for side in (-1, 1):
            x_m, z_m = vessel.at(vessel.swept_m2, np.full(len(vessel.x_m), float(side)))[0]
            axes.plot(1e3 * x_m, 1e3 * z_m, color="0.7", linewidth=0.5)
    axes.set(
        title=plan.settings.phantom,
        xlim=plan.settings.lateral_mm,
        ylim=plan.settings.depth_mm[::-1],
        aspect="equal",
        xlabel="lateral (mm)",
    )
    axes.grid(visible=False)
    speed_mm_s = 1e3 * np.hypot(carried.vx_m_s, carried.vz_m_s)
    x_mm, z_mm = 1e3 * carried.x_m, 1e3 * carried.z_m
    return axes.scatter(x_mm, z_mm, 1.5, speed_mm_s, vmin=0, vmax=FASTEST_MM_S, zorder=3)


def draw_lines(axes: Axes, plan: PhantomPlan, carried: Carried) -> None:
    """Draw the lines of a frame over their elements."""
    (lines,) = plan.lines(0, carried.scene(plan.settings.pressure_pa))
    first_us, stop_us = (1e6 * sample / plan.setup.sampling_rate_hz for sample in plan.window)
    most = np.abs(lines).max() / 2
    elements = plan.settings.elements
    extent = (0.5, elements + 0.5, stop_us, first_us)
    axes.imshow(lines, cmap="gray", vmin=-most, vmax=most, aspect="auto", extent=extent)
    axes.grid(visible=False)
    axes.set(title="RF lines of tree", xlabel="element", ylabel="time (µs)")


@house_style
def figure() -> Figure:
    """All phantoms, and the lines of one."""
    drawn = new_figure(7.0, 3.6)
    axes = drawn.subplots(1, 4)
    for part, (name, density) in zip(axes, SHOWN.items(), strict=False):
        plan = PhantomPlan(Phantom.of({"phantom": name, "density_mm2": density}))
        (carried,) = plan.bubbles([0], 1.0)
        points = draw_vessels(part, plan, carried)
        if name == "tree":
            draw_lines(axes[3], plan, carried)
    axes[0].set_ylabel("depth (mm)")
    drawn.colorbar(points, ax=axes[:3], label="speed (mm/s)", location="bottom", shrink=0.5)
    return drawn


if __name__ == "__main__":
    save_figure(figure(), Path("docs/figures"), "phantoms")
