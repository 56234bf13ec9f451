"""Echoes as an array receives them: each is computed once, and added to the lines of all elements.

The receive response is applied to an echo, not to a record, and attenuation at three distances,
between which that of every element is interpolated. What is left per element is to add a few
hundred samples.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from bubbleloc.arrays import Complexes, Float32s, Floats, Ints
from bubbleloc.physics.propagation import attenuation_np_m
from bubbleloc.physics.setup import Setup

NODES = 3  # distances at which the attenuation of an echo is computed
LEFT_OUT = 1e-10  # of the energy of the receiver's impulse response, at either end
LONGEST_RESPONSE_S = 130e-6


class Echoes(NamedTuple):
    """Received echoes of B sources, without delay and spreading.

    Attributes:
        rows: their samples (B, oversampling + 1, NODES, m) in volts, in rows of every
            ``oversampling``-th. The last row is the first, a sample on.
        nodes_m: distances (B, NODES) after which they are attenuated like this, evenly spaced.
        lead: simulated samples in ``rows`` before an echo arrives.
    """

    rows: Float32s
    nodes_m: Floats
    lead: int

    def add_to(
        self, lines: Float32s, source: Ints, distance_m: Floats, gain: Floats, start: Floats
    ) -> None:
        """Add echoes (n, elements) to ``lines`` (elements, samples).

        Between simulated samples they are interpolated linearly, as in `simulate_rf`.

        Args:
            source: which of the B sources each of the n is.
            distance_m: way (n, elements) over which they were attenuated.
            gain: by which they are multiplied (n, elements).
            start: arrivals (n, elements) in samples of ``lines``.
        """
        oversampling = self.rows.shape[1] - 1
        middle_m, last_m = self.nodes_m[source, 1:].T[..., None]
        place = (distance_m - middle_m) / (last_m - middle_m)
        parts = [place * (place - 1) / 2, 1 - place**2, place * (place + 1) / 2]
        weight = (np.stack(parts, axis=-1) * gain[..., None]).astype(np.float32)
        _add(lines, self.rows, source, weight, start * oversampling - self.lead)


def received(sound_pa: Floats, nearest_m: Floats, farthest_m: Floats, setup: Setup) -> Echoes:
    """Return what elements receive of sounds (B, M), as attenuated between two distances (B,)."""
    receiver = _receiver(setup)
    half_m = np.maximum((farthest_m - nearest_m) / 2, 1e-9)
    nodes_m = ((nearest_m + farthest_m) / 2)[:, None] + half_m[:, None] * np.array([-1.0, 0.0, 1.0])
    spectrum = fft.rfft(sound_pa.astype(np.float32), receiver.length) * receiver.spectrum
    loss = np.exp(-receiver.alpha * nodes_m[..., None].astype(np.float32))
    echoes = fft.irfft(spectrum[:, None] * loss, receiver.length)
    return Echoes(_in_rows(echoes, setup.oversampling), nodes_m, receiver.lead)


class _Receiver(NamedTuple):
    """What turns sound at an element into volts, by FFTs of ``length`` simulated samples.

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
    spectrum = (_response(setup, length) * later).astype(np.complex64)
    alpha = attenuation_np_m(setup.medium, frequency_hz)
    return _Receiver(length, lead, spectrum, alpha.astype(np.float32))


def _response(setup: Setup, length: int) -> Complexes:
    """Receive response and the filter before decimation (length // 2 + 1,), without delay."""
    response = setup.probe.receive(fft.rfftfreq(length, 1 / setup.simulation_rate_hz))
    if setup.anti_alias is None:
        return response
    taps = np.zeros(length)
    taps[: len(setup.anti_alias)] = setup.anti_alias
    return response * fft.rfft(np.roll(taps, -(len(setup.anti_alias) // 2)))


def _in_rows(echoes: Float32s, oversampling: int) -> Float32s:
    """Return echoes (B, NODES, n) in the `Echoes.rows` of theirs."""
    bubbles, nodes, samples = echoes.shape
    columns = -(-samples // oversampling) + 1
    padded = np.zeros((bubbles, nodes, columns * oversampling), dtype=np.float32)
    padded[..., :samples] = echoes
    rows = np.zeros((bubbles, oversampling + 1, nodes, columns), dtype=np.float32)
    rows[:, :-1] = np.moveaxis(padded.reshape(bubbles, nodes, columns, oversampling), 3, 1)
    rows[:, -1, :, :-1] = rows[:, 0, :, 1:]
    return rows


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"})
def _add(lines, rows, source, weight, delay):  # type: ignore[no-untyped-def]
    """Add echoes, their nodes weighted (n, E, NODES), delayed by simulated samples (n, E)."""
    phases, columns = rows.shape[1] - 1, rows.shape[3]
    elements, samples = lines.shape
    for i in range(len(source)):
        echo = rows[source[i]]
        for e in range(elements):
            first = int(np.ceil(delay[i, e] / phases))
            place = first * phases - delay[i, e]
            phase = int(place)
            part = np.float32(place - phase)
            if phase >= phases:  # by round-off
                first, phase, part = first - 1, phases - 1, np.float32(1.0)
            begin, end = max(0, -first), min(columns, samples - first)
            if begin >= end:
                continue
            line = lines[e, first + begin : first + end]
            one0, two0 = echo[phase, 0, begin:end], echo[phase + 1, 0, begin:end]
            one1, two1 = echo[phase, 1, begin:end], echo[phase + 1, 1, begin:end]
            one2, two2 = echo[phase, 2, begin:end], echo[phase + 1, 2, begin:end]
            w0, w1, w2 = weight[i, e, 0], weight[i, e, 1], weight[i, e, 2]
            rest = np.float32(1.0) - part
            for k in range(len(line)):
                one = w0 * one0[k] + w1 * one1[k] + w2 * one2[k]
                two = w0 * two0[k] + w1 * two1[k] + w2 * two2[k]
                line[k] += rest * one + part * two
