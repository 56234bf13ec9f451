"""How dense bubbles may be: every method of a frame, scored over density, noise and pressure.

    python benchmarks/map_density.py [--jobs 2] [--phantoms 5] [--conditions clean "noise 4 %"]

Frames of an array of 96 elements over 28 mm after one plane wave, with bubbles anywhere in
10 × 20 mm at 30 to 50 mm of depth. What methods find is kept in ``--work``, so that a run that was
stopped goes on, and more phantoms cost only themselves. Thresholds of a phantom come from the other
ones. Writes docs/results/map_density.csv, map_gain.csv and docs/figures/map_density.png.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import isotonic_regression

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.data.noise import Noise
from bubbleloc.files import atomic
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.echoes import Echo, simulated_echo
from bubbleloc.imaging.learned import LearnedEcho, learned_echo
from bubbleloc.imaging.methods import build
from bubbleloc.imaging.positions import FrameMethod
from bubbleloc.metrics.positions import (
    TOLERANCES,
    Bounds,
    FrameAnswer,
    PointMatching,
    match_frames,
    score_positions,
)
from bubbleloc.nn import Localizer, load_released
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.physics.flow import uniform_scene
from bubbleloc.physics.frames import simulate_frame
from bubbleloc.physics.scene import RadiusDistribution
from bubbleloc.report.figures.style import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    RED,
    house_style,
    new_figure,
    save_picture,
)
from bubbleloc.tables import write_csv

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
FIGURE = RESULTS.parent / "figures" / "map_density.png"
SETUP = Setup(elements=96)
LATERAL_M, DEPTH_M = (-5e-3, 5e-3), (30e-3, 50e-3)
REGION = Region(LATERAL_M, DEPTH_M)
BOUNDS = Bounds(LATERAL_M, DEPTH_M)
MARGIN_M = 0.15e-3  # outside the region, where answers count too
WAVELENGTH_M = SETUP.medium.speed_of_sound_m_s / SETUP.carrier_hz
FRAMES = {0.05: 10, 0.1: 6, 0.2: 4, 0.5: 2, 1.0: 1, 2.0: 1, 3.0: 1}  # of a phantom, by bubbles/mm²
SPARSE, SPARSE_FRAMES, OTHERS = 0.1, 3, 500  # that an echo is learned from, from this number on
NOISE = 77  # what randomness is for, in the keys of its seed
LEVEL = 0.9  # of F1 at the density that methods are compared by


class Condition(NamedTuple):
    """What the frames of a column of the table have in common."""

    noise: float
    pressure_pa: float = 100e3
    bubbles: RadiusDistribution = "monodisperse"


CONDITIONS = {  # the most important ones first
    "noise 4 %": Condition(0.04),
    "clean": Condition(0.0),
    "25 kPa and noise 4 %": Condition(0.04, 25e3),
    "250 kPa and noise 4 %": Condition(0.04, 250e3),
    "25 kPa": Condition(0.0, 25e3),
    "250 kPa": Condition(0.0, 250e3),
    "SonoVue and noise 4 %": Condition(0.04, 100e3, "polydisperse"),
    "noise 16 %": Condition(0.16),
}
CONVENTIONAL, WIENER = "conventional", "wiener"
METHODS = {  # and whether it gets the echo of 100 kPa, whatever the pressure
    CONVENTIONAL: False,
    WIENER: False,
    "clean": False,
    "wiener by the echo of 100 kPa": True,
    "clean by the echo of 100 kPa": True,
    "network": False,
    "learned": False,
}

MEANS = [
    *("chance", "precision", "recall", "jaccard", "rmse_x_um", "rmse_z_um", "bias_x_um"),
    *("bias_z_um", "detectable", "recall_detectable", "f1_detectable", "seconds"),
]
LOOKS = {
    CONVENTIONAL: (MUTED, "o-"),
    WIENER: (ORANGE, "o-"),
    "clean": (GREEN, "o-"),
    "wiener by the echo of 100 kPa": (ORANGE, "x--"),
    "clean by the echo of 100 kPa": (GREEN, "x--"),
    "network": (BLUE, "o-"),
    "learned": (RED, "o-"),
}
TICKS = (0.05, 0.2, 0.5, 1, 3)


class Cell(NamedTuple):
    """Frames of a phantom that one method looks at in one go."""

    condition: str
    density_mm2: float
    phantom: int
    method: str

    def path(self, work: Path) -> Path:
        """File of what the method found."""
        words = f"{self.condition} {self.density_mm2:g} {self.phantom} {self.method}"
        return work / f"{words.replace(' ', '_').replace('%', '').replace(',', '')}.npz"


def scene(cell: Cell, frame: int) -> Scene:
    """Return the bubbles of a frame; other densities have other frames."""
    condition = CONDITIONS[cell.condition]
    return uniform_scene(
        cell.phantom,
        round(1e6 * cell.density_mm2) + frame,
        cell.density_mm2,
        LATERAL_M,
        DEPTH_M,
        bubbles=condition.bubbles,
        pressure_pa=condition.pressure_pa,
    )


def lines(cell: Cell, frame: int) -> Float32s:
    """Return the RF lines (E, L) of a frame with the published noise."""
    noise = Noise(CONDITIONS[cell.condition].noise)
    key = (NOISE, round(1e6 * cell.density_mm2) + frame)
    rng = np.random.default_rng(np.random.SeedSequence(cell.phantom, spawn_key=key))
    rf = simulate_frame(scene(cell, frame), SETUP)
    return np.stack([noise(line, rng, SETUP.sampling_rate_hz) for line in rf])


def array() -> Array:
    """Return the geometry of the lines."""
    return Array(SETUP.probe.element_positions_m(SETUP.elements), SETUP.scale)


@lru_cache
def network() -> Localizer:
    """Return the network of all conditions."""
    return load_released("robust")


@lru_cache
def known_echo(bubbles: RadiusDistribution, pressure_pa: float) -> Echo:
    """Return the mean echo that the simulator tells."""
    return simulated_echo(SETUP, bubbles, pressure_pa)


@lru_cache
def echo_of_recording(condition: str, phantom: int) -> LearnedEcho:
    """Return the mean echo that the network learns from other, sparse frames of a phantom."""
    sparse = Cell(condition, SPARSE, phantom, "learned")
    frames = [lines(sparse, OTHERS + n) for n in range(SPARSE_FRAMES)]
    return learned_echo(frames, array(), REGION, network())


def method_of(cell: Cell) -> FrameMethod:
    """Return the method, built for the phantom's frames of any density."""
    condition = CONDITIONS[cell.condition]
    if cell.method == "learned":
        echo: Echo = echo_of_recording(cell.condition, cell.phantom)
    else:
        pressure_pa = 100e3 if METHODS[cell.method] else condition.pressure_pa
        echo = known_echo(condition.bubbles, pressure_pa)
    name = cell.method.partition(" ")[0]
    return build(name, array(), REGION, echo=echo, network=network())


