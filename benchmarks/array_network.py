"""Train networks that see the elements of an array together, and score them beside CLEAN.

    python benchmarks/array_network.py FOLDER [--frames 300] [--steps 3000]
                                       [--designs remainder angles sum]
                                       [--noise 0 0.04 0.16] [--density 0.5 1 2]

Frames, weights and scores are kept in FOLDER: a run that was interrupted goes on where it was.
All designs take the same steps, with the same crops of the same frames. The scores are written to
FOLDER/array_network.csv, beside those of ``clean`` and ``learned``. All have the same echo, which
is learned from three sparse frames of every condition; nobody is told the pressure.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.data.noise import REFERENCE_V, Noise
from bubbleloc.files import atomic
from bubbleloc.imaging.array import Array, Region
from bubbleloc.imaging.array_images import ArrayImages, cells_around
from bubbleloc.imaging.array_network import ArrayMethod
from bubbleloc.imaging.clean import Clean
from bubbleloc.imaging.echoes import DISTANCE_M, Echo
from bubbleloc.imaging.learned import Learned, LearnedEcho, learned_echo
from bubbleloc.imaging.positions import FrameMethod, Positions
from bubbleloc.metrics.positions import Bounds, FrameAnswer, score_positions
from bubbleloc.nn import load_released
from bubbleloc.nn.array_network import ANGLES, BY_ANGLE, DESIGNS, ROWS, ArrayNetwork
from bubbleloc.physics import Scene, Setup
from bubbleloc.physics.frames import echo_window, simulate_frame
from bubbleloc.physics.scene import draw_radii
from bubbleloc.tables import write_csv
from bubbleloc.training.spot_loss import SpotLoss

SEED = 29
FRAMES, BATCHES, WEIGHTS, TESTS = range(4)  # what random numbers are for
SETUP = Setup(elements=96)
REGION = Region((-5e-3, 5e-3), (30e-3, 50e-3))
WIDER_M = 1.5e-3  # around the region, in which bubbles may be, too
WINDOW = echo_window(
    (REGION.lateral_m[0] - WIDER_M, REGION.lateral_m[1] + WIDER_M),
    (REGION.depth_m[0] - WIDER_M, REGION.depth_m[1] + WIDER_M),
    SETUP,
)
ARRAY = Array(SETUP.probe.element_positions_m(SETUP.elements), SETUP.scale, -WINDOW[0])
CELLS = cells_around(REGION, ARRAY)

CROP_ROWS, BATCH = 72, 4
RATE, WARM_UP, DECAY = 3e-3, 0.04, 1e-3
AVERAGED = 0.995  # of the running mean of the weights, which is kept
GAIN = 0.15  # deviation of the logarithm of the gain of a crop

SELECTED, TESTED = 2, 3  # frames of a condition, for the threshold and to be scored
SPARSE, SPARSE_DENSITY, SPARSE_NOISE = 3, 0.1, 0.04  # frames that the echo is learned from
KINDS = [
    (25e3, "monodisperse"),
    (100e3, "monodisperse"),
    (250e3, "monodisperse"),
    (100e3, "polydisperse"),
]
Condition = tuple[tuple[float, str], float, float]  # pressure and bubbles, noise, density


def key(*purpose: int) -> np.random.Generator:
    """Return random numbers of a purpose."""
    return np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=purpose))


def frame_of(scene: Scene, level: float, rng: np.random.Generator) -> Float32s:
    """RF lines (E, L) of a scene with noise as published."""
    lines = simulate_frame(scene, SETUP, window=WINDOW)
    noise = Noise(level)
    return np.stack([noise(line, rng, SETUP.sampling_rate_hz) for line in lines])


def scene_in(
    rng: np.random.Generator, kind: str, density_mm2: float, pressure_pa: float, wider_m: float
) -> Scene:
    """Bubbles of a density in the region and somewhat around it."""
    (left, right), (top, bottom) = REGION.lateral_m, REGION.depth_m
    left, right, top, bottom = left - wider_m, right + wider_m, top - wider_m, bottom + wider_m
    count = round(density_mm2 * 1e6 * (right - left) * (bottom - top))
    depth, lateral = rng.uniform(top, bottom, count), rng.uniform(left, right, count)
    return Scene(depth, lateral, draw_radii(rng, kind, count), pressure_pa)


def rough_echo(rng: np.random.Generator, kind: str, pressure_pa: float) -> Echo:
    """The mean echo of bubbles of a pressure, as wrong as one that was learned.

    The mean is of the larger ones, which are heard, of arrivals that are not quite right, and has
    a little noise.
    """
    radii = np.sort(draw_radii(rng, kind, int(rng.integers(40, 200))))
    radii = radii[int(len(radii) * rng.uniform(0, 0.7)) :]
    step_m = 1e-6 * SETUP.scale.um_per_sample
    arrival = round(DISTANCE_M / step_m)
    late = np.abs(rng.normal(0, rng.uniform(0, 0.5), len(radii)))
    scene = Scene((arrival + late) * step_m, np.zeros(len(radii)), radii, pressure_pa)
    single = Setup()
    samples = -(-single.window_samples // single.oversampling)
    line = simulate_frame(scene, single, window=(arrival, arrival + samples))[0]
    volts = line / len(radii)
    noise = Noise(float(np.abs(volts).max() * rng.uniform(0, 0.003) / REFERENCE_V))
    return Echo(noise(volts, rng, SETUP.sampling_rate_hz).astype(np.float64), DISTANCE_M)


def training_frame(number: int) -> tuple[Float32s, Floats]:
    """Images (IMAGES, H, W) of a frame, and rows and columns of its bubbles in cells (B, 2)."""
    rng = key(FRAMES, number)
    kind = "monodisperse" if rng.random() < 0.55 else "polydisperse"
    pressure_pa = rng.uniform(5e3, 250e3)
    wider_m = rng.uniform(0, WIDER_M) if rng.random() < 0.6 else 0.0
    density = (
        np.exp(rng.uniform(*np.log((0.3, 4.0)))) if rng.random() < 0.85 else rng.uniform(0, 0.3)
    )
    level = 0.0 if rng.random() < 0.15 else float(np.exp(rng.uniform(*np.log((0.02, 0.32)))))
    scene = scene_in(rng, kind, density, pressure_pa, wider_m)
    clean = Clean(ARRAY, REGION, rough_echo(rng, kind, pressure_pa))
    images = ArrayImages(clean)(frame_of(scene, level, rng))
    row = (scene.depth_m - CELLS.depth_m[0]) / (CELLS.depth_m[1] - CELLS.depth_m[0])
    column = (scene.lateral_m - CELLS.lateral_m[0]) / (CELLS.lateral_m[1] - CELLS.lateral_m[0])
    return images, np.stack([row, column], axis=1)


def simulate(folder: Path, count: int) -> None:
    """Simulate the training frames that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:05d}.npz"
        if not path.exists():
            images, position = training_frame(number)
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.savez(file, images=images.astype(np.float16), position=position)
            print(f"frame {number + 1} of {count}: {len(position)} bubbles", flush=True)


