"""Score the published dilated CNN on our simulated signals, beside its published F1.

    python benchmarks/published_weights.py <folder with dilated_cnn_HS_001.pt> [--signals 64]
    python benchmarks/published_weights.py <folder> --dataset data/study/test.h5

If our RF lines are like the published ones, the network cannot tell and the two rows agree.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from bubbleloc.data.dataset import RFDataset
from bubbleloc.metrics import TOLERANCES, Sweep, scores_at, tolerance_sweep
from bubbleloc.nn import DilatedCNN, Localizer
from bubbleloc.physics import draw_scene, simulate_rf

Signal = tuple[NDArray[np.float32], NDArray[np.float32]]  # volts and bubble count, both (L,)

SEED = 2022  # the year of the publication, not chosen for its result
# Blanken et al., IEEE TMI 2022: mean F1 of model HS_001 at tolerances 0…9
PUBLISHED = {
    "monodisperse": (0.427, 0.704, 0.853, 0.919, 0.944, 0.955, 0.960, 0.965, 0.968, 0.971),
    "polydisperse": (0.265, 0.424, 0.536, 0.617, 0.676, 0.719, 0.752, 0.778, 0.799, 0.818),
}


def published_network(folder: Path) -> tuple[Localizer, NDArray[np.float64]]:
    """Load the published network and its threshold for each tolerance."""
    network = DilatedCNN()
    weights = torch.load(folder / "dilated_cnn_HS_001.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    return network.eval(), np.load(folder / "HS_001_thresholds_optimal.npy").ravel()


def simulate(index: int, bubbles: str) -> Signal:
    """Simulate test signal ``index``: volts and bubble count, both (8446,)."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(2, index)))
    line = simulate_rf(draw_scene(rng, bubbles=bubbles))
    samples = np.rint(line.arrival_sample).astype(int)
    return line.volts, np.bincount(samples, minlength=line.volts.size).astype(np.float32)


def simulated(signals: int, bubbles: str) -> Iterator[Signal]:
    """Yield new test signals, simulated in parallel."""
    lines = Parallel(n_jobs=-1, return_as="generator")(
        delayed(simulate)(index, bubbles) for index in range(signals)
    )
    yield from tqdm(lines, total=signals, desc=bubbles, unit="signal")


def stored(path: Path) -> Iterator[Signal]:
    """Yield the signals of a dataset file."""
    lines = RFDataset(path)
    for index in tqdm(range(len(lines)), desc=str(path), unit="signal"):
        yield lines.volts(index), lines.count(index)


def score(folder: Path, signals: Iterable[Signal]) -> NDArray[np.float64]:
    """Return the F1 of every signal at every tolerance, at the published thresholds."""
    network, thresholds = published_network(folder)
    sweeps = []
    for volts, count in signals:
        with torch.inference_mode():
            output = network(torch.from_numpy(volts)[None, None]).squeeze(1)
        sweeps.append(tolerance_sweep(output, count[None], np.unique(thresholds)))
    return scores_at(Sweep.concatenate(sweeps), thresholds).f1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--signals", type=int, default=64)
    parser.add_argument("--bubbles", choices=list(PUBLISHED), default="monodisperse")
    parser.add_argument("--dataset", type=Path)
    options = parser.parse_args()
    if options.dataset:
        signals = stored(options.dataset)
    else:
        signals = simulated(options.signals, options.bubbles)
    ours = score(options.folder, signals).mean(axis=0)
    published = np.array(PUBLISHED[options.bubbles])
    print(f"| tolerance (samples) | {' | '.join(map(str, TOLERANCES))} |")
    print(f"|---{'|---' * len(TOLERANCES)}|")
    rows = {"published": published, "here": ours, "difference": ours - published}
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")


if __name__ == "__main__":
    main()
