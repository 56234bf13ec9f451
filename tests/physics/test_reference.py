"""Stage by stage against the published simulator; tolerances are relative L2 differences."""

import dataclasses

import numpy as np
import pytest

from bubbleloc.physics import (
    P4_1,
    WATER,
    Scene,
    Setup,
    bubble_response,
    max_pressure_field,
    propagate,
    receive,
    simulate_rf,
    unit_pulse,
)
from bubbleloc.physics.shell import thermal_behaviour
from tests.physics.agreement import PUBLISHED_ROOT
from tests.physics.reference import REFERENCE, cases, load, needs_reference, relative_l2

pytestmark = needs_reference

MEASURED = Setup(transducer=REFERENCE / "transfer_functions.npz") if REFERENCE.is_dir() else Setup()
COMPACT = Setup()

SETUPS = pytest.mark.parametrize(
    ("setup", "tolerance"), [(MEASURED, 1e-6), (COMPACT, 1.5e-3)], ids=["measured", "compact"]
)


@SETUPS
def test_pulse(setup: Setup, tolerance: float) -> None:
    truth = load("pulse_01")
    pressure, _ = unit_pulse(setup)
    assert relative_l2(truth["PA"] * pressure, truth["p"]) <= tolerance


def test_pulse_derivative() -> None:
    truth = load("pulse_01")
    assert relative_l2(truth["PA"] * unit_pulse(MEASURED)[1], truth["dp"]) <= 1e-6


@SETUPS
@pytest.mark.parametrize("case", cases("propagation"))
def test_propagation(case: str, setup: Setup, tolerance: float) -> None:
    truth = load(case)
    fundamental, harmonic = propagate(truth["z"], truth["PA"], setup)
    assert relative_l2(fundamental[0], truth["p1"]) <= tolerance
    assert relative_l2(harmonic[0], truth["p2"]) <= tolerance
    assert relative_l2((fundamental + harmonic)[0], truth["p"]) <= tolerance


@pytest.mark.parametrize("case", cases("single"))
def test_thermal_and_shell_viscosity(case: str) -> None:
    truth = load(case)
    radius = np.atleast_1d(truth["R0"])
    kappa, viscosity = thermal_behaviour("prosperetti", radius, 0.01, 1.7e6, WATER, COMPACT.gas)
    assert kappa[0] == pytest.approx(float(truth["kappa"]), rel=1e-10)
    assert viscosity[0] == pytest.approx(float(truth["nu_th"]), rel=1e-10)
    shell_viscosity = COMPACT.shell_model.viscosity_kg_s(radius)
    assert shell_viscosity[0] == pytest.approx(float(truth["Ks"]), rel=1e-10)


@pytest.mark.parametrize("setup", [MEASURED, COMPACT], ids=["measured", "compact"])
@pytest.mark.parametrize("case", cases("single"))
def test_bubble(case: str, setup: Setup) -> None:
    """Against the tight solution of the same equations; against the published one where the
    published round-off allows it."""
    truth = load(case)
    setup = dataclasses.replace(setup, shell=str(truth["model"]).lower())
    response = bubble_response(truth["R0"], truth["z"], truth["PA"], setup)
    rest = truth["R0"]
    np.testing.assert_allclose(response.time_s[0], truth["t"], rtol=1e-12)
    assert relative_l2(response.radius_m[0] - rest, truth["R_tight"] - rest) <= 2e-3
    assert relative_l2(response.scattered_pa[0], truth["ps_tight"]) <= 1e-2
    assert relative_l2(response.velocity_m_s[0], truth["Rdot"]) <= 1e-2
    if truth["R0"] > 1e-6 or truth["PA"] > 5e3:
        assert relative_l2(response.scattered_pa[0], truth["ps"]) <= 1e-2


def published_radius_is_clean(case: str) -> bool:
    """4 µm at 5 kPa is out: the published round-off alone is 2.3e-3 of R − R₀ there."""
    truth = load(case)
    return bool(truth["PA"] > 5e3 or truth["R0"] < 3e-6)


@pytest.mark.parametrize("case", list(filter(published_radius_is_clean, cases("single"))))
def test_bubble_from_the_published_root(case: str) -> None:
    """With the published resting area the published radius itself is met."""
    truth = load(case)
    shell = PUBLISHED_ROOT if truth["model"] == "Segers" else "marmottant"
    response = bubble_response(
        truth["R0"], truth["z"], truth["PA"], dataclasses.replace(MEASURED, shell=shell)
    )
    assert relative_l2(response.radius_m[0] - truth["R0"], truth["R"] - truth["R0"]) <= 1e-3
    assert relative_l2(response.scattered_pa[0], truth["ps"]) <= 1e-2


@pytest.mark.parametrize("case", cases("scene"))
@pytest.mark.parametrize(
    ("setup", "tolerance"),
    [
        (MEASURED, 1e-3),
        (COMPACT, 3e-3),
        (dataclasses.replace(MEASURED, shell=PUBLISHED_ROOT), 2e-4),
    ],
    ids=["measured", "compact", "published-root"],
)
def test_rf_line(case: str, setup: Setup, tolerance: float) -> None:
    truth = load(case)
    scene = Scene(truth["z"], truth["x"], truth["R0"], truth["PA"])
    line = simulate_rf(scene, setup)
    assert line.volts.shape == (8446,)
    assert line.volts.dtype == np.float32
    assert relative_l2(line.volts, truth["V"]) <= tolerance
    samples = np.rint(line.arrival_sample).astype(int)
    np.testing.assert_array_equal(np.bincount(samples, minlength=8446), truth["bubble_count"])


@pytest.mark.parametrize("case", cases("scene")[:1])
def test_pressure_field(case: str) -> None:
    truth = load(case)
    field = max_pressure_field(float(truth["PA"]), MEASURED)
    assert relative_l2(field, truth["pfield_PA"]) <= 1e-6


def test_compact_responses() -> None:
    """Receive: an echo filtered by the fit and by the table differ by less than 1e-3."""
    truth = load("scene_01")
    record = np.zeros((1, COMPACT.record_samples))
    response = bubble_response(truth["R0"], truth["z"], truth["PA"], COMPACT)
    record[0, 5000:6424] = response.scattered_pa[0]
    fit = dataclasses.replace(COMPACT, transducer=P4_1)
    assert relative_l2(receive(record, fit), receive(record, MEASURED)) <= 1e-3
