"""What moving tissue and the filter that takes it out cost: bubbles by speed, and F1 over density.

    python benchmarks/map_clutter.py [--jobs 2] [--phantoms 3]

Blocks of 400 frames, 250 per second, of bubbles that move straight on, in any direction, at 2 to
20 mm/s, with noise of 4 %. Tissue swings at up to 1 mm/s, 20 dB over the bubbles' lines (rms).
Methods see some frames of a block without tissue and the same ones with tissue filtered out. Writes
docs/results/map_clutter.csv, map_clutter_gain.csv and map_clutter_speed.csv.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from map_density import (
    BOUNDS,
    DEPTH_M,
    FRAMES,
    LATERAL_M,
    MARGIN_M,
    REGION,
    RESULTS,
    SETUP,
    SPARSE,
    SPARSE_FRAMES,
    WAVELENGTH_M,
    gains,
    known_echo,
    network,
    summary,
)

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.data.noise import Noise
from bubbleloc.files import atomic
from bubbleloc.formats import Volts, recording_of_array
from bubbleloc.formats.clutter import find_clutter, without_clutter
from bubbleloc.imaging.array import Array
from bubbleloc.imaging.learned import LearnedEcho, learned_echo
from bubbleloc.imaging.methods import build
from bubbleloc.imaging.positions import FrameMethod
from bubbleloc.metrics.positions import FrameAnswer, score_positions
from bubbleloc.physics.bubble import respond
from bubbleloc.physics.clutter import Tissue, simulate_clutter, tissue_region
from bubbleloc.physics.flow import uniform_scene
from bubbleloc.physics.frames import arrival_samples, echo_window, paths
from bubbleloc.physics.reception import received
from bubbleloc.physics.scene import Scene
from bubbleloc.tables import write_csv

BLOCK, RATE_HZ = 400, 250.0
SPEEDS_M_S = (2e-3, 20e-3)
LEVEL_DB, NOISE = 20.0, Noise(0.04)
WINDOW = echo_window(LATERAL_M, DEPTH_M, SETUP)
METHODS = ("conventional", "wiener", "clean", "network", "learned")
KINDS = ("without tissue", "tissue filtered out")
TRIED_MM_S = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
DIRECTIONS = {"axial": (0.0, 1.0), "oblique": (0.5**0.5, 0.5**0.5), "lateral": (1.0, 0.0)}
ROUND_M = np.array([np.ptp(LATERAL_M), np.ptp(DEPTH_M)])
CORNER_M = np.array([LATERAL_M[0], DEPTH_M[0]])


def random_of(phantom: int, *key: int) -> np.random.Generator:
    """Return the random numbers of a phantom for one purpose."""
    return np.random.default_rng(np.random.SeedSequence(phantom, spawn_key=key))


def paths_of(phantom: int, density_mm2: float) -> tuple[Scene, Floats]:
    """Return bubbles, and where they are in every frame (frames, B, 2).

    A bubble that leaves the region comes in again on the other side.
    """
    scene = uniform_scene(phantom, round(1e6 * density_mm2), density_mm2, LATERAL_M, DEPTH_M)
    rng = random_of(phantom, 3, round(1e6 * density_mm2))
    turn = rng.uniform(0, 2 * np.pi, len(scene))
    velocity = rng.uniform(*SPEEDS_M_S, len(scene)) * np.stack([np.sin(turn), np.cos(turn)])
    return scene, moved(np.stack([scene.lateral_m, scene.depth_m]), velocity)


def moved(start_m: Floats, velocity_m_s: Floats) -> Floats:
    """Return places (frames, B, 2) of bubbles (2, B) that move straight on."""
    time_s = np.arange(BLOCK)[:, None, None] / RATE_HZ
    place_m = start_m.T + velocity_m_s.T * time_s
    return (place_m - CORNER_M) % ROUND_M + CORNER_M


def simulate(scene: Scene, places_m: Floats) -> Float32s:
    """Return the lines (frames, E, L) of bubbles, whose echoes keep their first shape."""
    lines = np.zeros((len(places_m), SETUP.elements, WINDOW[1] - WINDOW[0]), dtype=np.float32)
    for begin in range(0, len(scene), 32):
        some = slice(begin, begin + 32)
        pressure_pa = np.full(len(scene.depth_m[some]), scene.pressure_pa)
        sound = respond(scene.radius_m[some], scene.depth_m[some], pressure_pa, SETUP)
        count = len(pressure_pa)
        ends = (np.full(count, DEPTH_M[0]), np.full(count, 1.5 * DEPTH_M[1]))
        echoes = received(sound.scattered_pa, *ends, SETUP)
        for frame, (x_m, z_m) in enumerate(np.moveaxis(places_m[:, some], 2, 1)):
            distance_m, gain = paths(x_m, z_m, SETUP, directivity=False)
            start = arrival_samples(x_m, z_m, SETUP).T - WINDOW[0]
            echoes.add_to(lines[frame], np.arange(count), distance_m, gain, start)
    return lines


@lru_cache(maxsize=1)
def tissue_of(phantom: int) -> Float32s:
    """Return the lines (frames, E, L) of tissue, of an rms of 1."""
    tissue = Tissue.draw(phantom, tissue_region(SETUP, WINDOW))
    times_s = np.arange(BLOCK) / RATE_HZ
    lines = np.stack([simulate_clutter(tissue.at(t), SETUP, window=WINDOW) for t in times_s])
    return lines / np.float32(np.sqrt(np.mean(np.square(lines), dtype=np.float64)))


def noisy(lines: Float32s, phantom: int, density_mm2: float) -> Float32s:
    """Return lines with noise, the same for the same phantom and density."""
    rng = random_of(phantom, 4, round(1e6 * density_mm2))
    flat = lines.reshape(-1, lines.shape[-1])
    rows = [NOISE(line, rng, SETUP.sampling_rate_hz) for line in flat]
    return np.reshape(rows, lines.shape)


def blocks(phantom: int, density_mm2: float) -> dict[str, Float32s | Volts]:
    """Return the frames of a block by kind."""
    scene, places_m = paths_of(phantom, density_mm2)
    bubbles = simulate(scene, places_m)
    level = 10 ** (LEVEL_DB / 20) * np.sqrt(np.mean(np.square(bubbles), dtype=np.float64))
    both = noisy(bubbles + np.float32(level) * tissue_of(phantom), phantom, density_mm2)
    recording = recording_of_array("block", both, facts={"fs": SETUP.sampling_rate_hz})
    filtered = without_clutter(recording, BLOCK).volts
    return {"without tissue": noisy(bubbles, phantom, density_mm2), "tissue filtered out": filtered}


def array() -> Array:
    """Return the geometry of the lines."""
    receivers_m = SETUP.probe.element_positions_m(SETUP.elements)
    return Array(receivers_m, SETUP.scale, delay_samples=-float(WINDOW[0]))


def method_of(name: str, echo: LearnedEcho) -> FrameMethod:
    """Return a method, `learned` with the echo that was learned."""
    known = known_echo("monodisperse", 100e3)
    told = echo if name == "learned" else known
    return build(name, array(), REGION, echo=told, network=network())


def spread(count: int) -> list[int]:
    """Return numbers of frames all over a block."""
    return [int((i + 0.5) * BLOCK / count) for i in range(count)]


def phantom_answers(phantom: int, work: Path) -> None:
    """Let all methods find the bubbles of a phantom; keep what they found, a file per density."""
    echo = {}
    for density_mm2 in (SPARSE, *(d for d in FRAMES if d != SPARSE)):  # the echo is learned first
        path = work / f"{phantom}_{density_mm2:g}.csv"
        if path.exists() and density_mm2 != SPARSE:
            continue
        shown = blocks(phantom, density_mm2)
        tables = []
        for kind in KINDS:
            if density_mm2 == SPARSE:
                sparse = [shown[kind][n] for n in spread(SPARSE_FRAMES + 1)[1:]]
                echo[kind] = learned_echo(sparse, array(), REGION, network())
            for method in METHODS:
                find = method_of(method, echo[kind])
                for frame in spread(FRAMES[density_mm2]):
                    found = find(np.asarray(shown[kind][frame])).to_table(frame)
                    tables.append(found.assign(kind=kind, method=method))
        with atomic(path) as unfinished:
            pd.concat(tables).to_csv(unfinished, index=False)


def answers(
    phantom: int, density_mm2: float, kind: str, method: str, work: Path
) -> list[FrameAnswer]:
    """Return what a method found, and what is there."""
    table = pd.read_csv(work / f"{phantom}_{density_mm2:g}.csv")
    table = table[(table["kind"] == kind) & (table["method"] == method)]
    _, places_m = paths_of(phantom, density_mm2)
    frames = []
    for frame in spread(FRAMES[density_mm2]):
        part = table[table["frame"] == frame]
        found_m = 1e-3 * part[["x_mm", "z_mm"]].to_numpy()
        near = REGION.holds(found_m[:, 0], found_m[:, 1], MARGIN_M)
        confidence = part["probability"].fillna(part["height"]).to_numpy()
        frames.append(FrameAnswer(found_m[near], confidence[near], places_m[frame]))
    return frames


def scores(phantoms: int, work: Path) -> pd.DataFrame:
    """Return the scores of every phantom, with thresholds of the other ones."""
    tables = []
    for kind in KINDS:
        for method in METHODS:
            for density_mm2 in FRAMES:
                found = [answers(p, density_mm2, kind, method, work) for p in range(phantoms)]
                for phantom, frames in enumerate(found):
                    others = [f for p, rest in enumerate(found) if p != phantom for f in rest]
                    rng = random_of(phantom, 5)
                    table = score_positions(others, frames, WAVELENGTH_M, BOUNDS, rng)
                    tables.append(
                        table.assign(
                            condition=kind, method=method, density_mm2=density_mm2, phantom=phantom
                        )
                    )
    return pd.concat(tables)


def kept_by_speed(phantom: int, work: Path) -> None:
    """Keep the share of a bubble's energy that the filter leaves, by speed and direction."""
    path = work / f"kept_{phantom}.csv"
    if path.exists():
        return
    scene, places_m = paths_of(phantom, 1.0)
    bubbles = simulate(scene, places_m)
    level = 10 ** (LEVEL_DB / 20) * np.sqrt(np.mean(np.square(bubbles), dtype=np.float64))
    both = noisy(bubbles + np.float32(level) * tissue_of(phantom), phantom, 1.0)
    clutter = find_clutter(recording_of_array("block", both).volts)
    rows = []
    for speed_mm_s in TRIED_MM_S:
        row: dict[str, float] = {"phantom": phantom, "speed_mm_s": speed_mm_s}
        for name, direction in DIRECTIONS.items():
            start_m = np.array([[0.0], [40e-3]])
            velocity_m_s = 1e-3 * speed_mm_s * np.array(direction)[:, None]
            one = Scene(start_m[1], start_m[0], np.array([2.4e-6]), 100e3)
            lines = simulate(one, moved(start_m, velocity_m_s)).reshape(BLOCK, -1)
            removed = clutter.patterns.T @ lines
            row[name] = 1 - float(np.sum(removed**2) / np.sum(np.square(lines), dtype=np.float64))
        rows.append(row | {"patterns": clutter.patterns.shape[1]})
    write_csv(pd.DataFrame(rows), path)


def run_phantom(phantom: int, work: Path) -> None:
    """Do what is missing of a phantom."""
    kept_by_speed(phantom, work)
    phantom_answers(phantom, work)


def main() -> None:
    """Simulate and score what is missing, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes, of about 3 GB each")
    parser.add_argument("--phantoms", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("map_clutter"))
    given = parser.parse_args()
    given.work.mkdir(exist_ok=True)
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        list(pool.map(run_phantom, range(given.phantoms), [given.work] * given.phantoms))
    kept = pd.concat([pd.read_csv(given.work / f"kept_{p}.csv") for p in range(given.phantoms)])
    mean = kept.groupby("speed_mm_s", as_index=False)[[*DIRECTIONS, "patterns"]].mean()
    write_csv(mean, RESULTS / "map_clutter_speed.csv")
    table = scores(given.phantoms, given.work)
    write_csv(summary(table), RESULTS / "map_clutter.csv")
    write_csv(gains(table), RESULTS / "map_clutter_gain.csv")


if __name__ == "__main__":
    main()
