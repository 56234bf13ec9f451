"""How many lines are called unlike those of a network's training, as they are and changed.

python benchmarks/likeness.py --dataset data/study/test.h5
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bubbleloc.data.noise import Noise
from bubbleloc.models.runs import open_run
from bubbleloc.physics import Setup, draw_scene, simulate_rf

Lines = NDArray[Any]
WAVEFORMS = ("ref", "s1.7", "s2.5", "s3.4", "l1.7", "l2.5", "suc")


def clipped(lines: Lines, share: float) -> Lines:
    """Clip lines (n, L) at a share of their peak."""
    top = share * np.abs(lines).max(axis=1, keepdims=True)
    return np.asarray(np.clip(lines, -top, top))


def changes(lines: Lines, rate_hz: float) -> Iterator[tuple[str, Lines]]:
    """Yield what is done to lines (n, L), and the lines."""
    rng = np.random.default_rng(0)
    yield "as simulated", lines
    yield "int16, with an offset", np.rint(20_000 * lines / np.abs(lines).max()) + 100
    yield "recorded at 40 MHz", resample_poly(resample_poly(lines, 16, 25, 1), 25, 16, 1)
    for level in (0.01, 0.04, 0.16, 0.64):
        yield f"noise of {level:.0%}", Noise(level)(lines, rng, rate_hz)
    yield "noise alone", rng.normal(size=lines.shape)
    yield "50 MHz, said to be 62.5", resample_poly(lines, 4, 5, axis=1)
    for share in (0.3, 0.6, 0.8):
        yield f"clipped at {share:.0%} of the peak", clipped(lines, share)
    yield "backwards", lines[:, ::-1]
    yield "other polarity", -lines


def simulated(waveform: str, lines: int) -> Lines:
    """Simulate lines (n, L) of another waveform."""
    rng, setup = np.random.default_rng(0), Setup(waveform=waveform)
    scenes = (draw_scene(rng, "monodisperse") for _ in range(lines))
    return np.stack([simulate_rf(scene, setup).volts for scene in scenes])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="bubbleloc:small")
    parser.add_argument("--dataset", type=Path, default=Path("data/study/test.h5"))
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--simulated", type=int, default=24)
    options = parser.parse_args()
    known = open_run(options.run).card.likeness
    assert known is not None, "the card does not tell how the lines looked"
    with h5py.File(options.dataset) as file:
        lines, rate_hz = file["rf"][: options.lines], float(file.attrs["sampling_rate_hz"])

    def unlike(some: Lines) -> float:
        blocks = (some[i : i + 16] for i in range(0, len(some), 16))
        outside = known.compare(blocks, rate_hz)[1]
        return float(np.any(list(outside.values()), axis=0).mean())

    print("| lines | unlike |\n|---|---|")
    for name, changed in changes(lines, rate_hz):
        print(f"| {name} | {unlike(changed):.1%} |", flush=True)
    for name in WAVEFORMS:
        print(f"| waveform {name} | {unlike(simulated(name, options.simulated)):.1%} |", flush=True)


if __name__ == "__main__":
    main()
