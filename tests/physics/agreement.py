"""Print the agreement table of docs/physics.md: ``python -m tests.physics.agreement``."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from bubbleloc.physics import (
    WATER,
    Scene,
    Setup,
    bubble_response,
    max_pressure_field,
    propagate,
    shell_named,
    simulate_rf,
    unit_pulse,
)
from tests.physics.reference import REFERENCE, cases, load, relative_l2

# The published code finds σ = 0.010 N/m at a slightly wrong area, see docs/physics.md.
PUBLISHED_ROOT = dataclasses.replace(shell_named("segers", WATER), resting_area=0.94648544)


def waves(setup: Setup) -> Iterator[tuple[str, float]]:
    """Differences in pulse and propagation."""
    truth = load("pulse_01")
    pressure, derivative = unit_pulse(setup)
    yield "pulse p", relative_l2(truth["PA"] * pressure, truth["p"])
    yield "pulse dp/dt", relative_l2(truth["PA"] * derivative, truth["dp"])
    for case in cases("propagation"):
        truth = load(case)
        fundamental, harmonic = propagate(truth["z"], truth["PA"], setup)
        yield "fundamental at depth", relative_l2(fundamental[0], truth["p1"])
        yield "second harmonic at depth", relative_l2(harmonic[0], truth["p2"])


def bubbles(setup: Setup) -> Iterator[tuple[str, float]]:
    """Differences in single bubbles, 5 kPa apart from the rest."""
    for case in cases("single"):
        truth = load(case)
        shell = setup.shell if truth["model"] == "Segers" else "marmottant"
        own = dataclasses.replace(setup, shell=shell)
        response = bubble_response(truth["R0"], truth["z"], truth["PA"], own)
        excursion, rest = response.radius_m[0] - truth["R0"], truth["R0"]
        level = "5 kPa" if truth["PA"] <= 5e3 else "60–250 kPa"
        yield f"R − R₀, {level}, tight", relative_l2(excursion, truth["R_tight"] - rest)
        yield f"R − R₀, {level}", relative_l2(excursion, truth["R"] - rest)
        yield f"dR/dt, {level}", relative_l2(response.velocity_m_s[0], truth["Rdot"])
        yield f"p_s, {level}, tight", relative_l2(response.scattered_pa[0], truth["ps_tight"])
        yield f"p_s, {level}", relative_l2(response.scattered_pa[0], truth["ps"])


def lines(setup: Setup) -> Iterator[tuple[str, float]]:
    """Differences in RF lines, arrival counts (must be 0) and the pressure field."""
    for case in cases("scene"):
        truth = load(case)
        line = simulate_rf(Scene(truth["z"], truth["x"], truth["R0"], truth["PA"]), setup)
        count = np.bincount(np.rint(line.arrival_sample).astype(int), minlength=8446)
        yield "RF line, tight", relative_l2(line.volts, truth["V_tight"])
        yield "RF line", relative_l2(line.volts, truth["V"])
        yield "samples with another bubble count", float((count != truth["bubble_count"]).sum())
        field = max_pressure_field(float(truth["PA"]), setup)
        yield "pressure field", relative_l2(field, truth["pfield_PA"])


def main() -> None:
    measured = Setup(transducer=REFERENCE / "transfer_functions.npz")
    setups = [measured, Setup(), dataclasses.replace(measured, shell=PUBLISHED_ROOT)]
    columns: list[dict[str, float]] = []
    for setup in setups:
        worst: dict[str, float] = {}
        for stage in (waves, bubbles, lines):
            for name, difference in stage(setup):
                worst[name] = max(difference, worst.get(name, 0.0))
        columns.append(worst)
    print("| stage | reference's T, H | compact P4-1 | reference's T, H and root |")
    print("|---|---:|---:|---:|")
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(f"{column[name]:.1e}" for column in columns) + " |")


if __name__ == "__main__":
    main()
