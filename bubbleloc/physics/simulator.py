"""The whole chain: from a scene to an RF line."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.physics.bubble import respond, warn_large
from bubbleloc.physics.echo import add_echoes, arrival_time_s, receive
from bubbleloc.physics.integrator import LANES
from bubbleloc.physics.propagation import pressure_at
from bubbleloc.physics.scene import Bubbles, RadiusDistribution, Scene, draw_scene
from bubbleloc.physics.setup import Setup

# Samples of all bubbles simulated at a time: few enough that their arrays stay in the cache.
BATCH = 2**16
# Bubbles of which `typical_lag_samples` takes the median.
LAGS = 31


@dataclass(frozen=True, eq=False)
class RFLine:
    """What the transducer hands over, and the truth; with elements > 1 both gain a first axis."""

    volts: Float32s  # (samples,) or (elements, samples)
    arrival_sample: Floats  # (B,) or (elements, B), zero-based, not rounded
    sampling_rate_hz: float


@dataclass(frozen=True, eq=False)
class Signal:
    """An RF line of one element, (samples,) volts, and what made it.

    Attributes:
        bubbles: true bubbles of the line.
        pressure_pa: amplitude of the pulse at the transducer.
    """

    volts: Float32s
    bubbles: Bubbles
    pressure_pa: float


def simulate_rf(scene: Scene, setup: Setup | None = None) -> RFLine:
    """The RF line of a scene: pulse, propagation, bubbles, echoes, receive response.

    The result depends on the scene and the setup alone. Single-threaded and free of the GIL
    in its heavy parts: run one per worker.
    """
    setup = Setup() if setup is None else setup
    warn_large(scene.radius_m)
    record = np.zeros((setup.elements, setup.record_samples))
    for batch in batches(len(scene), setup):
        depth, lateral = scene.depth_m[batch], scene.lateral_m[batch]
        pressure = np.full(len(depth), scene.pressure_pa)
        response = respond(scene.radius_m[batch], depth, pressure, setup)
        add_echoes(record, response.scattered_pa, depth, lateral, setup)
    volts = receive(record, setup).astype(np.float32)
    arrivals = arrival_sample(scene.depth_m, scene.lateral_m, setup)
    late = np.count_nonzero(np.atleast_2d(arrivals).min(axis=0) >= setup.samples)
    if late:
        warnings.warn(
            f"{late} of {len(scene)} echoes arrive after the record, which ends at "
            f"{1e3 * setup.depth_m:g} mm: draw_scene(…, depth_m={setup.depth_m:g}) keeps bubbles "
            "inside",
            stacklevel=2,
        )
    return RFLine(volts[0] if setup.elements == 1 else volts, arrivals, setup.sampling_rate_hz)


def batches(bubbles: int, setup: Setup) -> Iterator[slice]:
    """Slices of bubbles that are simulated at a time, whole blocks of the integrator."""
    size = LANES * max(1, BATCH // (LANES * setup.window_samples))
    for first in range(0, bubbles, size):
        yield slice(first, first + size)


def arrival_sample(
    depth_m: npt.ArrayLike, lateral_m: npt.ArrayLike, setup: Setup | None = None
) -> Floats:
    """Sample (B,), zero-based and not rounded, at which an echo arrives: (z + r)/c · rate.

    The pure time of flight; the echo's peak comes later, see `typical_lag_samples`. With
    elements > 1, (elements, B).
    """
    setup = Setup() if setup is None else setup
    depth = np.asarray(depth_m, dtype=np.float64)
    lateral = np.asarray(lateral_m, dtype=np.float64)
    receivers_m = setup.probe.element_positions_m(setup.elements)
    rows = [arrival_time_s(depth, lateral, setup, receiver) for receiver in receivers_m]
    arrivals = np.stack(rows) * setup.sampling_rate_hz
    return arrivals[0] if setup.elements == 1 else arrivals


def true_bubbles(scene: Scene, setup: Setup) -> Bubbles:
    """Return the bubbles of a scene, with the samples at which their echoes reach one element."""
    arrivals = arrival_sample(scene.depth_m, scene.lateral_m, setup)
    return Bubbles(arrivals, scene.radius_m, scene.depth_m, scene.lateral_m)


def typical_lag_samples(
    rng: np.random.Generator, bubbles: RadiusDistribution, setup: Setup
) -> float:
    """Samples from an echo's arrival to its peak, the median over single random bubbles.

    Which swing of an echo is the loudest changes with radius and pressure, hence the median.

    Args:
        bubbles: how radii are drawn, see `draw_scene`.
    """
    lags = []
    for _ in range(LAGS):
        width_m = setup.probe.aperture_m
        scene = draw_scene(rng, bubbles, count=(1, 1), depth_m=setup.depth_m, width_m=width_m)
        if len(scene):
            line = simulate_rf(scene, setup)
            lags.append(np.abs(line.volts).argmax() - line.arrival_sample[0])
    return float(np.median(lags))


def max_pressure_field(pressure_pa: float, setup: Setup | None = None) -> Floats:
    """Peak pressure max|p| (samples,) in Pa at the depth of every RF sample, 0 to depth_m."""
    setup = Setup() if setup is None else setup
    step_m = setup.medium.speed_of_sound_m_s / (2 * setup.sampling_rate_hz)
    blocks = np.array_split(np.arange(setup.samples) * step_m, 16)
    return np.concatenate(
        [np.abs(pressure_at(block, pressure_pa, setup)).max(axis=1) for block in blocks]
    )
