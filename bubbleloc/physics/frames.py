"""RF lines of all elements of an array at once: each bubble is computed once, and heard by all.

`simulate_rf` computes an echo for every bubble and element. Here the receive response is applied
to the echo of a bubble, not to the record, and attenuation at three distances, between which that
of every element is interpolated. What is left per element is to add a few hundred samples.
"""

from functools import lru_cache
from math import ceil, cos, floor, sin, tan
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from bubbleloc.arrays import Complexes, Float32s, Floats
from bubbleloc.physics.bubble import REFERENCE_DISTANCE_M, respond, warn_large
from bubbleloc.physics.propagation import attenuation_np_m
from bubbleloc.physics.scene import Scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.simulator import batches

NODES = 3  # distances at which the attenuation of an echo is computed
LEFT_OUT = 1e-10  # of the energy of the receiver's impulse response, at either end
LONGEST_RESPONSE_S = 130e-6


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
    receivers_m = setup.probe.element_positions_m(setup.elements)
    aside_m = scene.lateral_m[:, None] - receivers_m  # (B, elements)
    distance_m = np.hypot(aside_m, scene.depth_m[:, None])
    start = arrival_samples(scene.lateral_m, scene.depth_m, setup, angle_rad) - first
    gain = heard(aside_m, scene.depth_m[:, None], setup) if directivity else np.ones_like(aside_m)
    for batch in batches(len(scene), setup):
        pressure = np.full(len(way_m[batch]), scene.pressure_pa)
        response = respond(scene.radius_m[batch], way_m[batch], pressure, setup)
        distance = np.maximum(distance_m[batch], REFERENCE_DISTANCE_M)
        add_received(lines, response.scattered_pa, distance, gain[batch], start.T[batch], setup)
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


def add_received(
    lines: Float32s,
    scattered_pa: Floats,
    distance_m: Floats,
    gain: Floats,
    start: Floats,
    setup: Setup,
) -> None:
    """Add the echoes of bubbles (B,) to ``lines`` (elements, n) in volts.

    Args:
        scattered_pa: sound (B, M) at 1 mm from each.
        distance_m: from bubbles to elements (B, elements), at least 1 mm.
        gain: of the elements towards the bubbles (B, elements).
        start: arrivals (B, elements) in samples of ``lines``.
    """
    receiver = _receiver(setup)
    nearest, farthest = distance_m.min(axis=1), distance_m.max(axis=1)
    middle, half = (nearest + farthest) / 2, np.maximum((farthest - nearest) / 2, 1e-9)
    nodes_m = middle[:, None] + half[:, None] * np.array([-1.0, 0.0, 1.0])
    spectrum = fft.rfft(scattered_pa.astype(np.float32), receiver.length) * receiver.spectrum
    loss = np.exp(-receiver.alpha * nodes_m[..., None].astype(np.float32))
    echoes = fft.irfft(spectrum[:, None] * loss, receiver.length)  # (B, NODES, length)
    place = ((distance_m - middle[:, None]) / half[:, None])[..., None]
    lagrange = np.concatenate(
        [place * (place - 1) / 2, 1 - place**2, place * (place + 1) / 2], axis=-1
    )
    weight = lagrange * (gain * REFERENCE_DISTANCE_M / distance_m)[..., None]
    delay = start * setup.oversampling - receiver.lead
    _add(lines, _phases(echoes, setup.oversampling), weight.astype(np.float32), delay)


class _Receiver(NamedTuple):
    """What turns the sound of a bubble into volts, by FFTs of ``length`` simulated samples.

    Attributes:
        spectrum: receive response and filter before decimation (length // 2 + 1,), which delay
            what they receive by ``lead`` samples more.
        alpha: attenuation in Np/m at the same frequencies.
    """

    length: int
    lead: int
    spectrum: NDArray[np.complex64]
    alpha: Float32s


