"""Time delay-and-sum beside its peers, one after the other on one core.

    pip install pymust
    python benchmarks/beamforming.py [--repeats 7]

Lines of 100 bubbles below 96 elements are summed onto 300 × 600 pixels (10 × 20 mm). Peers run in
turn; shown are medians of the time of a frame. MUST's matrix is built before.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.beamforming import Grid, delay_and_sum
from bubbleloc.physics import Setup, draw_scene, simulate_rf

ELEMENTS, FRAMES = 96, 16
SETUP = Setup(elements=ELEMENTS, depth_m=0.1)
GRID = Grid(np.linspace(-5e-3, 5e-3, 300), np.linspace(30e-3, 50e-3, 600))
ARRAY = Array(SETUP.probe.element_positions_m(ELEMENTS), SETUP.scale)
Peer = Callable[[], Floats]


def lines() -> Float32s:
    """RF lines (E, L) of random bubbles."""
    scene = draw_scene(
        np.random.default_rng(0), "monodisperse", count=(100, 100), depth_m=0.1, width_m=0.01
    )
    return simulate_rf(scene, SETUP).volts


def literal(rf: Float32s) -> Floats:
    """The formula in NumPy, in double precision."""
    x_m, z_m = np.meshgrid(GRID.lateral_m, GRID.depth_m)
    samples, image = np.arange(rf.shape[1]), np.zeros(x_m.shape)
    for element_m, line in zip(ARRAY.element_m, rf.astype(np.float64), strict=True):
        way_m = z_m + np.hypot(x_m - element_m, z_m)
        image += np.interp(way_m * ARRAY.samples_per_m, samples, line, 0, 0)
    return image


def must(rf: Float32s) -> Peer | None:
    """The product with MUST's matrix, if it is installed."""
    try:
        import pymust
    except ImportError:
        print("pymust is not installed")
        return None
    param = pymust.utils.Param()
    param.fs, param.c = SETUP.sampling_rate_hz, ARRAY.scale.speed_of_sound_m_s
    param.fc, param.pitch = SETUP.carrier_hz, float(np.diff(ARRAY.element_m[:2])[0])
    param.t0, param.Nelements, param.fnumber = np.zeros(1), ELEMENTS, 0
    x_m, z_m = np.meshgrid(GRID.lateral_m, GRID.depth_m)
    start = time.perf_counter()
    matrix = pymust.dasmtx(rf.T.astype(float), x_m, z_m, np.zeros((1, ELEMENTS)), param).tocsr()
    built_s = time.perf_counter() - start
    mib = matrix.nnz * 12 / 2**20
    print(
        f"MUST's matrix: {built_s:.1f} s to build, {matrix.nnz / 1e6:.0f} M entries, {mib:.0f} MiB"
    )
    flat = rf.astype(np.float64).ravel()
    return lambda: (matrix @ flat).reshape(x_m.shape, order="F")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    rf = lines()
    many = np.repeat(rf[None], FRAMES, axis=0)
    peers: dict[str, tuple[int, Peer]] = {
        f"bubbleloc, {FRAMES} frames": (FRAMES, lambda: delay_and_sum(many, ARRAY, GRID)[-1]),
        "bubbleloc, 1 frame": (1, lambda: delay_and_sum(rf[None], ARRAY, GRID)[0]),
        "NumPy": (1, lambda: literal(rf)),
    }
    if (product := must(rf)) is not None:
        peers["pymust.dasmtx"] = (1, product)
    truth = literal(rf)
    times: dict[str, list[float]] = {name: [] for name in peers}
    errors = {
        name: np.abs(peer() - truth).max() / np.abs(truth).max()
        for name, (_, peer) in peers.items()
    }
    for _ in range(repeats):
        for name, (frames, peer) in peers.items():
            start = time.perf_counter()
            peer()
            times[name].append((time.perf_counter() - start) / frames)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours = next(iter(medians.values()))
    print("| | ms per frame | × ours | largest error, of the peak |\n|---|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {1e3 * median:.1f} | {median / ours:.1f} | {errors[name]:.0e} |")


if __name__ == "__main__":
    main()