def run_cells(cells: list[Cell], work: Path) -> list[Cell]:
    """Let methods find the bubbles in the same frames, and keep what they found."""
    frames = [lines(cells[0], number) for number in range(FRAMES[cells[0].density_mm2])]
    for cell in cells:
        find, found, seconds = method_of(cell), [], []
        for rf in frames:
            began = time.perf_counter()
            found.append(find(rf))
            seconds.append(time.perf_counter() - began)
        with atomic(cell.path(work)) as unfinished:
            np.savez(
                unfinished,
                seconds=np.median(seconds),
                frame=np.repeat(np.arange(len(found)), [len(p) for p in found]),
                x_m=np.concatenate([p.x_m for p in found]),
                z_m=np.concatenate([p.z_m for p in found]),
                confidence=np.concatenate([p.confidence for p in found]),
            )
    return cells


def answers(cell: Cell, work: Path) -> list[FrameAnswer]:
    """Return what was found in every frame of a cell, and what is there."""
    kept = np.load(cell.path(work))
    points = np.stack([kept["x_m"], kept["z_m"]], axis=1)
    near = REGION.holds(points[:, 0], points[:, 1], MARGIN_M)
    frames = []
    for frame in range(FRAMES[cell.density_mm2]):
        chosen = near & (kept["frame"] == frame)
        bubbles = scene(cell, frame)
        true = np.stack([bubbles.lateral_m, bubbles.depth_m], axis=1)
        frames.append(FrameAnswer(points[chosen], kept["confidence"][chosen], true))
    return frames


@lru_cache
def loudness(pressure_pa: float) -> tuple[Floats, Floats]:
    """Return radii in m, and the peaks in V of their echoes at 40 mm."""
    radii_m = np.geomspace(0.3e-6, 6e-6, 60)
    one = Setup(elements=1)
    peaks = [
        np.abs(
            simulate_rf(
                Scene(np.array([40e-3]), np.zeros(1), np.array([radius]), pressure_pa), one
            ).volts
        ).max()
        for radius in radii_m
    ]
    return radii_m, np.array(peaks)


@lru_cache
def noise_v(level: float) -> float:
    """Return the standard deviation in V of noise in a line."""
    silent = np.zeros(SETUP.samples, dtype=np.float32)
    return float(Noise(level)(silent, np.random.default_rng(0), SETUP.sampling_rate_hz).std())


