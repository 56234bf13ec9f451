"""What rounding to whole numbers costs each network of the package, in one-to-one F1.

Lines are the first test lines of data=study. They are volts, or whole numbers of a converter that
the loudest line fills, or each line by itself.

python benchmarks/rounding.py
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import bubbleloc
from bubbleloc.arrays import Float32s
from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.console.settings import Simulate
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.matching import match_detections
from bubbleloc.nn.released import RELEASED
from bubbleloc.physics import simulate_rf


def rounded(volts: Float32s) -> Iterator[tuple[str, Float32s]]:
    """Yield what is done to lines (n, L), and the lines."""
    yield "volts", volts
    peaks = np.abs(volts).max(axis=1, keepdims=True)
    for of, peak in (("loudest line", peaks.max()), ("each line", peaks)):
        for bits in (16, 14):
            yield f"{bits} bit, {of}", np.rint(volts / peak * (2 ** (bits - 1) - 1))


def main() -> None:
    """Write a table, a row per network and kind of lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=48)
    parser.add_argument("--output", type=Path, default=Path("docs/results/rounding.csv"))
    options = parser.parse_args()
    config, _ = composed("simulate", ["data=study"])
    plan = DatasetPlan(checked_settings(Simulate, config).data)
    setup = plan.setup()
    simulated = [simulate_rf(plan.scene("test", i, setup), setup) for i in range(options.lines)]
    rows = []
    for name, volts in rounded(np.stack([line.volts for line in simulated])):
        for network in RELEASED:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table = bubbleloc.localize_lines(volts, model=network)
            samples = (table.loc[table["line"] == i, "sample"] for i in range(len(volts)))
            f1 = [
                match_detections(sample.to_numpy(), line.arrival_sample, QUOTED_TOLERANCE).f1
                for sample, line in zip(samples, simulated, strict=True)
            ]
            rows.append({"network": network, "lines": name, "f1": np.mean(f1), "worst": min(f1)})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(options.output, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
