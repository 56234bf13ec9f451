"""The physics of a simulation: medium, gas, waveforms by name, and all settings, as published.

Defaults are those of Blanken et al., IEEE TMI 41(9), 2022; waveforms those of Zorgdrager et al.,
IEEE TUFFC (2025). `bubbleloc.physics` computes with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from bubbleloc.console.settings import types as t
from bubbleloc.console.settings.probes import P4_1, probe_called
from bubbleloc.console.settings.types import Group, setting
from bubbleloc.errors import require_between

# Bounds for constants that need only be positive and finite.
TINY, HUGE = 1e-12, 1e12
FROM_MAPPING = ConfigDict(extra="forbid", allow_inf_nan=False)  # not strict: those are mappings


def means(text: str) -> Any:
    """What a constant is, for ``--help``."""
    return Field(description=text)


@dataclass(frozen=True)
class Medium:
    """Properties of the liquid around the bubbles; the defaults are those of water.

    Raises:
        InputError: a value that no liquid has.
    """

    thermal_conductivity_w_m_k: Annotated[t.Positive, means("thermal conductivity, W/(m·K)")] = 0.6
    density_kg_m3: Annotated[t.Positive, means("density, kg/m³")] = 998.0
    heat_capacity_j_kg_k: Annotated[t.Positive, means("heat capacity, J/(kg·K)")] = 4186.0
    viscosity_pa_s: Annotated[t.Positive, means("viscosity, Pa·s")] = 1e-3
    speed_of_sound_m_s: Annotated[t.Speed, means("speed of sound, m/s")] = 1480.0
    surface_tension_n_m: Annotated[t.Positive, means("surface tension, N/m")] = 0.072
    temperature_k: Annotated[t.Positive, means("temperature, K")] = 293.0
    ambient_pressure_pa: Annotated[t.Positive, means("ambient pressure, Pa")] = 1.013e5
    attenuation_db_cm_mhz: Annotated[t.NotNegative, means("attenuation, dB/cm at 1 MHz")] = 0.002
    attenuation_power: Annotated[t.Positive, means("exponent of attenuation over frequency")] = 2.0
    nonlinearity_b_over_a: Annotated[t.NotNegative, means("nonlinearity parameter B/A")] = 5.2

    __pydantic_config__: ClassVar[ConfigDict] = FROM_MAPPING

    def __post_init__(self) -> None:
        may_be_zero = {"attenuation_db_cm_mhz", "nonlinearity_b_over_a"}
        for field in fields(self):
            low = 0.0 if field.name in may_be_zero else TINY
            require_between("medium", field.name, getattr(self, field.name), low, HUGE)


@dataclass(frozen=True)
class Gas:
    """Properties of the gas in the bubbles; the defaults are those of perfluorobutane C₄F₁₀.

    Raises:
        InputError: a value that no gas has.
    """

    thermal_conductivity_w_m_k: Annotated[t.Positive, means("heat conduction, W/(m·K)")] = 0.0138
    density_kg_m3: Annotated[t.Positive, means("density, kg/m³")] = 10.1
    molar_mass_kg_mol: Annotated[t.Positive, means("molar mass, kg/mol")] = 0.238
    heat_capacity_ratio: Annotated[t.Positive, means("ratio of heat capacities")] = 1.07
    heat_capacity_j_kg_k: Annotated[t.Positive, means("heat capacity, J/(kg·K)")] = 809.0

    __pydantic_config__: ClassVar[ConfigDict] = FROM_MAPPING

    def __post_init__(self) -> None:
        for field in fields(self):
            require_between("gas", field.name, getattr(self, field.name), TINY, HUGE)


WATER = Medium()
"""Water at 293 K."""

C4F10 = Gas()
"""Perfluorobutane, the gas of the bubbles."""


class Tristate(NamedTuple):
    """Three levels, of a frequency and cycles that a setup may change."""

    frequency_hz: float
    cycles: float


class Sine(NamedTuple):
    """A tone burst whose pressure peaks at a frequency."""

    frequency_hz: float
    cycles: float


class Chirp(NamedTuple):
    """A sweep from one frequency to another."""

    start_hz: float
    stop_hz: float
    duration_s: float

    @property
    def frequency_hz(self) -> float:
        """The middle of the sweep."""
        return (self.start_hz + self.stop_hz) / 2


class Train(NamedTuple):
    """Tone bursts, each delayed by a part of a burst with its ringing."""

    frequency_hz: float
    cycles: float
    delays: tuple[float, ...]


TRISTATE = "tristate"
UNIVERSAL = "universal"  # in place of a waveform: every line has its own, and tells it
WAVEFORMS: Mapping[str, Tristate | Sine | Chirp | Train] = {
    TRISTATE: Tristate(1.7e6, 1),
    "ref": Sine(2.5e6, 1),
    "s1.7": Sine(1.7e6, 3),
    "s2.5": Sine(2.5e6, 4.5),
    "s3.4": Sine(3.4e6, 6),
    "l1.7": Sine(1.7e6, 6),
    "l2.5": Sine(2.5e6, 9),
    "l3.4": Sine(3.4e6, 12),
    "suc": Chirp(1.2e6, 4.0e6, 5e-6),
    "sdc": Chirp(4.0e6, 1.2e6, 5e-6),
    "luc": Chirp(1.2e6, 4.0e6, 15e-6),
    "ldc": Chirp(4.0e6, 1.2e6, 15e-6),
    "dpt": Train(2.5e6, 4.5, (0.0, 0.3742, 1.6947, 0.3191)),
}
"""The published waveforms by name; lists of them in settings, messages and docs follow."""


def _given(values: Any) -> Any:
    """Leave out what is null, which means the default."""
    if not isinstance(values, Mapping):
        return values
    return {name: value for name, value in values.items() if value is not None}


def _of_probe(name: str) -> str:
    """Write the name of a probe as the table does, and leave that of a file as it is."""
    return probe_called(name) or name


NullIsDefault = BeforeValidator(_given)

Bubble = Literal["nonlinear", "linear"]
ShellName = Literal["segers", "marmottant", "none"]
Thermal = Literal["prosperetti", "adiabatic", "isothermal"]


class Physics(Group):
    """What `bubbleloc.physics.Setup` is loaded from."""

    bubble: Bubble = setting("linear: linearised, in a wave without a second harmonic", "nonlinear")
    shell: ShellName = setting("shell of the bubbles", "segers")
    thermal: Thermal = setting("heat exchange of the gas", "prosperetti")
    transducer: Annotated[t.PathName, AfterValidator(_of_probe)] = setting(
        "p4-1 or another probe by name such as l11-4v, gaussian, or a file (.yaml, .npz, .mat)",
        P4_1,
    )
    center_hz: t.Frequency | None = setting("centre frequency of transducer=gaussian", None)
    fractional_bandwidth: t.Positive | None = setting(
        "−6 dB width of each response of transducer=gaussian over center_hz, such as 0.7", None
    )
    aperture_m: t.Positive | None = setting(
        "width of the probe and the scenes; null: the probe's, 0.028 of the p4-1", None
    )
    transmit: t.PathName | None = setting(
        "file with the transmit response (.npz, .mat, .csv)", None
    )
    receive: t.PathName | None = setting("file with the receive response (.npz, .mat, .csv)", None)
    frequency_hz: t.Frequency | None = setting(
        "centre frequency of a tristate pulse (null: the probe's), or of your own (null: its peak)",
        None,
    )
    cycles: t.Number = setting("cycles of a tristate pulse", 1)
    drive: t.PathName | list[t.Number] | None = setting(
        "excitation at 250 MHz (4 samples per RF sample at 62.5 MHz): a file, or its samples", None
    )
    depth_m: t.Number = setting("depth of the record", 0.1)
    sampling_rate_hz: t.Rate = setting("sampling rate of the RF lines", 62.5e6)
    elements: t.Channels = setting("receive elements; a dataset holds one", 1)
    medium: Annotated[Medium, NullIsDefault] = WATER
    gas: Annotated[Gas, NullIsDefault] = C4F10

    null_is_default = model_validator(mode="before")(_given)

    def differing(self) -> dict[str, Any]:
        """Return plain values of shell, gas model, and all that differs from the defaults."""
        values = self.model_dump(exclude_defaults=True, warnings=False)
        values |= {"shell": self.shell, "thermal": self.thermal}  # as datasets have ever stored
        return {name: values[name] for name in type(self).model_fields if name in values}
