"""The mean echo of a bubble: what methods look for in the lines of an array."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.array import Array
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.physics.scene import RadiusDistribution, draw_radii

BUBBLES = 61  # of which `simulated_echo` takes the mean
DISTANCE_M = 40e-3
FINER = 16  # steps per sample in which echoes are moved
WEAKEST = 0.4  # of the mean echo: bubbles that methods look for


@dataclass(frozen=True, eq=False)
class Echo:
    """The echo of a bubble straight below an element.

    Attributes:
        volts: (n,) at the rate of the lines, from the moment of the arrival on.
        distance_m: of that bubble; an echo from elsewhere is weaker by the ways' ratio.
        arrival_sigma: standard deviation in samples by which bubbles appear sooner or later, for
            their echoes are not the mean one.
    """

    volts: Floats
    distance_m: float = DISTANCE_M
    arrival_sigma: float = 0.0

    @property
    def centre(self) -> float:
        """Samples from its arrival to the centre of its energy."""
        return float(np.average(np.arange(len(self.volts)), weights=self.volts**2))


def compensated(rf: Float32s, array: Array, distance_m: float, first: int = 0) -> Float32s:
    """Return lines (E, L) in which echoes from any depth are as strong as from a distance.

    An echo fades with its way back, which is about half of its whole way: this is what a sample
    tells. Between elements at the two ends of an aperture, it is off by a few percent.

    Args:
        array: of the lines; that of later ones (`Echo.centre`) tells the way of the middle of an
            echo, not of its arrival.
        first: number of the first sample.
    """
    sample = first + np.arange(rf.shape[1]) - array.delay_samples
    half_way_m = np.maximum(sample, 0) / (2 * array.samples_per_m)
    return (rf * (half_way_m / distance_m)).astype(np.float32)


def lines_of(echo: Echo, array: Array, x_m: ArrayLike, z_m: ArrayLike, samples: int) -> Float32s:
    """Return the lines (E, samples) of bubbles (B,) that all have the mean echo."""
    arrivals = array.arrival_sample(x_m, z_m)
    half_way_m = (arrivals - array.delay_samples) / (2 * array.samples_per_m)
    length = fft.next_fast_len(samples + len(echo.volts), real=True)
    turns = np.exp(-2j * np.pi * fft.rfftfreq(length) * arrivals[..., None])
    spectra = (turns * (echo.distance_m / half_way_m)[..., None]).sum(axis=1)
    lines = fft.irfft(spectra * fft.rfft(echo.volts, length), length)
    return lines[:, :samples].astype(np.float32)


def simulated_echo(
    setup: Setup,
    bubbles: RadiusDistribution,
    pressure_pa: float,
    distance_m: float = DISTANCE_M,
    seed: int = 0,
) -> Echo:
    """Return the mean echo of single random bubbles at the depth of a whole sample.

    Args:
        bubbles: how radii are drawn, see `draw_scene`.
        pressure_pa: amplitude of the pulse at the transducer.
    """
    setup = replace(setup, elements=1)
    arrival = round(1e6 * distance_m / setup.scale.um_per_sample)
    depth_m = arrival * setup.scale.um_per_sample * 1e-6
    samples = -(-setup.window_samples // setup.oversampling)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    lines = [
        simulate_rf(Scene(np.array([depth_m]), np.zeros(1), radius_m, pressure_pa), setup).volts
        for radius_m in draw_radii(rng, bubbles, BUBBLES)[:, None]
    ]
    echoes = np.array(lines, np.float64)[:, arrival : arrival + samples]
    return Echo(echoes.mean(axis=0), depth_m, float(np.std(_delays(echoes))))


def _delays(echoes: Floats) -> Floats:
    """Samples (B,) by which echoes (B, n) are best moved to make them like their mean."""
    length = 2 * echoes.shape[1]
    spectra, mean = fft.rfft(echoes, length), fft.rfft(echoes.mean(axis=0), length)
    likeness = fft.fftshift(fft.irfft(spectra * np.conj(mean), FINER * length), axes=1)
    return np.asarray(likeness.argmax(axis=1) / FINER - length // 2)
