"""Setups that no network is trained on: probes, pulses and sampling rates, and lines of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import butter, freqs

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.physics import P4_1, Scene, Setup, TabulatedResponse, Transducer, gaussian
from bubbleloc.physics.probe import GRID_HZ
from bubbleloc.physics.scene import MEAN_RADIUS_M, PRESSURE_PA, draw_radii
from bubbleloc.physics.simulator import arrival_sample, simulate_rf

DEPTH, MARGIN, WIDTH = 60.0, 4.25, 32.0  # of scenes, in wavelengths
COUNTS: Mapping[str, tuple[int, int]] = {"dense": (50, 400), "sparse": (1, 30)}  # bubbles of a line
LINES = 96  # of each kind
SPREAD = 0.05  # of the radii, over their mean
NOISE = 0.04  # over the root mean square of a line
SEED = 31


@dataclass(frozen=True)
class HeldOut:
    """A probe, a pulse, a sampling rate and bubbles.

    Attributes:
        transducer: a Transducer or the name of one.
        rates: samples per wavelength; the lines of all but the first are for one curve.
        radius_m: mean of the bubbles' radii.
    """

    transducer: Transducer | str
    frequency_hz: float
    cycles: float
    rates: tuple[float, ...]
    radius_m: float = MEAN_RADIUS_M

    def setup(self, rate: float) -> Setup:
        """Return the setup of lines of so many samples per wavelength."""
        return Setup(
            transducer=self.transducer,
            frequency_hz=self.frequency_hz,
            cycles=self.cycles,
            sampling_rate_hz=rate * self.frequency_hz,
            depth_m=DEPTH * self.wavelength_m,
        )

    @cached_property
    def wavelength_m(self) -> float:
        """Wavelength of the pulse in water."""
        return Setup().medium.speed_of_sound_m_s / self.frequency_hz


def of_edges(low_hz: float, high_hz: float) -> Transducer:
    """A probe of ``Trans.Bandwidth`` alone: Butterworth, 3 dB lower at both edges one way."""
    edges = 2 * np.pi * np.array([low_hz, high_hz])
    numerator, denominator = butter(2, edges, btype="bandpass", analog=True)
    _, value = freqs(numerator, denominator, 2 * np.pi * GRID_HZ)
    scale = np.abs(P4_1.receive(GRID_HZ)).max()
    transmit, receive = (TabulatedResponse(GRID_HZ, factor * value) for factor in (1.0, scale))
    return Transducer(transmit, receive, high_hz - low_hz, center_hz=(low_hz + high_hz) / 2)


SETUPS: Mapping[str, HeldOut] = {
    "P4-1": HeldOut(P4_1, 1.7e6, 1, (36.76,)),
    "P4-1 at 2.5 MHz": HeldOut(P4_1, 2.5e6, 3, (8,)),
    "2.5 MHz 60 %": HeldOut(gaussian(2.5e6, 0.6), 2.5e6, 1, (25,)),
    "P4-2v": HeldOut("p4-2v", 2.72e6, 1, (6,), 3e-6),
    "3.5 MHz 100 %": HeldOut(gaussian(3.5e6, 1.0), 3.5e6, 1, (18,)),
    "C5-2v by its edges": HeldOut(of_edges(2.15e6, 4.99e6), 3.57e6, 2, (10,), 3e-6),
    "5 MHz 45 %": HeldOut(gaussian(5e6, 0.45), 5e6, 3, (12.5,)),
    "5 MHz 60 %": HeldOut(gaussian(5e6, 0.6), 5e6, 2, (4, 6, 9, 18, 37)),
    "L7-4 by its edges": HeldOut(of_edges(4e6, 7e6), 5.208e6, 1, (6,), 1.6e-6),
    "GE9L-D": HeldOut("ge9l-d", 5.3e6, 3, (6,), 2e-6),
    "L11-4v": HeldOut("l11-4v", 6.25e6, 1, (4,)),
    "7 MHz 80 %": HeldOut(gaussian(7e6, 0.8), 7e6, 1.5, (9,)),
    "L11-5v": HeldOut("l11-5v", 7.6e6, 1, (4, 6, 9, 18, 37), 1.2e-6),
    "9 MHz 70 %": HeldOut(gaussian(9e6, 0.7), 9e6, 2, (6,), 1.2e-6),
}
"""By name; percentages are widths of each response at −6 dB."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Simulated lines with noise, (n, L) volts, and the arrivals of each, in samples."""

    volts: Float32s
    arrival_sample: list[Floats]


def simulate_lines(name: str, rate: float, kind: str, lines: int = LINES) -> Lines:
    """Simulate lines of a setup; ``kind`` is one of ``COUNTS``, or ``empty`` for noise alone.

    The scenes do not depend on the rate.
    """
    held, setup = SETUPS[name], SETUPS[name].setup(rate)
    volts, arrivals = np.zeros((lines, setup.samples), np.float32), []
    for number in range(lines):
        key = (list(SETUPS).index(name), [*COUNTS, "empty"].index(kind), number)
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
        level = 1.0
        if kind in COUNTS:
            scene = _scene(held, rng, COUNTS[kind])
            volts[number] = simulate_rf(scene, setup).volts
            arrivals.append(arrival_sample(scene.depth_m, scene.lateral_m, setup))
            level = NOISE * float(np.sqrt(np.square(volts[number]).mean()))
        volts[number] += level * rng.standard_normal(setup.samples, dtype=np.float32)
    return Lines(volts, arrivals or [np.zeros(0)] * lines)


def _scene(held: HeldOut, rng: np.random.Generator, counts: tuple[int, int]) -> Scene:
    """Draw a scene as published, with lengths in wavelengths of the pulse."""
    bubbles = int(rng.integers(counts[0], counts[1], endpoint=True))
    pressure_pa = rng.uniform(*PRESSURE_PA)
    depth_m = held.wavelength_m * rng.uniform(MARGIN, DEPTH - MARGIN, bubbles)
    lateral_m = held.wavelength_m * rng.uniform(-WIDTH / 2, WIDTH / 2, bubbles)
    radius_m = draw_radii(rng, (held.radius_m, SPREAD * held.radius_m), bubbles)
    return Scene(depth_m, lateral_m, radius_m, pressure_pa)
