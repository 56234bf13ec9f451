"""How sharp images of localized lines are, by the number of bubbles.

python benchmarks/imaging.py [--run bubbleloc:small] [--scenes 4] [--noise 0.04]

Beside the probabilities of the bubbles that a network finds, it beamforms the plain output.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd

from bubbleloc.console.settings.using import Image
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.run import LOCALIZED, RAW, analytic, localized, simulated
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.models.runs import open_run
from bubbleloc.nn.inference import apply
from bubbleloc.physics import Setup
from bubbleloc.tables import to_markdown

ISOLATION_M = {30: 3e-3, 100: 3e-3, 300: 3e-3, 1000: 2e-3}  # by the number of bubbles
DELAY_SAMPLES = 87.0  # from an echo's arrival to its peak
REGION = Grid(np.array([-0.014, 0.014]), np.array([0.01, 0.07]))


def widths(run: str, count: int, scenes: int, noise: float) -> pd.DataFrame:
    """Return medians over the isolated bubbles of some scenes of ``count`` bubbles.

    Args:
        noise: standard deviation of white noise over that of the RF lines.
    """
    network, tables = open_run(run).network, []
    for seed in range(scenes):
        rf, bubbles = simulated(Setup(), "monodisperse", Image(count=count, seed=seed))
        drawn = np.random.default_rng(seed).standard_normal(rf.signal.shape)
        noisy = rf.signal + noise * rf.signal.std() * drawn
        rf = replace(rf, signal=noisy.astype(np.float32))
        output = np.concatenate([apply(network, part) for part in np.split(rf.signal, 6)])
        lines = {
            RAW: analytic(rf, DELAY_SAMPLES),
            LOCALIZED: localized(rf, network, batch_size=16),
            "output of the network": replace(rf, signal=np.maximum(output, 0)),
        }
        tables.append(measure_widths(lines, bubbles, REGION, ISOLATION_M[count]))
    summary = summarize_widths(pd.concat(tables))
    summary.insert(0, "bubbles in 28 × 93 mm", count)
    return summary


def main() -> None:
    """Print a table of Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="bubbleloc:small")
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--noise", type=float, default=0.0)
    given = parser.parse_args()
    tables = [widths(given.run, n, given.scenes, given.noise) for n in ISOLATION_M]
    print(to_markdown(pd.concat(tables)))


if __name__ == "__main__":
    main()