@lru_cache(maxsize=8)
def _receiver(setup: Setup) -> _Receiver:
    """The receiver of a setup; as short as its impulse response allows."""
    rate_hz = setup.simulation_rate_hz
    long = fft.next_fast_len(round(LONGEST_RESPONSE_S * rate_hz) + setup.window_samples, real=True)
    impulse = fft.irfft(_response(setup, long), long)
    energy = np.cumsum(np.square(np.roll(impulse, long // 2)))
    kept = np.flatnonzero((energy > LEFT_OUT * energy[-1]) & (energy < (1 - LEFT_OUT) * energy[-1]))
    lead, tail = max(0, long // 2 - int(kept[0])), max(0, int(kept[-1]) + 2 - long // 2)
    length = int(fft.next_fast_len(lead + setup.window_samples + tail, real=True))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    later = np.exp(-2j * np.pi * frequency_hz * lead / rate_hz)
    alpha = attenuation_np_m(setup.medium, frequency_hz)
    spectrum = (_response(setup, length) * later).astype(np.complex64)
    return _Receiver(length, lead, spectrum, alpha.astype(np.float32))


def _response(setup: Setup, length: int) -> Complexes:
    """Receive response and the filter before decimation (length // 2 + 1,), without delay."""
    response = setup.probe.receive(fft.rfftfreq(length, 1 / setup.simulation_rate_hz))
    if setup.anti_alias is None:
        return response
    taps = np.zeros(length)
    taps[: len(setup.anti_alias)] = setup.anti_alias
    return response * fft.rfft(np.roll(taps, -(len(setup.anti_alias) // 2)))


def _phases(echoes: Float32s, oversampling: int) -> Float32s:
    """Samples of echoes (B, NODES, n) in rows of every ``oversampling``-th, (B, rows, NODES, m).

    One row more than there are phases: the last is the first, a sample on.
    """
    bubbles, nodes, samples = echoes.shape
    columns = -(-samples // oversampling) + 1
    padded = np.zeros((bubbles, nodes, columns * oversampling), dtype=np.float32)
    padded[..., :samples] = echoes
    rows = np.moveaxis(padded.reshape(bubbles, nodes, columns, oversampling), 3, 1)
    after = np.zeros((bubbles, 1, nodes, columns), dtype=np.float32)
    after[:, 0, :, :-1] = rows[:, 0, :, 1:]
    return np.concatenate([rows, after], axis=1)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"})
def _add(lines, rows, weight, delay):  # type: ignore[no-untyped-def]
    """Add echoes, their nodes weighted (B, E, NODES), delayed by simulated samples (B, E).

    Between simulated samples they are interpolated linearly, as in `simulate_rf`.
    """
    bubbles, phases, _, columns = rows.shape
    phases -= 1
    elements, samples = lines.shape
    for b in range(bubbles):
        for e in range(elements):
            first = int(np.ceil(delay[b, e] / phases))
            place = first * phases - delay[b, e]
            phase = int(place)
            part = np.float32(place - phase)
            if phase >= phases:  # by round-off
                first, phase, part = first - 1, phases - 1, np.float32(1.0)
            begin, end = max(0, -first), min(columns, samples - first)
            if begin >= end:
                continue
            line = lines[e, first + begin : first + end]
            one0, two0 = rows[b, phase, 0, begin:end], rows[b, phase + 1, 0, begin:end]
            one1, two1 = rows[b, phase, 1, begin:end], rows[b, phase + 1, 1, begin:end]
            one2, two2 = rows[b, phase, 2, begin:end], rows[b, phase + 1, 2, begin:end]
            w0, w1, w2 = weight[b, e, 0], weight[b, e, 1], weight[b, e, 2]
            rest = np.float32(1.0) - part
            for k in range(len(line)):
                one = w0 * one0[k] + w1 * one1[k] + w2 * one2[k]
                two = w0 * two0[k] + w1 * two1[k] + w2 * two2[k]
                line[k] += rest * one + part * two
