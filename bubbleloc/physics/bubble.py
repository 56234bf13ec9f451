"""A bubble's radial oscillation and the sound it scatters."""

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.errors import InputError
from bubbleloc.physics import integrator
from bubbleloc.physics.propagation import pressure_at
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.shell import thermal_behaviour

# Distance from the bubble at which its scattered pressure is given.
REFERENCE_DISTANCE_M = 1e-3
LARGEST_RADIUS_M = 6e-6


@dataclass(frozen=True, eq=False)
class BubbleResponse:
    """Oscillation of B bubbles over M samples; ``scattered_pa`` is at 1 mm, without delay."""

    time_s: Floats  # (B, M), since transmission
    radius_m: Floats  # (B, M)
    velocity_m_s: Floats  # (B, M), dR/dt
    scattered_pa: Floats  # (B, M)


def bubble_response(
    radius_m: npt.ArrayLike,
    depth_m: npt.ArrayLike,
    pressure_pa: npt.ArrayLike,
    setup: Setup | None = None,
) -> BubbleResponse:
    """How bubbles (B,) of a resting radius respond at a depth to a transmitted amplitude.

    The three arguments are scalars or arrays that broadcast to (B,). Marmottant et al.,
    JASA 118 (2005) for the equation; the shell and the gas are those of ``setup``.

    Raises InputError for values that are no radius, depth or pressure.
    """
    radius, depth, amplitude = _checked(radius_m, depth_m, pressure_pa)
    warn_large(radius)
    return respond(radius, depth, amplitude, Setup() if setup is None else setup)


def warn_large(radius_m: Floats) -> None:
    """Warn where a bubble (B,) is larger than those the shell viscosity was measured on."""
    if (radius_m > LARGEST_RADIUS_M).any():
        warnings.warn(
            "radii above 6 µm: the shell's viscosity is known for smaller bubbles only",
            stacklevel=3,
        )


def respond(radius: Floats, depth: Floats, amplitude: Floats, setup: Setup) -> BubbleResponse:
    """``bubble_response`` of checked arrays (B,)."""
    drive_pa = pressure_at(depth, amplitude, setup)
    if setup.bubble == "linear":
        wall_m, velocity, strength = linear_response(radius, drive_pa, setup)
        scattered = strength / REFERENCE_DISTANCE_M
    else:
        wall_m, velocity = oscillate(radius, drive_pa, setup)  # in place: large arrays are slow
        wall_m += 1
        wall_m *= radius[:, None]
        velocity *= (radius / _natural_time_s(radius, setup))[:, None]
        scattered = scattered_pressure(wall_m, velocity, setup)
    samples = np.arange(setup.window_samples) / setup.simulation_rate_hz
    time_s = depth[:, None] / setup.medium.speed_of_sound_m_s + samples
    return BubbleResponse(time_s, wall_m, velocity, scattered)


def oscillate(radius_m: Floats, drive_pa: Floats, setup: Setup) -> tuple[Floats, Floats]:
    """Radial strain and its rate (B, M) of bubbles (B,) under pressures ``drive_pa`` (B, M)."""
    coefficients = _coefficients(radius_m, setup)
    ambient = setup.medium.ambient_pressure_pa
    strain, rate = integrator.integrate(
        drive_pa / ambient, coefficients, _curve(setup), setup.shell_model.steps_per_sample
    )
    lost = np.flatnonzero(np.isnan(strain[:, -1]))
    if lost.size:
        radius_um, peak_pa = 1e6 * radius_m[lost[0]], np.abs(drive_pa[lost[0]]).max()
        raise InputError(
            f"a bubble of {radius_um:.2f} µm collapses too hard at {peak_pa:.3g} Pa for any step; "
            "lower the pressure or coat it (shell=segers)"
        )
    return strain, rate


def scattered_pressure(radius_m: Floats, velocity_m_s: Floats, setup: Setup) -> Floats:
    """p_s = ρR/r₀·(2Ṙ² + R·R̈) in Pa at r₀ = 1 mm, all (B, M).

    R̈ is the central difference of Ṙ; half the one-sided difference at both ends, as published.
    """
    scale = setup.medium.density_kg_m3 / REFERENCE_DISTANCE_M
    scattered: Floats = _scatter(radius_m, velocity_m_s, scale, 0.5 * setup.simulation_rate_hz)
    return scattered


@njit(cache=True, nogil=True, error_model="numpy", fastmath=integrator.FASTMATH)
def _scatter(radius, velocity, scale, half_rate):  # type: ignore[no-untyped-def]
    """One pass instead of eight temporary arrays."""
    scattered = np.empty_like(radius)
    last = radius.shape[1] - 1
    for b in range(radius.shape[0]):
        r, v, p = radius[b], velocity[b], scattered[b]
        for n in range(1, last):
            p[n] = v[n + 1] - v[n - 1]
        p[0], p[last] = v[1] - v[0], v[last] - v[last - 1]
        for n in range(last + 1):
            p[n] = scale * r[n] * (2.0 * v[n] * v[n] + r[n] * half_rate * p[n])
    return scattered


