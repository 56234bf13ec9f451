"""RF lines of all elements of an array at once: each bubble is computed once, and heard by all."""

from math import ceil, cos, floor, sin, tan

import numpy as np

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.physics.bubble import REFERENCE_DISTANCE_M, respond, warn_large
from bubbleloc.physics.reception import received
from bubbleloc.physics.scene import Scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.simulator import batches


def simulate_frame(
    scene: Scene,
    setup: Setup,
    *,
    angle_rad: float = 0.0,
    window: tuple[int, int] | None = None,
    directivity: bool = False,
) -> Float32s:
    """RF lines (elements, samples) in volts of a scene after one plane wave.

    Equal to `simulate_rf` but for 1e-5 of relative L2, if the wave goes straight down. The wave
    leaves x = 0 at time 0 and reaches (x, z) at (x·sin θ + z·cos θ)/c, after a way of z/cos θ in
    the medium.

    Args:
        angle_rad: θ of the wave, towards +x.
        window: samples of a line to compute, the first and the one after the last; None for all.
        directivity: whether elements hear less from aside, see `heard`.
    """
    warn_large(scene.radius_m)
    first, stop = (0, setup.samples) if window is None else window
    lines = np.zeros((setup.elements, stop - first), dtype=np.float32)
    way_m = scene.depth_m / cos(angle_rad)
    distance_m, gain = paths(scene.lateral_m, scene.depth_m, setup, directivity)
    start = arrival_samples(scene.lateral_m, scene.depth_m, setup, angle_rad).T - first
    for batch in batches(len(scene), setup):
        pressure = np.full(len(way_m[batch]), scene.pressure_pa)
        sound_pa = respond(scene.radius_m[batch], way_m[batch], pressure, setup).scattered_pa
        far_m = distance_m[batch]
        echoes = received(sound_pa, far_m.min(axis=1), far_m.max(axis=1), setup)
        echoes.add_to(lines, np.arange(len(far_m)), far_m, gain[batch], start[batch])
    return lines


def arrival_samples(
    lateral_m: Floats, depth_m: Floats, setup: Setup, angle_rad: float = 0.0
) -> Floats:
    """Samples (elements, B), not rounded, at which echoes from (x, z) arrive after a plane wave."""
    receivers_m = setup.probe.element_positions_m(setup.elements)[:, None]
    sent_m = lateral_m * sin(angle_rad) + depth_m * cos(angle_rad)
    path_m = sent_m + np.hypot(lateral_m - receivers_m, depth_m)
    return np.asarray(path_m * setup.sampling_rate_hz / setup.medium.speed_of_sound_m_s)


def echo_window(
    lateral_m: tuple[float, float],
    depth_m: tuple[float, float],
    setup: Setup,
    angle_rad: float = 0.0,
) -> tuple[int, int]:
    """First sample, and the one after the last, that echoes from a rectangle can reach."""
    (left, right), (top, bottom) = lateral_m, depth_m
    # The way is convex in x and rises with z: least at the top, where no element hears sooner.
    receivers_m = setup.probe.element_positions_m(setup.elements)
    soonest_m = np.clip(receivers_m - top * tan(angle_rad), left, right)
    first = arrival_samples(soonest_m, np.full(1, top), setup, angle_rad).min()
    last = arrival_samples(np.array([left, right]), np.full(2, bottom), setup, angle_rad).max()
    ringing = setup.window_samples / setup.oversampling
    return max(0, floor(first)), ceil(last + ringing)


def paths(
    lateral_m: Floats, depth_m: Floats, setup: Setup, directivity: bool
) -> tuple[Floats, Floats]:
    """Distances (B, elements) in m from points to elements, and how loud sounds of 1 mm arrive."""
    aside_m = lateral_m[:, None] - setup.probe.element_positions_m(setup.elements)
    # A source on an element itself would be infinitely loud; 1 mm is as near as its sound holds.
    distance_m = np.maximum(np.hypot(aside_m, depth_m[:, None]), REFERENCE_DISTANCE_M)
    gain = REFERENCE_DISTANCE_M / distance_m
    if directivity:
        gain *= heard(aside_m, depth_m[:, None], setup)
    return distance_m, gain


def heard(aside_m: Floats, depth_m: Floats, setup: Setup) -> Floats:
    """What an element as wide as its pitch receives from a point, 1 from straight below.

    A strip in a soft baffle at the carrier: cos φ · sin(u)/u, u = π·w·sin φ/λ (Selfridge, Kino and
    Khuri-Yakub, Appl. Phys. Lett. 37, 1980).
    """
    distance_m = np.hypot(aside_m, depth_m)
    width_m = setup.probe.aperture_m / setup.elements
    per_wavelength = width_m * setup.carrier_hz / setup.medium.speed_of_sound_m_s
    sine, cosine = aside_m / distance_m, depth_m / distance_m
    return np.asarray(cosine * np.sinc(per_wavelength * sine))
