"""Bubbles in a plane, frame by frame."""

import numpy as np

from bubbleloc.physics.scene import RadiusDistribution, Scene, draw_radii

UNIFORM = 10  # what randomness is for, in the keys of its seed


def uniform_scene(
    seed: int,
    index: int,
    density_mm2: float,
    lateral_m: tuple[float, float],
    depth_m: tuple[float, float],
    *,
    bubbles: RadiusDistribution = "monodisperse",
    pressure_pa: float = 100e3,
) -> Scene:
    """Draw frame ``index`` of bubbles anywhere in a rectangle; it depends on nothing else.

    Their number is the nearest to ``density_mm2``, bubbles per mm² of the rectangle. Radii are
    drawn as by `draw_scene`.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(UNIFORM, index)))
    area_mm2 = 1e6 * (lateral_m[1] - lateral_m[0]) * (depth_m[1] - depth_m[0])
    count = round(density_mm2 * area_mm2)
    depth, lateral = rng.uniform(*depth_m, count), rng.uniform(*lateral_m, count)
    return Scene(depth, lateral, draw_radii(rng, bubbles, count), pressure_pa)
