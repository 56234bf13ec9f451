"""What bfloat16 changes of detections: one-to-one F1, and shifts against float32.

bubbleloc simulate data=study
python benchmarks/precision.py [--lines 240]
"""

import argparse
from pathlib import Path

import numpy as np

from bubbleloc.data.dataset import open_split
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.matching import match_detections
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import open_run

LOUD_VOLTS = 9.65  # to which published noise levels refer
CONDITIONS = (
    *(("small", 0.0), ("large", 0.0), ("robust", 0.04), ("robust-small", 0.04)),
    *(("robust", 0.32), ("robust-small", 0.32)),
)


def compare(name: str, noise: float, lines: int) -> tuple[float, ...]:
    """Return F1 of float32 and bfloat16, the share found by both, and the median shift."""
    network, rng = open_run(name).network, np.random.default_rng(1)
    test, rounded = open_split(Path("data/study"), "test"), network.in_bfloat16()
    scores = []
    for index in range(lines):
        volts = test.volts(index)[None].astype(np.float32)
        volts += (noise * LOUD_VOLTS * rng.standard_normal(volts.shape)).astype(np.float32)
        exact, near = (answer(each, volts).detections()[0] for each in (network, rounded))
        true = test.bubbles(index).arrival_sample
        f1 = [match_detections(each, true, QUOTED_TOLERANCE).f1 for each in (exact, near)]
        both = match_detections(near, exact.sample, QUOTED_TOLERANCE)
        share = len(both.true) / max(len(exact), 1)
        shift = np.median(np.abs(both.error_samples)) if len(both.true) else np.nan
        scores.append((*f1, share, float(shift)))
    return tuple(np.nanmean(scores, axis=0).tolist())


def main() -> None:
    """Measure all conditions and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=240)
    lines = parser.parse_args().lines
    for name, noise in CONDITIONS:
        numbers = compare(name, noise, lines)
        print(name, noise, *(f"{number:.3f}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
