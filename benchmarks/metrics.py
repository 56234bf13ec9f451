"""Time and memory of the whole threshold × tolerance sweep: prints a Markdown row.

``python benchmarks/metrics.py``
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from bubbleloc.metrics import THRESHOLDS, TOLERANCES, tolerance_sweep

SIGNALS, SAMPLES = 960, 8446


def main() -> None:
    """Score 960 full-length synthetic outputs of scenes of 10–1000 bubbles."""
    rng = np.random.default_rng(0)
    count = np.zeros((SIGNALS, SAMPLES), dtype=np.int16)
    for row in count:
        np.add.at(row, rng.integers(0, SAMPLES, rng.integers(10, 1001)), 1)
    prediction = count + 0.2 * rng.standard_normal(count.shape, dtype=np.float32)

    start = time.perf_counter()
    tolerance_sweep(prediction, count)
    seconds = time.perf_counter() - start

    tracemalloc.start()
    tolerance_sweep(prediction, count)
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()

    print("| signals | samples | thresholds | tolerances | seconds | peak MB beyond the input |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {SIGNALS} | {SAMPLES} | {len(THRESHOLDS)} | {len(TOLERANCES)} "
        f"| {seconds:.2f} | {peak_mb:.0f} |"
    )


if __name__ == "__main__":
    main()
