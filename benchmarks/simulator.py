"""Time the simulator beside one bubble at a time with an adaptive solver.

    python benchmarks/simulator.py [--bubbles 500] [--repeats 7] [--workers 2]

Prints the table kept in docs/benchmarks.md. Both sides run every stage (propagation, bubbles,
echoes, receive response), in turn on one core; the last row adds worker processes.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
from joblib import Parallel, delayed
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline

from bubbleloc.arrays import Floats
from bubbleloc.physics import Scene, Setup, add_echoes, draw_scene, receive, simulate_rf
from bubbleloc.physics.bubble import scattered_pressure
from bubbleloc.physics.propagation import pressure_at
from bubbleloc.physics.shell import thermal_behaviour

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
SETUP = Setup()
SEED = 1
# The adaptive side gets this many bubbles per turn: it needs a second for them.
ADAPTIVE_BUBBLES = 16


def adaptive_bubble(radius_m: float, drive_pa: Floats) -> tuple[Floats, Floats]:
    """R and dR/dt (M,) by RK45, rtol = atol = 1e-6 on x = R/R₀ − 1 as in the published code."""
    medium, shell = SETUP.medium, SETUP.shell_model
    radius = np.array([radius_m])
    tension = shell.resting_tension_n_m
    kappa, thermal = thermal_behaviour(
        SETUP.thermal, radius, tension, SETUP.carrier_hz, medium, SETUP.gas
    )
    ambient, sound = medium.ambient_pressure_pa, medium.speed_of_sound_m_s
    unit_s = float(radius_m * np.sqrt(medium.density_kg_m3 / ambient))
    viscous = 4 * (medium.viscosity_pa_s + float(thermal[0])) / (unit_s * ambient)
    shell_loss = 4 * float(shell.viscosity_kg_s(radius)[0]) / (radius_m * unit_s * ambient)
    gas, power = 1 + 2 * tension / (radius_m * ambient), 3 * float(kappa[0])
    tension_scale = 2 / (radius_m * ambient)
    area, low, high = shell.resting_area, shell.u_min, shell.u_max
    times = np.arange(len(drive_pa)) / (SETUP.simulation_rate_hz * unit_s)
    pressure = CubicSpline(times, drive_pa / ambient)

    def slope(t: float, y: Vector) -> list[float]:
        x, v = y
        r = 1 + x
        u = min(max(area * r * r - 1, low), high)
        sigma = 0.0
        for coefficient in shell.coefficients:
            sigma = sigma * u + coefficient
        wall = gas * r**-power * (1 - power * radius_m / unit_s / sound * v) - 1
        wall -= (tension_scale * sigma + viscous * v + shell_loss * v / r) / r + float(pressure(t))
        return [v, (wall - 1.5 * v * v) / r]

    y = solve_ivp(slope, (times[0], times[-1]), np.zeros(2), "RK45", times, rtol=1e-6, atol=1e-6).y
    return radius_m * (1 + y[0]), y[1] * radius_m / unit_s


def adaptive_rf(scene: Scene) -> Floats:
    """The RF line (samples,) of a scene, a bubble at a time."""
    record = np.zeros((1, SETUP.record_samples))
    for i in range(len(scene)):
        one = slice(i, i + 1)
        drive = pressure_at(scene.depth_m[one], scene.pressure_pa, SETUP)[0]
        radius, velocity = adaptive_bubble(float(scene.radius_m[i]), drive)
        scattered = scattered_pressure(radius[None], velocity[None], SETUP)
        add_echoes(record, scattered, scene.depth_m[one], scene.lateral_m[one], SETUP)
    return receive(record, SETUP)[0]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_memory_mb(scene: Scene) -> float:
    """Most memory this process ever held, a simulation of ``scene`` included."""
    simulate_rf(scene)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def pooled(scenes: list[Scene], workers: int, repeats: int) -> tuple[float, float]:
    """Signals per second (median) on warm worker processes, and the largest one's MB."""
    with Parallel(n_jobs=workers) as pool:
        pool(delayed(simulate_rf)(scene) for scene in scenes[: 2 * workers])
        times = [
            seconds(lambda: pool(delayed(simulate_rf)(scene) for scene in scenes))
            for _ in range(repeats)
        ]
        peaks = pool(delayed(peak_memory_mb)(scene) for scene in scenes)
    return len(scenes) / float(np.median(times)), max(peaks)


def main() -> None:
    """Measure both sides in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bubbles", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    scene = draw_scene(rng, count=(options.bubbles,) * 2, pressure_pa=(125e3, 125e3))
    few = draw_scene(rng, count=(ADAPTIVE_BUBBLES,) * 2, pressure_pa=(125e3, 125e3))
    ours, truth = simulate_rf(few).volts, adaptive_rf(few)  # compiles, and checks
    difference = np.linalg.norm(ours - truth) / np.linalg.norm(truth)

    turns = [
        (seconds(lambda: simulate_rf(scene)), seconds(lambda: adaptive_rf(few)))
        for _ in range(options.repeats)
    ]
    batched_s, adaptive_s = np.median(turns, axis=0)
    batched, adaptive = len(scene) / batched_s, len(few) / adaptive_s
    parallel, peak_mb = pooled([scene] * 50, options.workers, options.repeats)

    print("| simulator | bubbles/s | signals/s | against RK45 |")
    print("|---|---:|---:|---:|")
    per_signal = options.bubbles
    print(
        f"| one `solve_ivp` (RK45, 1e-6) per bubble, 1 core | {adaptive:.0f} | "
        f"{adaptive / per_signal:.3f} | 1 |"
    )
    print(
        f"| bubbleloc, 1 core | {batched:.0f} | {batched / per_signal:.1f} | "
        f"{batched / adaptive:.0f} |"
    )
    print(
        f"| bubbleloc, {options.workers} worker processes | {parallel * per_signal:.0f} | "
        f"{parallel:.1f} | {parallel * per_signal / adaptive:.0f} |"
    )
    print(
        f"\nSignals of {per_signal} bubbles; medians of {options.repeats} turns. The RF lines of "
        f"both sides differ by {difference:.1e} in relative L2. Largest worker: {peak_mb:.0f} MB."
    )


if __name__ == "__main__":
    main()
