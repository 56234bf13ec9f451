"""Heat exchange of the gas: effective polytropic exponent and thermal damping."""

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.physics.media import Gas, Medium

THERMAL_MODELS = ("prosperetti", "adiabatic", "isothermal")
GAS_CONSTANT_J_MOL_K = 8.314


def thermal_behaviour(
    name: str,
    radius_m: Floats,
    resting_tension_n_m: float,
    frequency_hz: float,
    medium: Medium,
    gas: Gas,
) -> tuple[Floats, Floats]:
    """Polytropic exponent κ (n,) and thermal viscosity μ_th (n,) in Pa·s for radii (n,)."""
    if name == "prosperetti":
        return _prosperetti(radius_m, resting_tension_n_m, frequency_hz, medium, gas)
    if name == "adiabatic":
        return np.full_like(radius_m, gas.heat_capacity_ratio), np.zeros_like(radius_m)
    if name == "isothermal":
        return np.ones_like(radius_m), np.zeros_like(radius_m)
    raise InputError(f"unknown thermal model {name!r}; choose one of {', '.join(THERMAL_MODELS)}")


def _prosperetti(
    radius_m: Floats,
    resting_tension_n_m: float,
    frequency_hz: float,
    medium: Medium,
    gas: Gas,
) -> tuple[Floats, Floats]:
    """Linear theory of Prosperetti, JASA 61 (1977), at one frequency.

    The symbols are his; the gas density is scaled to the pressure inside the resting bubble.
    """
    omega = 2 * np.pi * frequency_hz
    ambient = medium.ambient_pressure_pa
    pressure_pa = ambient + 2 * resting_tension_n_m / radius_m
    density = gas.density_kg_m3 * pressure_pa / ambient
    gamma = gas.heat_capacity_ratio
    gas_diffusivity = gas.thermal_conductivity_w_m_k * gamma / (density * gas.heat_capacity_j_kg_k)
    liquid_diffusivity = medium.thermal_conductivity_w_m_k / (
        medium.density_kg_m3 * medium.heat_capacity_j_kg_k
    )
    specific_gas_heat = gamma * GAS_CONSTANT_J_MOL_K * medium.temperature_k
    g1 = gas.molar_mass_kg_mol * gas_diffusivity * omega / specific_gas_heat
    g2 = omega * radius_m**2 / gas_diffusivity
    g3 = omega * radius_m**2 / liquid_diffusivity

    root = np.sqrt((1j - g1) ** 2 + 4j * g1 / gamma)
    beta1 = np.sqrt(0.5 * gamma * g2 * (1j - g1 + root))
    beta2 = np.sqrt(0.5 * gamma * g2 * (1j - g1 - root))
    lambda1 = beta1 / np.tanh(beta1) - 1
    lambda2 = beta2 / np.tanh(beta2) - 1
    gamma1 = 1j + g1 + root
    gamma2 = 1j + g1 - root
    f = 1 + (1 + 1j) * np.sqrt(g3 / 2)
    k = medium.thermal_conductivity_w_m_k / gas.thermal_conductivity_w_m_k
    phi = (k * f * (gamma2 - gamma1) + lambda2 * gamma2 - lambda1 * gamma1) / (
        k * f * (lambda2 * gamma1 - lambda1 * gamma2) - lambda1 * lambda2 * (gamma2 - gamma1)
    )
    inertia = omega * density * radius_m**2
    kappa = omega * inertia / (3 * pressure_pa) * phi.real
    viscosity_pa_s = inertia / 4 * phi.imag
    return np.asarray(kappa, dtype=np.float64), np.asarray(viscosity_pa_s, dtype=np.float64)
