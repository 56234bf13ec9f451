"""Short lines, of which a network finds the bubbles in a moment."""

import numpy as np
import pytest

from bubbleloc.arrays import Float32s
from bubbleloc.physics import Setup, draw_scene, simulate_rf

SHORT = Setup(depth_m=0.02)  # 1690 samples


@pytest.fixture(scope="session")
def short_lines() -> Float32s:
    """Eight lines of 10 to 40 bubbles each, (8, 1690)."""
    rng = np.random.default_rng(5)
    scenes = [draw_scene(rng, count=(10, 40), depth_m=SHORT.depth_m) for _ in range(8)]
    return np.stack([simulate_rf(scene, SHORT).volts for scene in scenes])