def audible(cell: Cell, frame: int) -> NDArray[np.bool_]:
    """Tell which bubbles (m,) of a frame have echoes whose peak exceeds the noise's deviation."""
    condition, bubbles = CONDITIONS[cell.condition], scene(cell, frame)
    peak_v = np.interp(bubbles.radius_m, *loudness(condition.pressure_pa))
    return np.asarray(peak_v * 40e-3 / bubbles.depth_m > noise_v(condition.noise))


def of_audible(matchings: list[PointMatching], heard: list[NDArray[np.bool_]]) -> dict[str, float]:
    """Scores without the bubbles that nobody can hear, which nobody is blamed for finding."""
    hits = sum(int(mask[m.true].sum()) for m, mask in zip(matchings, heard, strict=True))
    there = sum(int(mask.sum()) for mask in heard)
    wrong = sum(m.n_detected - len(m.detected) for m in matchings)
    share = there / sum(map(len, heard))
    f1 = 2 * hits / (hits + there + wrong)
    return {"detectable": share, "recall_detectable": hits / there, "f1_detectable": f1}


def phantom_scores(cells: list[Cell], work: Path) -> pd.DataFrame:
    """Score the cells of one condition, density and method, a row per phantom × tolerance."""
    found = {cell: answers(cell, work) for cell in cells}
    tables = []
    for cell in cells:
        others = [frame for other in cells if other != cell for frame in found[other]]
        rng = np.random.default_rng(np.random.SeedSequence(cell.phantom, spawn_key=(5,)))
        table = score_positions(others, found[cell], WAVELENGTH_M, BOUNDS, rng)
        heard = [audible(cell, frame) for frame in range(len(found[cell]))]
        for row, (tolerance, threshold) in enumerate(table[["tolerance", "threshold"]].to_numpy()):
            half_axes_m = WAVELENGTH_M * np.array(TOLERANCES[tolerance])
            matchings = match_frames(found[cell], threshold, half_axes_m)
            for name, value in of_audible(matchings, heard).items():
                table.loc[row, name] = value
        seconds = float(np.load(cell.path(work))["seconds"])
        tables.append(table.assign(**cell._asdict(), frames=len(found[cell]), seconds=seconds))
    return pd.concat(tables)


def interval(values: Floats) -> tuple[float, float, float]:
    """Return the mean of values (phantoms,) and its 95 % confidence interval by Student's t."""
    mean, half = float(values.mean()), np.nan
    if len(values) > 1:
        half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the means over phantoms, F1 with its interval."""
    rows = []
    keys = ["condition", "method", "density_mm2", "tolerance"]
    for key, group in scores.groupby(keys, sort=False):
        f1, low, high = interval(group["f1"].to_numpy())
        rows.append(
            dict(zip(keys, key, strict=True))
            | {"f1": f1, "f1_low": max(low, 0), "f1_high": min(high, 1)}
            | group[group.columns.intersection(MEANS)].mean().to_dict()
            | {"phantoms": len(group), "bubbles": int(group["true"].sum())}
        )
    return pd.DataFrame(rows)


def density_at_level(densities: Floats, f1: Floats) -> float:
    """Return the density at which F1 falls below `LEVEL`, linear in its logarithm.

    F1 falls with density; where chance makes it rise, neighbours share their mean. The first
    density where it never reaches the level, the last where it never falls below.
    """
    f1 = isotonic_regression(f1, increasing=False).x
    below = np.flatnonzero(f1 < LEVEL)
    if not below.size:
        return float(densities[-1])
    last = int(below[0])
    if last == 0:
        return float(densities[0])
    part = (f1[last - 1] - LEVEL) / (f1[last - 1] - f1[last])
    low, high = np.log(densities[[last - 1, last]])
    return float(np.exp(low + part * (high - low)))


def gains(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the density at `LEVEL` of every method, and over those of two others.

    Intervals are of the phantoms' logarithms.
    """
    rows = []
    for (condition, tolerance), part in scores.groupby(["condition", "tolerance"], sort=False):
        log = {}
        for method, group in part.groupby("method", sort=False):
            wide = group.pivot(index="phantom", columns="density_mm2", values="f1").dropna()
            if wide.shape[1] == len(FRAMES) and len(wide):
                at = [
                    density_at_level(wide.columns.to_numpy(float), row) for row in wide.to_numpy()
                ]
                log[method] = pd.Series(np.log(at), index=wide.index)
        for method, own in log.items():
            row = {"condition": condition, "tolerance": tolerance, "method": method}
            row |= named("density", own) | {"density_text": words(own, dense(own), sparse(own))}
            for base in (CONVENTIONAL, WIENER):
                ratio = (own - log[base]).dropna()
                row |= named(f"over_{base}", ratio)
                more, less = dense(own) or sparse(log[base]), sparse(own) or dense(log[base])
                row[f"over_{base}_text"] = words(ratio, more, less)
            rows.append(row)
    return pd.DataFrame(rows)


