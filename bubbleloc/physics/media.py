"""Water and gas: the constants of the medium, and how sound fades in it."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError

# Bounds for constants that need only be positive and finite.
TINY, HUGE = 1e-12, 1e12


def require_between(owner: str, name: str, value: object, low: float, high: float) -> None:
    """Raise InputError unless ``value`` is a number from ``low`` to ``high``."""
    number = isinstance(value, int | float | np.integer | np.floating)
    if not (number and low <= float(value) <= high):  # type: ignore[arg-type]
        raise InputError(f"{owner}: {name}={value!r}; give a number from {low:g} to {high:g}")


@dataclass(frozen=True)
class Medium:
    """The liquid around the bubbles; the defaults are water as in Blanken et al. (2022)."""

    thermal_conductivity_w_m_k: float = 0.6
    density_kg_m3: float = 998.0
    heat_capacity_j_kg_k: float = 4186.0
    viscosity_pa_s: float = 1e-3
    speed_of_sound_m_s: float = 1480.0
    surface_tension_n_m: float = 0.072
    temperature_k: float = 293.0
    ambient_pressure_pa: float = 1.013e5
    attenuation_db_cm_mhz: float = 0.002
    attenuation_power: float = 2.0
    nonlinearity_b_over_a: float = 5.2

    def __post_init__(self) -> None:
        may_be_zero = {"attenuation_db_cm_mhz", "nonlinearity_b_over_a"}
        for field in fields(self):
            low = 0.0 if field.name in may_be_zero else TINY
            require_between("medium", field.name, getattr(self, field.name), low, HUGE)

    @property
    def beta(self) -> float:
        """Coefficient of nonlinearity β = 1 + B/2A."""
        return 1 + self.nonlinearity_b_over_a / 2

    def attenuation_np_m(self, frequency_hz: npt.ArrayLike) -> Floats:
        """Amplitude attenuation α(f) = a·f^b in Np/m; zero at f = 0."""
        frequency_mhz = np.asarray(frequency_hz, dtype=np.float64) / 1e6
        db_per_m = 100 * self.attenuation_db_cm_mhz * frequency_mhz**self.attenuation_power
        return np.asarray(db_per_m * np.log(10) / 20)


@dataclass(frozen=True)
class Gas:
    """The bubbles' gas; the defaults are perfluorobutane C₄F₁₀."""

    thermal_conductivity_w_m_k: float = 0.0138
    density_kg_m3: float = 10.1
    molar_mass_kg_mol: float = 0.238
    heat_capacity_ratio: float = 1.07
    heat_capacity_j_kg_k: float = 809.0

    def __post_init__(self) -> None:
        for field in fields(self):
            require_between("gas", field.name, getattr(self, field.name), TINY, HUGE)


WATER = Medium()
"""Water at 293 K."""

C4F10 = Gas()
"""Perfluorobutane, the gas of the bubbles."""
