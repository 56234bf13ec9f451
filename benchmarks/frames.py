"""Time frames of an array beside the same lines one element at a time.

    python benchmarks/frames.py [--bubbles 200] [--elements 96] [--repeats 7]

Prints the table kept in docs/phantoms.md. All sides compute the whole lines of one scene, in turn
on one core; the error is the relative L2 against `simulate_rf`.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simulator import seconds

from bubbleloc.physics import Scene, Setup, draw_scene, simulate_rf
from bubbleloc.physics.frames import echo_window, simulate_frame

DEEPEST_M = 0.07  # of scenes: no echo reaches the end of the record, where its filter wraps
REGION = ((-5e-3, 5e-3), (30e-3, 50e-3))


def separate_lines(scene: Scene, setup: Setup) -> NDArray[Any]:
    """Lines (elements, samples), each of a scene that is shifted below the one element."""
    one = replace(setup, elements=1)
    receivers_m = setup.probe.element_positions_m(setup.elements)
    shifted = [
        Scene(scene.depth_m, scene.lateral_m - x_m, scene.radius_m, scene.pressure_pa)
        for x_m in receivers_m
    ]
    return np.stack([simulate_rf(below, one).volts for below in shifted])


def main() -> None:
    """Measure all sides in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bubbles", type=int, default=200)
    parser.add_argument("--elements", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    setup = Setup(elements=options.elements)
    count = (options.bubbles, options.bubbles)
    scene = draw_scene(np.random.default_rng(1), count=count, depth_m=DEEPEST_M)
    window = echo_window(*REGION, setup)
    sides: dict[str, Callable[[], NDArray[Any]]] = {
        f"{options.elements} separate lines": lambda: separate_lines(scene, setup),
        f"`simulate_rf`, elements={options.elements}": lambda: simulate_rf(scene, setup).volts,
        "`simulate_frame`": lambda: simulate_frame(scene, setup),
        "`simulate_frame`, echoes of 30–50 mm": lambda: simulate_frame(scene, setup, window=window),
    }
    lines = [side() for side in sides.values()]  # compiles, and checks
    turns = [[seconds(side) for side in sides.values()] for _ in range(options.repeats)]
    times_s = np.median(turns, axis=0)
    lines[-1] = np.pad(lines[-1], ((0, 0), (window[0], setup.samples - window[1])))
    truth = lines[1]

    print("| side | ms per frame | times faster | error |")
    print("|---|---:|---:|---:|")
    for name, time_s, volts in zip(sides, times_s, lines, strict=True):
        inside = slice(*window) if "echoes" in name else slice(None)
        gap = volts[:, inside] - truth[:, inside]
        error = np.linalg.norm(gap) / np.linalg.norm(truth[:, inside])
        shown = f"{error:.0e}" if error else "0"
        print(f"| {name} | {1e3 * time_s:.1f} | {times_s[0] / time_s:.1f} | {shown} |")
    print(f"\n{options.bubbles} bubbles; medians of {options.repeats} turns.")


if __name__ == "__main__":
    main()
