"""Tissue: points that scatter the pulse as it comes, many per resolution cell, and move slowly."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.physics.frames import arrival_samples, paths
from bubbleloc.physics.pulse import unit_pulse
from bubbleloc.physics.reception import Echoes, received
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.vessels import Rectangle

TISSUE = 13  # what randomness is for, in the keys of its seed
PER_MM2 = 5  # a resolution cell is about 0.7 mm² at 40 mm
# Tissue swings once per second, as fast as 1 mm/s, by up to 0.16 mm. Its phase changes over
# 40 mm, so that it is stretched and sheared by up to 2.5 %.
SPEED_M_S, PERIOD_S, WAVE_M = 1e-3, 1.0, 40e-3
AT_A_TIME = 512  # scatterers, so that their distances stay in the cache
LEFT_OUT = 1e-6  # of the energy of the received pulse


@dataclass(frozen=True, eq=False)
class Tissue:
    """S scatterers at rest, and how strongly each of them scatters."""

    x_m: Floats
    z_m: Floats
    strength: Floats

    @classmethod
    def draw(cls, seed: int, region: Rectangle) -> "Tissue":
        """Scatterers anywhere in a rectangle, of normally distributed strength."""
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(TISSUE,)))
        lateral_m, depth_m = region
        area_mm2 = 1e6 * (lateral_m[1] - lateral_m[0]) * (depth_m[1] - depth_m[0])
        count = round(PER_MM2 * area_mm2)
        x_m, z_m = rng.uniform(*lateral_m, count), rng.uniform(*depth_m, count)
        return cls(x_m, z_m, rng.standard_normal(count))

    def at(self, time_s: float) -> "Tissue":
        """Return the tissue where it is at a time."""
        farthest_m = SPEED_M_S * PERIOD_S / (2 * pi)
        turn, around = 2 * pi * time_s / PERIOD_S, 2 * pi / WAVE_M
        down = farthest_m * np.sin(turn + around * self.x_m)
        aside = 0.5 * farthest_m * np.sin(turn + around * self.z_m)
        return Tissue(self.x_m + aside, self.z_m + down, self.strength)


def tissue_region(setup: Setup, window: tuple[int, int], angle_rad: float = 0.0) -> Rectangle:
    """Return all that a plane wave below the array meets and whose echoes reach a window.

    From z + √(z² + A²) = c·t of the first sample at the far end of the aperture A, to
    z·(1 + cos θ) = c·t of the last.
    """
    aperture_m = setup.probe.aperture_m
    early_m = aperture_m / 2 * abs(sin(angle_rad))
    per_sample_m = setup.medium.speed_of_sound_m_s / setup.sampling_rate_hz
    first_m = max(window[0] * per_sample_m - early_m, aperture_m)
    last_m = window[1] * per_sample_m + early_m
    top_m = (first_m**2 - aperture_m**2) / (2 * first_m)
    depths_m = (max(top_m, 2e-3), last_m / (1 + cos(angle_rad)))
    return (-aperture_m / 2, aperture_m / 2), depths_m


def simulate_clutter(
    tissue: Tissue,
    setup: Setup,
    *,
    angle_rad: float = 0.0,
    window: tuple[int, int],
    directivity: bool = False,
) -> Float32s:
    """RF lines (elements, samples) of scatterers, each as loud at 1 mm as 1 Pa in the pulse.

    The pulse is attenuated on its whole way, without the second harmonic that it grows.
    """
    first, stop = window
    lines = np.zeros((setup.elements, stop - first), dtype=np.float32)
    echo = _echo(tissue, setup, angle_rad)
    for begin in range(0, len(tissue.x_m), AT_A_TIME):
        some = slice(begin, begin + AT_A_TIME)
        x_m, z_m = tissue.x_m[some], tissue.z_m[some]
        distance_m, gain = paths(x_m, z_m, setup, directivity)
        gain *= tissue.strength[some, None]
        start = arrival_samples(x_m, z_m, setup, angle_rad).T - first
        way_m = distance_m + z_m[:, None] / cos(angle_rad)
        echo.add_to(lines, np.zeros(len(x_m), dtype=np.int64), way_m, gain, start)
    return lines


def _echo(tissue: Tissue, setup: Setup, angle_rad: float) -> Echoes:
    """Return the received pulse, as short as its energy allows."""
    sent_m = tissue.z_m / cos(angle_rad)
    back_m = np.hypot(setup.probe.aperture_m, tissue.z_m.max())
    nearest, farthest = np.array([2 * tissue.z_m.min()]), np.array([sent_m.max() + back_m])
    pressure, _ = unit_pulse(setup)
    echo = received(pressure[None], nearest, farthest, setup)
    energy = np.cumsum(np.square(echo.rows[0]).sum(axis=(0, 1), dtype=np.float64))
    columns = 2 + int(np.searchsorted(energy, (1 - LEFT_OUT) * energy[-1]))
    return echo._replace(rows=np.ascontiguousarray(echo.rows[..., :columns]))
