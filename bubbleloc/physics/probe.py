"""Responses of a probe of your own, from little: a band, a magnitude, or an impulse response."""

from dataclasses import replace

import numpy as np
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.physics.media import require_between
from bubbleloc.physics.transducer import P4_1, TabulatedResponse, Transducer

HIGHEST_HZ, STEP_HZ = 60e6, 10e3  # of the responses made here: 100 µs at 8 ns
# A magnitude is taken for no smaller part of its maximum: the phase follows from its logarithm.
FLOOR = 1e-4
GRID_HZ = np.arange(0, HIGHEST_HZ + STEP_HZ / 2, STEP_HZ)


def gaussian(
    center_hz: float, fractional_bandwidth: float, aperture_m: float = 0.028
) -> Transducer:
    """A probe whose transmit and receive responses both are Gaussian, of minimum phase.

    Volts compare with those of the P4-1: the receive response is as large at its peak.

    Args:
        fractional_bandwidth: width at −6 dB of each response over ``center_hz``; that of an echo
            is 0.71 of it.

    Raises:
        InputError: no frequency or bandwidth of a probe.
    """
    require_between("gaussian", "center_hz", center_hz, 1e5, 2e7)
    require_between("gaussian", "fractional_bandwidth", fractional_bandwidth, 0.05, 2)
    width_hz = fractional_bandwidth * center_hz
    magnitude = np.exp2(-np.square((GRID_HZ - center_hz) / (width_hz / 2)))
    shape = minimum_phase(GRID_HZ, magnitude)
    scale = np.abs(P4_1.receive(GRID_HZ)).max()
    receive = TabulatedResponse(shape.frequency_hz, scale * shape.value)
    return Transducer(shape, receive, width_hz, aperture_m, center_hz)


def minimum_phase(frequency_hz: Floats, magnitude: Floats) -> TabulatedResponse:
    """The response of a magnitude (n,) that answers soonest: minimum phase, by the cepstrum.

    Outside its frequencies, and where it is less, the magnitude is 80 dB below its maximum.
    """
    top = magnitude.max()
    value = np.interp(GRID_HZ, frequency_hz, magnitude, left=0, right=0)
    cepstrum = fft.irfft(np.log(np.maximum(value / top, FLOOR)))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return TabulatedResponse(GRID_HZ, top * np.exp(fft.rfft(cepstrum)))


def of_impulse(samples: Floats, rate_hz: float) -> tuple[Floats, Complexes]:
    """Frequencies in Hz and the response of an impulse response (n,) that starts at time 0."""
    length = max(round(rate_hz / STEP_HZ), len(samples))
    frequency_hz = fft.rfftfreq(length, 1 / rate_hz)
    kept = frequency_hz <= HIGHEST_HZ
    return frequency_hz[kept], fft.rfft(samples, length)[kept] / rate_hz


def with_band_of(transducer: Transducer) -> Transducer:
    """A transducer that rings as long as its transmit response says, at least as the P4-1."""
    magnitude = np.abs(transducer.transmit(GRID_HZ))
    above = np.flatnonzero(magnitude >= magnitude.max() / 2)
    width_hz = float(np.ptp(GRID_HZ[above])) + STEP_HZ
    return replace(transducer, bandwidth_hz=min(width_hz, P4_1.bandwidth_hz))
