"""Lines of a setup each, for a network of any probe: their draw, their simulation, their telling.

All lengths are in wavelengths of the echo, so scenes are drawn on the standard scale of
`bubbleloc.physics.told`, before a setup is. A line is then simulated in metres of its own, at
nearly 36 samples per wavelength, and kept with echoes that somebody might tell of it.
"""

import contextlib
import math
import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import fft

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.physics import Scene, Setup, Transducer, simulate_rf
from bubbleloc.physics.probe import GRID_HZ, minimum_phase
from bubbleloc.physics.scene import RadiusDistribution, draw_radii
from bubbleloc.physics.told import (
    SAMPLES_PER_WAVELENGTH,
    STANDARD_HZ,
    STANDARD_RATE_HZ,
    TYPICAL_PRESSURE_PA,
    TYPICAL_RADIUS_M,
    told_by,
    wiener,
)
from bubbleloc.physics.waveforms import INTEGRATION_RATE_HZ, Waveform, chirp, tristate

ECHOES, ECHO_SAMPLES = TOLD = 4, 480  # that are kept of a line, and of each of them
ECHO_SHARES = (0.4, 0.2, 0.25, 0.15)  # of draws, in the order of `Line.told`
OFF = 0.3  # largest part by which radius and pressure are told wrong
SCALE_ERROR = 0.06  # largest part by which the scale of a line is off
EMPTY, SPARSE = 0.06, 0.5  # shares of lines without bubbles, and with few
FEW, MOST = 30, 600  # most bubbles of a sparse line, and of others
MARGIN_SAMPLES = 48  # from both ends, without arrivals
PER_WAVELENGTH = (4.0, 40.0)
NOISE_OF_RMS, CLEAN = (0.01, 0.6), 0.15
ATTEMPTS, LOWER = 20, 0.8  # at a setup; of the pressure, at the only one
SETUP = 1  # first part of the rest of the key of what is drawn after the scene


class Line(NamedTuple):
    """A simulated line (L,) volts, and the echoes (ECHOES, ECHO_SAMPLES) that may be told of it.

    The first is exact; of the second, radius and pressure are off; the third knows the mean radius,
    but takes the pressure for 100 kPa, the fourth also the radius for 2.4 µm.
    """

    rf: Float32s
    told: Float32s


@dataclass(frozen=True)
class Draw:
    """The random key of a line, from which follows all but its scene.

    Attributes:
        setup: of all lines; None draws one for each.
        radius_m: mean and spread of their radii; None draws how they are distributed, too.
    """

    seed: int
    split: int
    index: int
    setup: Setup | None = None
    radius_m: tuple[float, float] | None = None

    def rng(self, *purpose: int) -> np.random.Generator:
        """Random numbers for one purpose."""
        key = (self.split, self.index, *purpose)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def population(self, rng: np.random.Generator) -> tuple[RadiusDistribution, float]:
        """How radii of the line are distributed, and their mean in m."""
        if self.radius_m is not None:
            return self.radius_m, self.radius_m[0]
        return _population(rng)


def draw_scene(draw: Draw, standard: Setup) -> Scene:
    """A scene on the standard scale: depths as if its line were of ``standard``."""
    rng = draw.rng()
    population, _ = draw.population(rng)
    if rng.random() < EMPTY:
        count = 0
    elif rng.random() < SPARSE:
        count = round(math.exp(rng.uniform(0, math.log(FEW))))
    else:
        count = round(FEW + (MOST - FEW) * rng.uniform() ** 2)
    pressure_pa = math.exp(rng.uniform(math.log(5e3), math.log(400e3)))
    sample_m = standard.medium.speed_of_sound_m_s / standard.sampling_rate_hz  # there and back: 2
    arrival_m = sample_m * rng.uniform(MARGIN_SAMPLES, standard.samples - MARGIN_SAMPLES, count)
    width_m = rng.uniform(4, 32) * sample_m * SAMPLES_PER_WAVELENGTH
    lateral_m = rng.uniform(-1, 1, count) * np.minimum(width_m / 2, 0.7 * arrival_m)
    depth_m = (np.square(arrival_m) - np.square(lateral_m)) / (2 * arrival_m)  # z + r = arrival
    return Scene(depth_m, lateral_m, draw_radii(rng, population, count), pressure_pa)


