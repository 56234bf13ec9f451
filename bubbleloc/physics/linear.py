"""The bubble as a linear resonator, as faint sound and a shell that never buckles make it."""

import numpy as np
from scipy import fft

from bubbleloc.arrays import Complexes, Floats
from bubbleloc.physics.setup import Setup
from bubbleloc.physics.thermal import thermal_behaviour


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
        setup.thermal, radius_m, tension, setup.frequency_hz, medium, setup.gas
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
