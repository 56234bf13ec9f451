"""How exactly an arrival can be known at all: Cramér–Rao bounds of echoes in white noise.

A linear filter over echoes and noise together, such as the published low-pass, changes nothing of
it, as long as it lets through what an estimator needs (Kay, Fundamentals of Statistical Signal
Processing: Estimation Theory, 1993, chapter 3).
"""

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.physics.scene import Scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.simulator import simulate_rf


def single_echo(scene: Scene, place: int, setup: Setup) -> Floats:
    """Return the line (samples,) in volts of one bubble of a scene alone."""
    only = slice(place, place + 1)
    alone = Scene(
        scene.depth_m[only], scene.lateral_m[only], scene.radius_m[only], scene.pressure_pa
    )
    return simulate_rf(alone, setup).volts.astype(np.float64)


def arrival_bound(echo: Floats, noise_v: float, distance: float | None = None) -> float:
    """Return the least standard deviation of an unbiased arrival in samples.

    For an echo s(t − τ) of known shape and strength in white noise of standard deviation σ it is
    σ/√E with E = Σ s′². A second, equal echo ``distance`` samples away, whose arrival is unknown
    too, raises it to σ/√(E(1 − ρ²)), where ρ is the correlation of s′ with itself so far away.

    Args:
        echo: volts (L,).
        noise_v: σ before any filter.
        distance: to the nearest other echo; None for none.
    """
    frequency = 2 * np.pi * np.fft.rfftfreq(echo.size)  # radians per sample
    power = np.abs(frequency * np.fft.rfft(echo)) ** 2
    weight = np.full(power.size, 2.0)  # both signs of a frequency
    weight[0] = 1.0
    if echo.size % 2 == 0:
        weight[-1] = 1.0
    energy = float(weight @ power) / echo.size
    if distance is None:
        return noise_v / np.sqrt(energy)
    correlation = float(weight @ (power * np.cos(frequency * distance))) / echo.size / energy
    return noise_v / np.sqrt(energy * max(1 - correlation**2, 1e-12))
