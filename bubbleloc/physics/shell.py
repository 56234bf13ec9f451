"""What a bubble is made of: its lipid shell and its gas.

The shell is a surface tension against area, and a viscosity. Every model is the same formula with
other numbers: σ(A) is a polynomial in u = A − 1, held at the ends of its elastic range
[u_min, u_max] (buckled below, ruptured above), where A is the bubble's area over its area at the
model's reference state. Expanding about A = 1 matters: the monomial form of the Segers polynomial
loses 6e-6 N/m to round-off. The gas has an effective polytropic exponent and damps by heat.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from bubbleloc.arrays import Floats
from bubbleloc.console.settings.physics import Gas, Medium, ShellName, Thermal
from bubbleloc.errors import InputError

SHELLS, THERMAL_MODELS = get_args(ShellName), get_args(Thermal)
GAS_CONSTANT_J_MOL_K = 8.314
DEGREE = 10

# Surface tension at rest of a coated bubble, N/m (Blanken et al. 2022).
RESTING_TENSION_N_M = 0.010
# Elasticity χ of the Marmottant model, N/m.
MARMOTTANT_ELASTICITY_N_M = 0.55

# Segers et al. (2018), Soft Matter 14: the measured σ(A), degree-10 fit in u = A − 1 [N/m].
_SEGERS = (
    -326138851.8775966,
    68163357.23476839,
    2387336.541860819,
    -1132938.415140152,
    27027.07393503189,
    3716.892237663269,
    -95.27672338485718,
    -2.952859878540039,
    -1.4180753231048584,
    0.48043155670166016,
    0.03987354040145874,
)
_SEGERS_BUCKLED_AREA = 0.9201200680519468  # σ = 0
_SEGERS_RUPTURED_AREA = 1.114818880200854  # σ at its maximum
_SEGERS_RESTING_AREA = 0.9463948236704092  # σ = 0.010 N/m


@dataclass(frozen=True)
class Shell:
    """σ(x) = polynomial(clip(A₀(1 + x)² − 1, u_min, u_max)), at most ``max_tension_n_m``."""

    coefficients: tuple[float, ...]  # DEGREE + 1 of them, highest power of u first, N/m
    resting_area: float  # A₀
    u_min: float
    u_max: float
    max_tension_n_m: float
    resting_tension_n_m: float
    has_viscosity: bool
    steps_per_sample: int = 1  # RK4 falls to second order where σ has kinks

    def tension_n_m(self, strain: Floats) -> Floats:
        """Surface tension (n,) in N/m at radial strain x = R/R₀ − 1 (n,)."""
        u = np.clip(self.resting_area * (1 + strain) ** 2 - 1, self.u_min, self.u_max)
        return np.asarray(np.minimum(np.polyval(self.coefficients, u), self.max_tension_n_m))

    @property
    def stiffness_n_m(self) -> float:
        """dσ/dx of the resting shell in N/m."""
        u, area = self.resting_area - 1, self.resting_area
        return float(np.polyval(np.polyder(np.array(self.coefficients)), u) * 2 * area)

    def viscosity_kg_s(self, radius_m: Floats) -> Floats:
        """Shell dilatational viscosity K_s (n,) in kg/s: 1.5e-9·exp(8e5·R₀), or none."""
        if not self.has_viscosity:
            return np.zeros_like(radius_m)
        return np.asarray(1.5e-9 * np.exp(8e5 * radius_m))


def shell_named(name: str, medium: Medium) -> Shell:
    """The shell called ``name``: segers, marmottant, or none (a clean gas bubble).

    Sources: Segers et al. (2018); Marmottant et al., JASA 118 (2005), with R_b = R₀/√(1 + σ₀/χ).

    Raises:
        InputError: another name.
    """
    clean = medium.surface_tension_n_m
    rest = RESTING_TENSION_N_M
    if name == "segers":
        low, high = _SEGERS_BUCKLED_AREA - 1, _SEGERS_RUPTURED_AREA - 1
        return Shell(_SEGERS, _SEGERS_RESTING_AREA, low, high, clean, rest, True)
    if name == "marmottant":
        chi = MARMOTTANT_ELASTICITY_N_M
        line = (0.0,) * (DEGREE - 1) + (chi, 0.0)
        return Shell(line, 1 + rest / chi, 0.0, clean / chi, clean, rest, True, 2)
    if name == "none":
        return Shell((0.0,) * DEGREE + (clean,), 1.0, 0.0, 0.0, clean, clean, False)
    raise InputError(f"unknown shell {name!r}; choose one of {', '.join(SHELLS)}")


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
