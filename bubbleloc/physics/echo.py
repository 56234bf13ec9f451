"""From the sound at a bubble to the record of a receiver."""

from functools import lru_cache

import numpy as np
from numba import njit
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.physics.bubble import REFERENCE_DISTANCE_M
from bubbleloc.physics.propagation import attenuation_np_m, padded_length
from bubbleloc.physics.setup import Setup


def arrival_time_s(
    depth_m: Floats, lateral_m: Floats, setup: Setup, receiver_m: float = 0.0
) -> Floats:
    """Time of flight (B,): down to the bubble as a plane wave, back along a straight line."""
    return (depth_m + _distance_m(depth_m, lateral_m, receiver_m)) / (
        setup.medium.speed_of_sound_m_s
    )


def add_echoes(
    record_pa: Floats,
    scattered_pa: Floats,
    depth_m: Floats,
    lateral_m: Floats,
    setup: Setup,
) -> None:
    """Add the echoes of bubbles (B,) to ``record_pa`` (elements, record_samples).

    ``scattered_pa`` (B, M) is the sound at 1 mm from each. An echo spreads as 1/r, is attenuated
    over the whole r (as published, r₀ not taken off), and arrives after (z + r)/c.
    """
    length, rate_hz = padded_length(setup), setup.simulation_rate_hz
    alpha = attenuation_np_m(setup.medium, fft.rfftfreq(length, 1 / rate_hz))
    spectrum = fft.rfft(scattered_pa, length)
    receivers_m = setup.probe.element_positions_m(setup.elements)
    for line, receiver_m in zip(record_pa, receivers_m, strict=True):
        distance = _distance_m(depth_m, lateral_m, receiver_m)[:, None]
        # A bubble on the receiver itself would be infinitely loud; r₀ is as near as p_s holds.
        distance = np.maximum(distance, REFERENCE_DISTANCE_M)
        loss = np.exp(-alpha * distance) * (REFERENCE_DISTANCE_M / distance)
        echoes = fft.irfft(spectrum * loss, length)[:, : setup.window_samples]
        start = arrival_time_s(depth_m, lateral_m, setup, receiver_m) * rate_hz
        _add_delayed(echoes, start, line)


def receive(record_pa: Floats, setup: Setup) -> Floats:
    """Volts (receivers, samples): the receive response, then decimation, see `Setup.decimated`.

    As published the response is circular over the record.
    """
    spectrum = fft.rfft(record_pa) * _receive_response(setup)
    return setup.decimated(fft.irfft(spectrum, setup.record_samples))


@lru_cache(maxsize=8)
def _receive_response(setup: Setup) -> Complexes:
    """H at the frequencies of a whole record, (record_samples // 2 + 1,)."""
    frequency_hz = fft.rfftfreq(setup.record_samples, 1 / setup.simulation_rate_hz)
    return setup.probe.receive(frequency_hz)


def _distance_m(depth_m: Floats, lateral_m: Floats, receiver_m: float) -> Floats:
    return np.hypot(lateral_m - receiver_m, depth_m)


@njit(cache=True, nogil=True)
def _add_delayed(echoes, start, line):  # type: ignore[no-untyped-def]
    """Add echoes (B, M) to ``line``, ``start`` (B,) samples late, interpolated linearly."""
    bubbles, samples = echoes.shape
    for b in range(bubbles):
        first = int(np.ceil(start[b]))
        fraction = first - start[b]
        if fraction == 0.0 and first < line.shape[0]:
            line[first] += echoes[b, 0]
            first += 1
            fraction = 1.0
        for k in range(min(samples - 1, line.shape[0] - first)):
            line[first + k] += (1.0 - fraction) * echoes[b, k] + fraction * echoes[b, k + 1]
