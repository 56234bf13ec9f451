"""What is told of a pulse, and lines brought to one time scale and one echo by it.

On the standard scale an echo's centre has 36 samples per wavelength, as that of lines of 62.5 MHz
around 1.74 MHz; a Wiener filter makes every echo a peak where it arrives.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from scipy import fft
from scipy.signal import czt

from bubbleloc.arrays import Complexes, Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.physics.scene import Scene
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.simulator import simulate_rf

STANDARD_RATE_HZ = 62.5e6
SAMPLES_PER_WAVELENGTH = 36
STANDARD_HZ = STANDARD_RATE_HZ / SAMPLES_PER_WAVELENGTH  # centre of a standard echo
# Frequencies at which an echo has less than this part of its highest power are not amplified.
NOISE_TO_SIGNAL = 0.02
STANDARD_WIDTH = 1.0  # −6 dB, of the standard echo over its centre
FINEST = 256  # denominator of standard samples per sample
TYPICAL_RADIUS_M, TYPICAL_PRESSURE_PA = 2.4e-6, 100e3
SPREAD = np.array([0.95, 1.0, 1.05])  # of radii around the one that is told
LEFT_OUT = 1e-5  # of the energy of an echo, at its end
GUESSED_DELAY_PERIODS = 1.0  # from a guessed echo's arrival to its peak


@dataclass(frozen=True, eq=False)
class Told:
    """The received echo of a typical bubble straight below the element.

    Attributes:
        echo: its samples (n,) from its arrival, the start of the pulse, on; of any scale.
        sampling_rate_hz: of ``echo``, which need not be that of the lines.

    Raises:
        InputError: an echo that is silent, or not finite.
    """

    echo: Floats
    sampling_rate_hz: float

    def __post_init__(self) -> None:
        echo = np.asarray(self.echo, dtype=np.float64)
        if echo.ndim != 1 or not np.isfinite(echo).all() or not echo.any():
            raise InputError(
                f"told: an echo of shape {echo.shape}; give a row of finite samples, not all zero"
            )
        object.__setattr__(self, "echo", echo)

    @cached_property
    def centre_hz(self) -> float:
        """Centroid of |E(f)|²."""
        length = max(4096, len(self.echo))
        power = np.square(np.abs(fft.rfft(self.echo, length)))
        return float(power @ fft.rfftfreq(length, 1 / self.sampling_rate_hz) / power.sum())

    def spectrum(self, step_hz: float, bins: int) -> Complexes:
        """E at 0, ``step_hz``, 2 ``step_hz``, …, (bins,); zero beyond half its sampling rate."""
        turn = np.exp(-2j * np.pi * step_hz / self.sampling_rate_hz)
        spectrum = czt(self.echo, bins, turn)
        spectrum[math.floor(self.sampling_rate_hz / 2 / step_hz) + 1 :] = 0
        return np.asarray(spectrum)


@lru_cache(maxsize=64)
def told_by(
    setup: Setup,
    radius_m: float = TYPICAL_RADIUS_M,
    pressure_pa: float = TYPICAL_PRESSURE_PA,
) -> Told:
    """What a setup tells: the mean echo of bubbles of about one radius, half-way down its record.

    It is simulated at ``setup.simulation_rate_hz``.

    Args:
        radius_m: mean radius of the bubbles at rest.
        pressure_pa: amplitude of the pulse at the transducer.

    Raises:
        InputError: values that make no sense.
    """
    rate_hz = setup.simulation_rate_hz
    fine = replace(setup, sampling_rate_hz=rate_hz, elements=1)
    arrival = fine.samples // 2
    depth_m = arrival * setup.medium.speed_of_sound_m_s / (2 * rate_hz)
    radii_m = radius_m * SPREAD
    middle = np.zeros(len(radii_m))
    scene = Scene(middle + depth_m, middle, radii_m, pressure_pa)
    echo = simulate_rf(scene, fine).volts[arrival:].astype(np.float64)
    energy = np.cumsum(np.square(echo))
    ends = int(np.searchsorted(energy, (1 - LEFT_OUT) * energy[-1])) + 1
    return Told(echo[:ends], rate_hz)


def guessed(volts: Float32s, sampling_rate_hz: float) -> Told:
    """What lines (n, L) themselves tell: a Gaussian pulse of their mean spectrum.

    Centre and width are those of the spectrum above its noise floor; when the pulse arrives, and
    its phase, are guesses.
    """
    lines = np.atleast_2d(np.asarray(volts, dtype=np.float64))
    power = np.square(np.abs(fft.rfft(lines))).mean(axis=0)
    frequency_hz = fft.rfftfreq(lines.shape[1], 1 / sampling_rate_hz)
    power = np.maximum(power - 2 * np.median(power), 0)
    power[power < 0.05 * power.max()] = 0
    if not power.any():
        raise InputError("told: no pulse stands out of the spectrum of the lines; tell what it is")
    centre_hz = float(power @ frequency_hz / power.sum())
    width_hz = math.sqrt(float(power @ np.square(frequency_hz - centre_hz)) / power.sum())
    width_hz = min(max(width_hz, 0.1 * centre_hz), 0.4 * centre_hz)
    delay_s = max(GUESSED_DELAY_PERIODS / centre_hz, 0.4 / width_hz)
    time_s = np.arange(0, 2 * delay_s, 1 / (16 * centre_hz)) - delay_s
    envelope = np.exp(-np.square(2 * np.pi * width_hz * time_s))  # power of σ = width_hz
    return Told(envelope * np.cos(2 * np.pi * centre_hz * time_s), 16 * centre_hz)


def standard_samples(sampling_rate_hz: float, told: Told) -> Fraction:
    """Samples on the standard scale per sample of lines."""
    ratio = SAMPLES_PER_WAVELENGTH * told.centre_hz / sampling_rate_hz
    return Fraction(ratio).limit_denominator(FINEST)


def standardised(volts: Float32s, sampling_rate_hz: float, told: Told) -> Float32s:
    """Lines (n, L) on the standard scale, (n, M): every echo a peak where it arrives.

    A position p of them is p / `standard_samples` in ``volts``. They are of any amplitude.

    Raises:
        InputError: lines that hold less than the lower half of the band of the echo.
    """
    if sampling_rate_hz < 2 * told.centre_hz:
        raise InputError(
            f"told: an echo around {1e-6 * told.centre_hz:.3g} MHz is not in lines sampled at "
            f"{1e-6 * sampling_rate_hz:.3g} MHz; correct what is told, or the sampling rate"
        )
    ratio = standard_samples(sampling_rate_hz, told)
    lines = np.asarray(volts, dtype=np.float32)
    rung_s = 2 * len(told.echo) / told.sampling_rate_hz + 8 / told.centre_hz
    needed = lines.shape[1] + math.ceil(rung_s * sampling_rate_hz)
    blocks = int(fft.next_fast_len(-(-needed // ratio.denominator), real=True))
    length, longer = blocks * ratio.denominator, blocks * ratio.numerator
    bins = min(length, longer) // 2 + 1
    step_hz = sampling_rate_hz / length
    weight = wiener(told.spectrum(step_hz, bins), told.centre_hz / step_hz) * (longer / length)
    spectrum = fft.rfft(lines, length)[:, :bins] * weight.astype(np.complex64)
    kept = math.ceil(lines.shape[1] * ratio)
    return np.asarray(fft.irfft(spectrum, longer)[:, :kept], dtype=np.float32)


def wiener(echo: Complexes, centre: float) -> Complexes:
    """The filter (bins,) that makes an echo of this spectrum (bins,) the standard one.

    S E* / (|E|² + ε max|E|²), with S a Gaussian without phase around bin ``centre``.
    """
    power = np.square(np.abs(echo))
    off = (np.arange(len(echo)) - centre) / (STANDARD_WIDTH * centre / 2)
    highest = power.max()
    standard = np.exp2(-np.square(off)) * math.sqrt(highest)
    return np.asarray(standard * np.conj(echo) / (power + NOISE_TO_SIGNAL * highest))
