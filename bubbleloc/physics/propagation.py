"""Plane wave from the transducer to a depth: attenuation and the second harmonic it grows."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.console.settings.physics import Medium
from bubbleloc.physics.pulse import unit_pulse
from bubbleloc.physics.setup import Setup

# Closest approach of α to 2α₁ in Np/m: there (e^−2α₁z − e^−αz)/(α − 2α₁) is z·e^−2α₁z to 1e-7.
_RESONANT_GAP_NP_M = 1e-6


@lru_cache(maxsize=8)
def _spectra(setup: Setup) -> tuple[Complexes, Complexes, Floats, float]:
    """Fundamental (K,), second-harmonic source over α − 2α₁ (K,), α (K,) and 2α₁, for 1 Pa."""
    pressure, derivative = unit_pulse(setup)
    length = padded_length(setup)
    alpha = attenuation_np_m(setup.medium, fft.rfftfreq(length, 1 / setup.simulation_rate_hz))
    twice_alpha1 = 2 * float(attenuation_np_m(setup.medium, setup.carrier_hz))
    gap = alpha - twice_alpha1
    gap = np.where(np.abs(gap) < _RESONANT_GAP_NP_M, _RESONANT_GAP_NP_M, gap)
    medium = setup.medium
    beta = 0.0 if setup.bubble == "linear" else 1 + medium.nonlinearity_b_over_a / 2
    strength = beta / (medium.density_kg_m3 * medium.speed_of_sound_m_s**3)
    source = strength * fft.rfft(pressure * derivative, length)
    return fft.rfft(pressure, length), source / gap, twice_alpha1 + gap, twice_alpha1


def attenuation_np_m(medium: Medium, frequency_hz: npt.ArrayLike) -> Floats:
    """Amplitude attenuation α(f) = a·f^b in Np/m; zero at f = 0."""
    frequency_mhz = np.asarray(frequency_hz, dtype=np.float64) / 1e6
    db_per_m = 100 * medium.attenuation_db_cm_mhz * frequency_mhz**medium.attenuation_power
    return np.asarray(db_per_m * np.log(10) / 20)


def padded_length(setup: Setup) -> int:
    """FFT length for one bubble's window: the next that is fast (1424 has the factor 89)."""
    return int(fft.next_fast_len(setup.window_samples, real=True))


def _spectra_at(
    depth_m: npt.ArrayLike, pressure_pa: npt.ArrayLike, setup: Setup
) -> tuple[Complexes, Complexes]:
    """Spectra (B, K) of fundamental and second harmonic at depths (B,)."""
    depth = np.atleast_1d(np.asarray(depth_m, dtype=np.float64))[:, None]
    amplitude = np.asarray(pressure_pa, dtype=np.float64).reshape(-1, 1)
    first, second, alpha, twice_alpha1 = _spectra(setup)
    fading = np.exp(-alpha * depth)
    growth = np.exp(-twice_alpha1 * depth) - fading
    return amplitude * first * fading, amplitude**2 * second * growth


def propagate(
    depth_m: npt.ArrayLike, pressure_pa: npt.ArrayLike, setup: Setup
) -> tuple[Floats, Floats]:
    """Fundamental and second harmonic (B, M) in Pa at depths (B,), on the clock t − z/c.

    The fundamental fades with α(f). The second harmonic is the quasi-linear solution of
    Burgers' equation (Keller & Kolodner 1956; Blanken et al. 2022):
    P₂ = S·(e^(−2α₁z) − e^(−αz))/(α − 2α₁), with S the spectrum of β/(ρc³)·p·dp/dt and α₁ the
    attenuation at the drive frequency. Amplitudes ``pressure_pa`` are scalar or (B,).
    """
    first, second = _spectra_at(depth_m, pressure_pa, setup)
    return _window(first, setup), _window(second, setup)


def pressure_at(depth_m: npt.ArrayLike, pressure_pa: npt.ArrayLike, setup: Setup) -> Floats:
    """Total pressure (B, M) in Pa at depths (B,): both parts of ``propagate`` in one FFT."""
    first, second = _spectra_at(depth_m, pressure_pa, setup)
    first += second
    return _window(first, setup)


def _window(spectrum: Complexes, setup: Setup) -> Floats:
    return fft.irfft(spectrum, padded_length(setup))[:, : setup.window_samples]