def _population(rng: np.random.Generator) -> tuple[RadiusDistribution, float]:
    """How radii of a line are distributed, and their mean in m."""
    if rng.random() < 0.25:
        return "polydisperse", 1.37e-6
    mean_m = 1e-6 * math.exp(rng.uniform(math.log(0.8), math.log(3)))
    spread = rng.uniform(0.02, 0.1) if rng.random() < 0.7 else rng.uniform(0.1, 0.4)
    return (mean_m, spread * mean_m), mean_m


def draw_setup(rng: np.random.Generator) -> Setup:
    """A setup of centre frequencies of 1 to 10 MHz, of any sampling rate and depth."""
    centre_hz = 1e6 * math.exp(rng.uniform(0, math.log(10)))
    magnitudes = _magnitudes(rng, centre_hz)
    transmit, receive = (minimum_phase(GRID_HZ, magnitude) for magnitude in magnitudes)
    ringing_hz = 0.4 * centre_hz
    probe = Transducer(transmit, receive, ringing_hz, aperture_m=0.01, center_hz=centre_hz)
    sent_hz = centre_hz * (1 if rng.random() < 0.4 else rng.uniform(0.75, 1.2))
    return Setup(transducer=probe, waveform=_waveform(rng, sent_hz))


def _magnitudes(rng: np.random.Generator, centre_hz: float) -> list[Floats]:
    """Magnitudes of a transmit and a receive response at the frequencies of a probe's grid."""
    measured = rng.random() < 0.6
    made = []
    for _ in range(2):
        middle_hz = centre_hz * rng.uniform(0.9, 1.1)
        width_hz = rng.uniform(0.4, 1.1) * centre_hz
        off = (GRID_HZ - middle_hz) / (width_hz / 2)
        if not measured:
            made.append(np.exp2(-np.square(off)))
        elif rng.random() < 0.5:
            made.append(_resonances(rng, off))
        else:
            made.append(_lopsided(rng, off))
    return made


def _resonances(rng: np.random.Generator, off: Floats) -> Floats:
    """The sum of 2 to 5 resonances within a band (−1 to 1), and little beyond it."""
    number = int(rng.integers(2, 6))
    places = np.linspace(-0.9, 0.9, number) + rng.uniform(-0.3, 0.3, number)
    sharpness = number / 2 * rng.uniform(0.6, 1.6, number)
    strength = rng.uniform(0.3, 1, number) * np.exp(1j * rng.uniform(-1.2, 1.2, number))
    total = (strength / (1 + 1j * (off[:, None] - places) * sharpness)).sum(axis=1)
    return np.asarray(np.abs(total) * np.exp2(-((off / 1.6) ** 4)))


def _lopsided(rng: np.random.Generator, off: Floats) -> Floats:
    """A band (−1 to 1) with one side steeper, ripples, and sometimes a dip."""
    left, right = rng.uniform(0.6, 1.5, 2)
    shape = np.exp2(-(np.abs(np.where(off < 0, off / left, off / right)) ** rng.uniform(1.6, 4)))
    ripple_db = rng.uniform(0, 3) * np.cos(2 * np.pi * (off / rng.uniform(0.4, 1.5) + rng.random()))
    dip = rng.uniform(0, 0.7) if rng.random() < 0.5 else 0.0
    dent = 1 - dip * np.exp(-np.square((off - rng.uniform(-0.8, 0.8)) / rng.uniform(0.1, 0.4)))
    return np.asarray(shape * 10 ** (ripple_db / 20) * dent)


def _waveform(rng: np.random.Generator, frequency_hz: float) -> Waveform:
    """A tristate pulse, a tone or a chirp of 1 to 4 cycles."""
    kind, rate_hz = rng.random(), 4 * INTEGRATION_RATE_HZ
    half_cycles = int(rng.integers(2, 9)) if rng.random() < 0.6 else int(rng.integers(2, 5))
    if kind < 0.4:
        return tristate(frequency_hz, half_cycles / 2, rate_hz)
    width = 0.0 if kind < 0.75 else rng.uniform(0.2, 0.8) * rng.choice([-1, 1])
    ends_hz = frequency_hz * (1 - width / 2), frequency_hz * (1 + width / 2)
    return chirp(*ends_hz, half_cycles / 2 / frequency_hz, rate_hz)


