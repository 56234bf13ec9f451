"""How sharp images of localized lines are, by the number of bubbles.

python benchmarks/imaging.py [--run bubbleloc:small] [--scenes 4]
"""

import argparse

import numpy as np
import pandas as pd

from bubbleloc.console.settings.using import Image
from bubbleloc.imaging.acquisition import analytic, localized, simulated
from bubbleloc.imaging.beamforming import Grid
from bubbleloc.imaging.run import LOCALIZED, RAW
from bubbleloc.imaging.widths import measure_widths, summarize_widths
from bubbleloc.physics import Setup
from bubbleloc.report.tables import to_markdown
from bubbleloc.training.runs import open_run

ISOLATION_M = {30: 3e-3, 100: 3e-3, 300: 3e-3, 1000: 2e-3}  # by the number of bubbles
DELAY_SAMPLES = 87.0  # from an echo's arrival to its peak
REGION = Grid(np.array([-0.014, 0.014]), np.array([0.01, 0.07]))


def widths(run: str, count: int, scenes: int) -> pd.DataFrame:
    """Return medians over the isolated bubbles of some scenes of ``count`` bubbles."""
    network, tables = open_run(run).network, []
    for seed in range(scenes):
        rf, bubbles = simulated(Setup(), "monodisperse", Image(count=count, seed=seed))
        lines = {
            RAW: analytic(rf, DELAY_SAMPLES),
            LOCALIZED: localized(rf, network, batch_size=16),
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
    given = parser.parse_args()
    print(to_markdown(pd.concat(widths(given.run, n, given.scenes) for n in ISOLATION_M)))


if __name__ == "__main__":
    main()