def linear_response(
    radius_m: Floats, drive_pa: Floats, setup: Setup
) -> tuple[Floats, Floats, Floats]:
    """R(t) in m, dR/dt in m/s, and ρR₀²R̈ in Pa·m, all (B, M), under pressures (B, M).

    The bubble equation linearised about rest: R = R₀(1 + IFFT(P·A)) with
    A = −1/(ρR₀²)/(ω₀² − ω² + iδω₀ω), see Marmottant et al., JASA 118 (2005). The last is what the
    bubble scatters, times the distance.
    """
    samples, rest = drive_pa.shape[1], radius_m[:, None]
    length = fft.next_fast_len(4 * samples, real=True)  # clean bubbles ring long
    omega = 2 * np.pi * fft.rfftfreq(length, 1 / setup.simulation_rate_hz)
    strain = fft.rfft(drive_pa, length) * compliance(radius_m, omega, setup)

    def trace(spectrum: Complexes) -> Floats:
        return np.asarray(fft.irfft(spectrum, length)[:, :samples])

    volume = setup.medium.density_kg_m3 * rest**3
    return (
        rest * (1 + trace(strain)),
        rest * trace(1j * omega * strain),
        volume * trace(-(omega**2) * strain),
    )


def compliance(radius_m: Floats, omega: Floats, setup: Setup) -> Complexes:
    """A(ω) (B, K) in 1/Pa: radial strain per pressure at angular frequencies (K,) in rad/s."""
    medium, shell = setup.medium, setup.shell_model
    tension = shell.resting_tension_n_m
    kappa, thermal_viscosity = thermal_behaviour(
        setup.thermal, radius_m, tension, setup.carrier_hz, medium, setup.gas
    )
    gas_pa = 3 * kappa * (medium.ambient_pressure_pa + 2 * tension / radius_m)
    stiffness_pa = gas_pa + 2 * (shell.stiffness_n_m - tension) / radius_m
    damping_pa_s = (
        gas_pa * radius_m / medium.speed_of_sound_m_s
        + 4 * (medium.viscosity_pa_s + thermal_viscosity)
        + 4 * shell.viscosity_kg_s(radius_m) / radius_m
    )
    inertia = medium.density_kg_m3 * radius_m**2
    stiffness, damping, mass = (x[:, None] for x in (stiffness_pa, damping_pa_s, inertia))
    return np.asarray(-1 / (stiffness - mass * omega**2 + 1j * damping * omega))


def _checked(*values: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    arrays = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values]
    try:
        radius, depth, amplitude = (np.ascontiguousarray(a) for a in np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise InputError(f"radius, depth, pressure of shapes {shapes}; give one length") from error
    if radius.ndim != 1:
        raise InputError(f"radius, depth, pressure of shape {radius.shape}; give one row each")
    if not ((radius > 0) & (radius < 1e-4)).all():
        raise InputError("radius_m outside 0–100 µm or not finite; give metres, such as 2.4e-6")
    for name, row in (("depth_m", depth), ("pressure_pa", amplitude)):
        if not ((row >= 0) & np.isfinite(row)).all():
            raise InputError(f"{name} negative or not finite; give m and Pa, zero or more")
    return radius, depth, amplitude


def _natural_time_s(radius_m: Floats, setup: Setup) -> Floats:
    """The unit of time √(ρR₀²/P₀) (B,)."""
    medium = setup.medium
    return np.asarray(radius_m * np.sqrt(medium.density_kg_m3 / medium.ambient_pressure_pa))


def _coefficients(radius_m: Floats, setup: Setup) -> Floats:
    """The equation's numbers per bubble, (COEFFICIENTS, B padded to whole blocks)."""
    medium, shell = setup.medium, setup.shell_model
    padding = -len(radius_m) % integrator.LANES
    radius = np.pad(radius_m, (0, padding), mode="edge")
    time_s = _natural_time_s(radius, setup)
    ambient = medium.ambient_pressure_pa
    kappa, thermal_viscosity = thermal_behaviour(
        setup.thermal, radius, shell.resting_tension_n_m, setup.carrier_hz, medium, setup.gas
    )
    c = np.empty((integrator.COEFFICIENTS, len(radius)))
    c[integrator.STEP] = 1 / (setup.simulation_rate_hz * time_s)
    c[integrator.GAS] = 1 + 2 * shell.resting_tension_n_m / (radius * ambient)
    c[integrator.SOUND] = 3 * kappa / medium.speed_of_sound_m_s * radius / time_s
    c[integrator.TENSION] = 2 / (radius * ambient)
    c[integrator.VISCOUS] = 4 * (medium.viscosity_pa_s + thermal_viscosity) / (time_s * ambient)
    c[integrator.SHELL] = 4 * shell.viscosity_kg_s(radius) / (radius * time_s * ambient)
    c[integrator.EXPONENT] = 3 * kappa
    return c


@lru_cache(maxsize=8)
def _curve(setup: Setup) -> tuple[float, ...]:
    shell = setup.shell_model
    limits = (shell.resting_area, shell.u_min, shell.u_max, shell.max_tension_n_m)
    return shell.coefficients + limits