def simulated(scene: Scene, draw: Draw, standard: Setup) -> Line:
    """Simulate the line of a scene of ``standard``'s scale with a setup of its own.

    A setup under which bubbles would collapse too hard is drawn again; where there is one for all
    lines, the pressure is lowered.
    """
    for attempt in range(ATTEMPTS):
        with contextlib.suppress(InputError):
            return _simulated(scene, draw, standard, attempt)
    return _simulated(scene, draw, standard, ATTEMPTS)


def _simulated(scene: Scene, draw: Draw, standard: Setup, attempt: int) -> Line:
    _, mean_m = draw.population(draw.rng())
    rng = draw.rng(SETUP, attempt)
    setup = draw.setup or draw_setup(rng)
    if draw.setup is not None:
        scene = replace(scene, pressure_pa=scene.pressure_pa * LOWER**attempt)
    centre_hz = told_by(setup, mean_m, scene.pressure_pa).centre_hz
    scale = 1 + rng.uniform(-SCALE_ERROR, SCALE_ERROR)
    rate_hz = SAMPLES_PER_WAVELENGTH * scale * centre_hz
    every = max(1, math.ceil(INTEGRATION_RATE_HZ / rate_hz))
    smaller = standard.sampling_rate_hz / rate_hz
    depth_m = standard.depth_m * smaller
    fine = replace(setup, sampling_rate_hz=every * rate_hz, depth_m=depth_m)
    own = Scene(
        scene.depth_m * smaller, scene.lateral_m * smaller, scene.radius_m, scene.pressure_pa
    )
    with warnings.catch_warnings(action="ignore"):
        volts = simulate_rf(own, fine).volts[::every]
    off = 1 + rng.uniform(-OFF, OFF, 2)
    known = (
        (mean_m, scene.pressure_pa),
        (mean_m * off[0], scene.pressure_pa * off[1]),
        (mean_m, TYPICAL_PRESSURE_PA),
        (TYPICAL_RADIUS_M, TYPICAL_PRESSURE_PA),
    )
    told = np.zeros((ECHOES, ECHO_SAMPLES), np.float32)
    for row, (radius_m, pressure_pa) in zip(told, known, strict=True):
        echo = told_by(fine, radius_m, pressure_pa).echo[::every][:ECHO_SAMPLES]
        row[: len(echo)] = echo / np.abs(echo).max()
    line = np.zeros(standard.samples, np.float32)
    line[: len(volts)] = volts[: standard.samples]
    return Line(line, told)


def heard(line: Line, rng: np.random.Generator) -> Float32s:
    """A line (L,) as a network may meet it: sampled, with noise, and standardised as told.

    What is told, the sampling rate, and the noise are drawn. White noise passes half of the time a
    receiver with the spectrum of the echo. What has no echoes is noise alone.
    """
    chosen = rng.choice(ECHOES, p=ECHO_SHARES)
    length = fft.next_fast_len(len(line.rf) + 2 * ECHO_SAMPLES, real=True)
    per_wavelength = math.exp(rng.uniform(*np.log(PER_WAVELENGTH)))
    bins = min(length // 2 + 1, round(length * per_wavelength / SAMPLES_PER_WAVELENGTH / 2))
    spectrum = fft.rfft(line.rf, length)[:bins]
    echo = fft.rfft(line.told, length)[:, :bins]
    power = float(np.square(np.abs(spectrum)).sum())
    noise = rng.standard_normal((2, bins)).astype(np.float32).T.copy().view(np.complex64)[:, 0]
    clean, level, coloured = rng.random(), rng.uniform(*np.log(NOISE_OF_RMS)), rng.random()
    if power == 0 or clean > CLEAN:
        if coloured < 0.5:
            noise *= np.abs(echo[0]) / np.abs(echo[0]).max()
        relative = math.exp(level) * math.sqrt(power) if power else 1.0
        spectrum += noise * np.float32(relative / np.linalg.norm(noise))
    step_hz = STANDARD_RATE_HZ / length
    weight = wiener(echo[chosen], STANDARD_HZ / step_hz).astype(np.complex64)
    return np.asarray(fft.irfft(spectrum * weight, length)[: len(line.rf)], dtype=np.float32)