class Crops:
    """Random crops of training frames, the same ones in every design."""

    def __init__(self, folder: Path, count: int) -> None:
        self.frames = [np.load(folder / f"{number:05d}.npz") for number in range(count)]
        self.read = lru_cache(None)(self._read)

    def _read(self, number: int) -> tuple[Tensor, Floats]:
        frame = self.frames[number]
        return torch.from_numpy(frame["images"]), frame["position"]

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Images (BATCH, IMAGES, CROP_ROWS, W) and positions (BATCH, E, 2) of a step."""
        rng = key(BATCHES, step)
        crops = [self._crop(rng) for _ in range(BATCH)]
        most = max(1, *(len(position) for _, position in crops))
        positions = np.full((BATCH, most, 2), np.nan, np.float32)
        for row, (_, position) in zip(positions, crops, strict=True):
            row[: len(position)] = position
        return torch.stack([images for images, _ in crops]), torch.from_numpy(positions)

    def _crop(self, rng: np.random.Generator) -> tuple[Tensor, Floats]:
        images, position = self.read(int(rng.integers(len(self.frames))))
        start = int(rng.integers(images.shape[1] - CROP_ROWS + 1))
        images = images[:, start : start + CROP_ROWS].float() * float(np.exp(rng.normal(0, GAIN)))
        position = position - [start, 0]
        inside = (position[:, 0] > -0.5) & (position[:, 0] < CROP_ROWS - 0.5)
        position = position[inside]
        if rng.random() < 0.5:
            images = mirrored(images)
            position = [0, images.shape[-1] - 1] + position * [1, -1]
        return images, position


def mirrored(images: Tensor) -> Tensor:
    """Return the images (IMAGES, H, W) of the mirrored frame: angles change their sign."""
    whole, rest, bubbles = images.flip(-1).split([BY_ANGLE, BY_ANGLE, ROWS])
    turned = [part.unflatten(0, (ANGLES, ROWS)).flip(0).flatten(0, 1) for part in (whole, rest)]
    return torch.cat([*turned, bubbles])


def train(folder: Path, design: str, crops: Crops, steps: int) -> ArrayNetwork:
    """Train a design, from its last checkpoint on if there is one; return the mean network."""
    torch.manual_seed(int(key(WEIGHTS).integers(2**31)))
    network = ArrayNetwork(design)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGED), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=WARM_UP
    )
    parts: dict[str, Any] = {
        "network": network,
        "mean": mean,
        "optimizer": optimizer,
        "schedule": schedule,
    }
    path, first, seconds = folder / f"{design}.pt", 0, 0.0
    if path.exists():
        saved = torch.load(path, weights_only=True)
        first, seconds = saved["step"], saved["seconds"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    loss_of, losses, start = SpotLoss(), [], time.process_time() - seconds
    for step in range(first, steps):
        images, position = crops.batch(step)
        with torch.autocast("cpu", torch.bfloat16):
            readings = network(images.contiguous(memory_format=torch.channels_last))
        loss = loss_of(readings, position)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean.update_parameters(network)
        losses.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            seconds = time.process_time() - start
            state = {name: part.state_dict() for name, part in parts.items()}
            with atomic(path) as temporary:
                torch.save(state | {"step": step + 1, "seconds": seconds}, temporary)
            print(
                f"{design} {step + 1} of {steps}: {np.mean(losses[-100:]):.4f}, {seconds:.0f} s",
                flush=True,
            )
    print(f"{design}: {network.parameter_count} parameters, {seconds:.0f} s of one core")
    trained: ArrayNetwork = mean.module.eval()  # type: ignore[assignment]
    return trained


@lru_cache(maxsize=len(KINDS))
def echo_of(kind: tuple[float, str]) -> LearnedEcho:
    """The echo of a recording, learned from its sparse frames."""
    sparse = [scored_frame(kind, SPARSE_NOISE, SPARSE_DENSITY, n)[0] for n in range(SPARSE)]
    return learned_echo(sparse, ARRAY, REGION, load_released("robust"))


def scored_frame(
    kind: tuple[float, str], level: float, density_mm2: float, number: int
) -> tuple[Float32s, Floats]:
    """RF lines (E, L) of a frame, and the positions (B, 2) of its bubbles in metres."""
    pressure_pa, bubbles = kind
    purpose = (KINDS.index(kind), round(100 * level), round(100 * density_mm2), number)
    rng = key(TESTS, *purpose)
    scene = scene_in(rng, bubbles, density_mm2, pressure_pa, 0.0)
    return frame_of(scene, level, rng), np.stack([scene.lateral_m, scene.depth_m], axis=1)


def answer(positions: Positions, true_m: Floats) -> FrameAnswer:
    """What a method found in a frame, within the region or 0.15 mm around it."""
    near = REGION.holds(positions.x_m, positions.z_m, 0.15e-3)
    found = positions[near]
    return FrameAnswer(np.stack([found.x_m, found.z_m], axis=1), found.confidence, true_m)


def answers_in(
    condition: Condition, networks: dict[str, ArrayNetwork]
) -> dict[str, list[FrameAnswer]]:
    """What CLEAN, `learned` and networks find in the frames of a condition."""
    echo = echo_of(condition[0])
    clean = Clean(ARRAY, REGION, echo)
    alone: dict[str, FrameMethod] = {"clean": clean, "learned": Learned(ARRAY, REGION, echo)}
    methods = {name: ArrayMethod(clean, network) for name, network in networks.items()}
    images_of = ArrayImages(clean)
    answers: dict[str, list[FrameAnswer]] = {name: [] for name in (*alone, *methods)}
    for number in range(SELECTED + TESTED):
        rf, true_m = scored_frame(*condition, number)
        for name, single in alone.items():
            answers[name].append(answer(single(rf), true_m))
        images = images_of(rf)
        for name, method in methods.items():
            answers[name].append(answer(method.bubbles(images), true_m))
    return answers


def scores(condition: Condition, networks: dict[str, ArrayNetwork]) -> pd.DataFrame:
    """Score all in a condition."""
    (pressure_pa, bubbles), level, density = condition
    tables = []
    for name, frames in answers_in(condition, networks).items():
        table = score_positions(
            frames[:SELECTED],
            frames[SELECTED:],
            SETUP.medium.speed_of_sound_m_s / SETUP.carrier_hz,
            Bounds(REGION.lateral_m, REGION.depth_m),
            key(TESTS, 0),
        )
        constant = {
            "pressure_kpa": pressure_pa / 1e3,
            "bubbles": bubbles,
            "noise": level,
            "density_mm2": density,
            "method": name,
        }
        tables.append(pd.concat([pd.DataFrame(constant, table.index), table], axis=1))
        print(*constant.values(), f"{table.f1[0]:.3f}", flush=True)
    return pd.concat(tables)


def scored(
    folder: Path, chosen: Iterable[Condition], networks: dict[str, ArrayNetwork]
) -> Iterator[pd.DataFrame]:
    """Score conditions, or read what was scored before."""
    folder.mkdir(exist_ok=True)
    for condition in chosen:
        (pressure_pa, bubbles), level, density = condition
        path = folder / f"{bubbles}_{pressure_pa:g}_{level:g}_{density:g}.csv"
        if not path.exists():
            write_csv(scores(condition, networks), path)
        table = pd.read_csv(path)
        size = "SonoVue" if bubbles == "polydisperse" else f"{pressure_pa / 1e3:g} kPa"
        table.insert(0, "condition", f"{size}, noise {level:.0%}, {density:g} per mm²")
        yield table


def saved(network: ArrayNetwork, path: Path) -> ArrayNetwork:
    """Save the weights in half precision; return the network with the weights that were saved."""
    network.half()
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    return network.float()


def main() -> None:
    """Simulate, train and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--designs", nargs="+", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--noise", nargs="+", type=float, default=[0.0, 0.04, 0.16])
    parser.add_argument("--density", nargs="+", type=float, default=[0.5, 1.0, 2.0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    simulate(options.folder / "frames", options.frames)
    crops = Crops(options.folder / "frames", options.frames)
    networks = {}
    for design in options.designs:
        network = train(options.folder, design, crops, options.steps)
        networks[design] = saved(network, options.folder / f"{design}.safetensors")
    conditions = list(product(KINDS, options.noise, options.density))
    parts = scored(options.folder / "scores", conditions, networks)
    table = pd.concat(parts, ignore_index=True)
    write_csv(table, options.folder / "array_network.csv")


if __name__ == "__main__":
    main()