def dense(logarithm: pd.Series) -> bool:
    """Tell whether a method holds to the last density for some phantom."""
    return bool(np.isclose(np.exp(logarithm), max(FRAMES)).any())


def sparse(logarithm: pd.Series) -> bool:
    """Tell whether a method fails at the first density for some phantom."""
    return bool(np.isclose(np.exp(logarithm), min(FRAMES)).any())


def words(logarithm: pd.Series, more: bool, less: bool) -> str:
    """Return a mean of logarithms (phantoms,) and its interval as tables show them.

    Args:
        more: whether the true mean may be larger, because densities end.
        less: whether it may be smaller.
    """
    mean, low, high = (two_digits(value) for value in np.exp(interval(logarithm.to_numpy())))
    bound = {(True, False): "≥ ", (False, True): "≤ ", (True, True): "about "}.get((more, less), "")
    return f"{bound}{mean} ({low} to {high})" if low != high else f"{bound}{mean}"


def two_digits(value: float) -> str:
    """Return a number with two significant digits, and all those before the point."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:#.2g}"


def named(name: str, logarithm: pd.Series) -> dict[str, float]:
    """Return a mean of logarithms (phantoms,) and its interval as columns."""
    values = np.exp(interval(logarithm.to_numpy()))
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


@house_style
def draw(table: pd.DataFrame) -> Figure:
    """Draw F1 within a quarter of a wavelength over density, a panel per condition."""
    table = table[table["tolerance"] == next(iter(TOLERANCES))]
    conditions = [name for name in CONDITIONS if name in set(table["condition"])]
    columns = min(4, len(conditions))
    rows = -(-len(conditions) // columns)
    figure = new_figure(1.75 * columns + 0.3, 1.75 * rows + 0.5)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, condition in zip(grid.flat, conditions, strict=False):
        part = table[table["condition"] == condition]
        for method, (colour, style) in LOOKS.items():
            curve = part[part["method"] == method].sort_values("density_mm2")
            if len(curve):
                x = curve["density_mm2"]
                axes.plot(x, curve["f1"], style, color=colour, label=method, markersize=3)
                axes.fill_between(x, curve["f1_low"], curve["f1_high"], color=colour, alpha=0.15)
        chance = part.groupby("density_mm2")["chance"].mean()
        axes.plot(chance.index, chance, ":", color=MUTED, label="chance")
        axes.axhline(LEVEL, color=MUTED, linewidth=0.5)
        axes.set_title(condition)
        axes.set_xscale("log")
        axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axes.minorticks_off()
        axes.set_ylim(0, 1.02)
    for axes in grid.flat[len(conditions) :]:
        axes.set_axis_off()
    figure.supxlabel("bubbles per mm²")
    figure.supylabel("F1 within λ/4")
    known = {
        label: line
        for axes in grid.flat
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=4)
    return figure


def score(cells: list[Cell], work: Path) -> pd.DataFrame:
    """Return the scores of a group of cells, which are kept, see `phantom_scores`."""
    path = cells[0].path(work).with_suffix(f".{len(cells)}.csv")
    if not path.exists():
        write_csv(phantom_scores(cells, work), path)
    return pd.read_csv(path)


def write(work: Path, cells: list[Cell], jobs: int) -> None:
    """Score what there is, and write the tables and the figure."""
    groups: dict[tuple[str, float, str], list[Cell]] = {}
    for cell in cells:
        if cell.path(work).exists():
            groups.setdefault((cell.condition, cell.density_mm2, cell.method), []).append(cell)
    whole = [group for group in groups.values() if len(group) > 1]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        scores = pd.concat(pool.map(score, whole, [work] * len(whole)))
    write_csv(summary(scores), RESULTS / "map_density.csv")
    write_csv(gains(scores), RESULTS / "map_gain.csv")
    save_picture(draw(summary(scores)), FIGURE)


def main() -> None:
    """Run the cells that are missing, then write the tables and the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--phantoms", type=int, default=5)
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS), choices=CONDITIONS)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--work", type=Path, default=Path("map_density"))
    given = parser.parse_args()
    given.work.mkdir(exist_ok=True)
    cells = [
        Cell(condition, density, phantom, method)
        for condition in given.conditions
        for phantom in range(given.phantoms)
        for density in FRAMES
        for method in given.methods
        if not (METHODS[method] and CONDITIONS[condition].pressure_pa == 100e3)
    ]
    missing = [cell for cell in cells if not cell.path(given.work).exists()]
    groups = [list(group) for _, group in groupby(missing, key=lambda cell: cell[:3])]
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(run_cells, group, given.work) for group in groups]
        for done, future in enumerate(as_completed(waiting), 1):
            print(f"{done}/{len(groups)} {' · '.join(map(str, future.result()[0]))}", flush=True)
    write(given.work, cells, given.jobs)


if __name__ == "__main__":
    main()
