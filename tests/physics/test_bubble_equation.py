"""The integrator against an adaptive solver, a halved step, and linear theory."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from bubbleloc.arrays import Floats
from bubbleloc.errors import InputError
from bubbleloc.physics import WATER, Setup, bubble_response, shell_named
from bubbleloc.physics.bubble import oscillate
from bubbleloc.physics.propagation import pressure_at
from bubbleloc.physics.shell import thermal_behaviour
from tests.physics.reference import assert_halving_the_step_changes_little, relative_l2

SETUP = Setup()
CASES = [
    (0.6e-6, 125e3, "segers"),
    (1.0e-6, 60e3, "segers"),
    (2.2e-6, 250e3, "segers"),
    (2.4e-6, 5e3, "segers"),
    (2.6e-6, 250e3, "segers"),
    (4.0e-6, 250e3, "segers"),
    (2.4e-6, 125e3, "marmottant"),
    (2.4e-6, 250e3, "marmottant"),
    (3.0e-6, 60e3, "none"),
]


def adaptive_radius(
    radius_m: float, drive_pa: Floats, setup: Setup, method: str, rtol: float
) -> Floats:
    """R(t) (M,) of the equation written in SI units, as in the papers."""
    medium, shell = setup.medium, setup.shell_model
    radius = np.array([radius_m])
    kappa, thermal = thermal_behaviour(
        setup.thermal, radius, shell.resting_tension_n_m, setup.carrier_hz, medium, setup.gas
    )
    k, viscosity = kappa[0], medium.viscosity_pa_s + thermal[0]
    shell_viscosity = shell.viscosity_kg_s(radius)[0]
    ambient, rho, c = medium.ambient_pressure_pa, medium.density_kg_m3, medium.speed_of_sound_m_s
    rest_pa = ambient + 2 * shell.resting_tension_n_m / radius_m
    time_s = np.arange(len(drive_pa)) / setup.simulation_rate_hz
    pressure = CubicSpline(time_s, drive_pa)

    def slope(t: float, y: Floats) -> list[float]:
        R, V = y
        sigma = shell.tension_n_m(np.array([R / radius_m - 1]))[0]
        wall_pa = (
            rest_pa * (radius_m / R) ** (3 * k) * (1 - 3 * k * V / c)
            - ambient
            - 2 * sigma / R
            - 4 * viscosity * V / R
            - 4 * shell_viscosity * V / R**2
            - pressure(t)
        )
        return [V, (wall_pa / rho - 1.5 * V**2) / R]

    solution = solve_ivp(
        slope, time_s[[0, -1]], [radius_m, 0.0], method, time_s, rtol=rtol, atol=1e-18
    )
    return np.asarray(solution.y[0])


@pytest.mark.parametrize(("radius_m", "pressure_pa", "shell"), CASES)
def test_matches_dop853(radius_m: float, pressure_pa: float, shell: str) -> None:
    """The first 500 samples hold the pulse and the strongest oscillation."""
    setup = dataclasses.replace(SETUP, shell=shell)
    drive = pressure_at(0.02, pressure_pa, setup)[:, :500]
    strain, _ = oscillate(np.array([radius_m]), drive, setup)
    truth = adaptive_radius(radius_m, drive[0], setup, "DOP853", 1e-10) / radius_m - 1
    assert relative_l2(strain[0], truth) <= 1e-3


@pytest.mark.parametrize("shell", ["segers", "marmottant", "none"])
@pytest.mark.parametrize("pressure_pa", [5e3, 60e3, 125e3, 250e3])
def test_halving_the_step_changes_little(pressure_pa: float, shell: str) -> None:
    """Over all radii of the reference bubbles and of SonoVue, hard collapses of clean gas too."""
    radius = np.array([0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 1.8, 2.2, 2.4, 2.6, 4.0, 6.0]) * 1e-6
    setup = dataclasses.replace(SETUP, shell=shell)
    assert_halving_the_step_changes_little(radius, 0.0037, pressure_pa, setup)


@pytest.mark.parametrize("shell", ["marmottant", "none"])
@pytest.mark.parametrize("radius_m", [1.5e-6, 3e-6])
def test_faint_tone_gives_the_linear_response(radius_m: float, shell: str) -> None:
    """x = −(p/P₀)/(ω₀² − ω² + iωδ) from the equation linearised by hand, in its own units."""
    setup = dataclasses.replace(SETUP, shell=shell, thermal="isothermal")
    medium, model = setup.medium, setup.shell_model
    ambient, frequency_hz, faint_pa = medium.ambient_pressure_pa, 1.5e6, 0.1
    time_s = np.arange(6000) / setup.simulation_rate_hz
    ramp = np.minimum(time_s * frequency_hz / 4, 1)
    drive = faint_pa * ramp * np.sin(2 * np.pi * frequency_hz * time_s)
    # An elastic shell is linear only off its buckling point; the Marmottant rest is inside.
    strain, _ = oscillate(np.array([radius_m]), drive[None], setup)

    unit_s = radius_m * np.sqrt(medium.density_kg_m3 / ambient)
    tension = 2 * model.resting_tension_n_m / (radius_m * ambient)
    chi = 0.55 if shell == "marmottant" else 0.0
    rest_area = 1 + model.resting_tension_n_m / 0.55
    stiffness = 3 * (1 + tension) - tension + 4 * chi * rest_area / (radius_m * ambient)
    shell_viscosity = model.viscosity_kg_s(np.array([radius_m]))[0]
    damping = (
        3 * (1 + tension) * radius_m / unit_s / medium.speed_of_sound_m_s
        + 4 * medium.viscosity_pa_s / (unit_s * ambient)
        + 4 * shell_viscosity / (radius_m * unit_s * ambient)
    )
    omega = 2 * np.pi * frequency_hz * unit_s
    response = -1 / (stiffness - omega**2 + 1j * omega * damping)
    steady = slice(4000, None)
    phase = np.exp(2j * np.pi * frequency_hz * time_s[steady])
    expected = np.imag(response * phase) * faint_pa / ambient
    assert relative_l2(strain[0, steady], expected) <= 2e-3


def test_without_a_pulse_nothing_moves() -> None:
    for shell in ("segers", "marmottant", "none"):
        setup = dataclasses.replace(SETUP, shell=shell)
        response = bubble_response([2.4e-6, 1e-6], 0.05, 0.0, setup)
        assert np.abs(response.velocity_m_s).max() < 1e-9
        assert np.abs(response.scattered_pa).max() < 1e-3


def test_a_bubble_ignores_its_companions() -> None:
    """Bit for bit, wherever in a vector block it sits."""
    rng = np.random.default_rng(1)
    radius, depth = rng.uniform(1e-6, 4e-6, 37), rng.uniform(0.01, 0.09, 37)
    together = bubble_response(radius, depth, 150e3)
    for i in (0, 15, 16, 36):
        alone = bubble_response(radius[i], depth[i], 150e3)
        np.testing.assert_array_equal(alone.radius_m[0], together.radius_m[i])
        np.testing.assert_array_equal(alone.scattered_pa[0], together.scattered_pa[i])


def test_a_hard_collapse_leaves_its_block_alone() -> None:
    """Clean 1 µm bubbles at 250 kPa need smaller steps; their neighbours keep their numbers."""
    setup = dataclasses.replace(SETUP, shell="none")
    together = bubble_response([4e-6, 1e-6, 4e-6], 0.02, 250e3, setup)
    alone = bubble_response(4e-6, 0.02, 250e3, setup)
    np.testing.assert_array_equal(together.radius_m[2], alone.radius_m[0])
    drive = pressure_at(0.02, 250e3, setup)
    truth = adaptive_radius(1e-6, drive[0, :500], setup, "DOP853", 1e-10)
    assert relative_l2(together.radius_m[1, :500] - 1e-6, truth - 1e-6) <= 1e-3


def test_a_collapse_beyond_any_step_is_refused() -> None:
    with pytest.raises(InputError, match="collapses"):
        bubble_response(1e-6, 0.02, 5e6, dataclasses.replace(SETUP, shell="none"))


def test_response_shapes_and_broadcasting() -> None:
    response = bubble_response([1e-6, 2e-6, 3e-6], 0.05, [1e4, 2e4, 3e4])
    for field in dataclasses.fields(response):
        assert getattr(response, field.name).shape == (3, 1424)
    assert response.time_s[0, 0] == pytest.approx(0.05 / 1480)


@pytest.mark.parametrize(
    "arguments",
    [
        ([1e-6, 2e-6], [0.01, 0.02, 0.03], 1e5),
        (np.nan, 0.05, 1e5),
        (2.4, 0.05, 1e5),
        (2.4e-6, -0.05, 1e5),
        (2.4e-6, 0.05, np.inf),
        ([[2.4e-6]], 0.05, 1e5),
    ],
)
def test_bad_bubbles(arguments: tuple[object, object, object]) -> None:
    with pytest.raises(InputError):
        bubble_response(*arguments)  # type: ignore[arg-type]


def test_large_bubbles_warn() -> None:
    with pytest.warns(UserWarning, match="6 µm") as record:
        bubble_response([7e-6, 8e-6], 0.05, 1e4)
    assert len(record) == 1


def test_shell_curves() -> None:
    strain = np.linspace(-0.3, 0.3, 601)
    for name in ("segers", "marmottant"):
        shell = shell_named(name, WATER)
        tension = shell.tension_n_m(strain)
        assert shell.tension_n_m(np.zeros(1))[0] == pytest.approx(0.010, abs=1e-9)
        assert tension[0] == pytest.approx(0, abs=1e-9)
        assert tension[-1] == pytest.approx(0.072)
        assert (np.diff(tension) > -1e-4).all()
    buckling = 1 / np.sqrt(1 + 0.010 / 0.55)
    elastic = 0.55 * ((1 + strain) ** 2 / buckling**2 - 1)
    expected = np.clip(elastic, 0, 0.072)
    np.testing.assert_allclose(shell.tension_n_m(strain), expected, atol=1e-12)
    assert (shell_named("none", WATER).tension_n_m(strain) == 0.072).all()


def test_thermal_limits() -> None:
    """Small bubbles exchange heat freely (κ → 1), large and slow ones hardly (κ → γ).

    Both limits carry ρR_gT/(MP) = 1.02: the published gas is 2 % denser than an ideal one.
    """
    gas = SETUP.gas
    excess = gas.density_kg_m3 * 8.314 * WATER.temperature_k
    excess /= gas.molar_mass_kg_mol * WATER.ambient_pressure_pa
    small, large = np.array([0.05e-6]), np.array([2e-3])
    kappa, viscosity = thermal_behaviour("prosperetti", small, 0.0, 1.7e6, WATER, gas)
    assert kappa[0] == pytest.approx(excess, rel=1e-5)
    assert viscosity[0] > 0
    kappa, _ = thermal_behaviour("prosperetti", large, 0.0, 100.0, WATER, gas)
    assert kappa[0] == pytest.approx(1.07 * excess, rel=5e-3)
    assert thermal_behaviour("adiabatic", small, 0.0, 1.7e6, WATER, gas) == (1.07, 0.0)
    assert thermal_behaviour("isothermal", small, 0.0, 1.7e6, WATER, gas) == (1.0, 0.0)
    with pytest.raises(InputError, match="prosperetti"):
        thermal_behaviour("warm", small, 0.0, 1.7e6, WATER, gas)
