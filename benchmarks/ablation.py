"""What every part of the small network is worth: one change at a time, three seeds each.

    python benchmarks/ablation.py [--output outputs/ablation] [--seeds 3] [--jobs 2]

Every row is trained with the budget of conf/budget/reduced.yaml on data=study and scored on its 960
test signals at thresholds from the validation split. Started again, it goes on where it stopped.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from bubbleloc.console.settings import Evaluate
from bubbleloc.evaluation.run import reported
from bubbleloc.models.runs import Run, find_runs
from bubbleloc.process import limit_threads
from bubbleloc.tables import write_table

TOLERANCES = (0, 2, 4)
BASE = ["model=ckcnn_local", "kernel=131", "data=study", "budget=reduced"]
CHANGES = {
    "none": [],
    "kernels stretched over −1…1": ["model=ckcnn"],
    "published initialization of the kernels": ["model.init=published"],
    "raw volts": ["model.input_scaling=none"],
    "constant rate 1e-3": ["optimizer=step"],
    "crops of 2048, not whole lines": [
        "loader={batch_size: 16, crop: 2048, crops_per_signal: 4}",
    ],
    "α = 0.01": ["loss.alpha=0.01"],
    "no Dice loss": ["loss.dice_weight=0"],
    "kernel of 527 samples": ["kernel=527"],
    "kernel of 2111 samples": ["kernel=2111"],
}


def train(folder: Path, changes: list[str], seeds: int, jobs: int) -> None:
    """Train a row with every seed; runs that are there already are kept."""
    command = [sys.executable, "-m", "bubbleloc.train", "-m", *BASE, *changes]
    command += [f"seed={','.join(map(str, range(seeds)))}", f"hydra.sweep.dir={folder}"]
    command += ["hydra.sweep.subdir=seed${seed}"]
    if jobs > 1:
        command += ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}"]
    subprocess.run(command, check=True)


def f1_of(run: Run) -> "pd.Series[float]":
    """Return the mean F1 over the test signals by tolerance."""
    report = reported(run, Evaluate(run=run.name, baselines=[]))
    return report.scores.groupby("tolerance")["f1"].mean().loc[list(TOLERANCES)]


def row(name: str, f1: pd.DataFrame, base: pd.DataFrame) -> dict[str, object]:
    """Return means over seeds; with the 95 % interval of the mean (Student's t) at the last."""
    last = f1.iloc[:, -1]
    reach = stats.t.ppf(0.975, len(f1) - 1) * last.std() / np.sqrt(len(f1))
    return {
        "change": name,
        **{f"F1 ±{tolerance}": float(f1[tolerance].mean()) for tolerance in TOLERANCES},
        "95 % interval": f"{last.mean() - reach:.3f} to {last.mean() + reach:.3f}",
        "difference": float((last - base.iloc[:, -1]).mean()),
    }


def main() -> None:
    """Train, score and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("outputs/ablation"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    limit_threads()
    scores: dict[str, pd.DataFrame] = {}
    for place, (name, changes) in enumerate(CHANGES.items()):
        folder = options.output / str(place)
        train(folder, changes, options.seeds, options.jobs)
        scores[name] = pd.DataFrame([f1_of(run) for run in find_runs(folder)], dtype=float)
        scores[name] = scores[name].reset_index(drop=True)
    table = pd.DataFrame([row(name, f1, scores["none"]) for name, f1 in scores.items()])
    write_table(table, options.output, "ablation", f"{options.seeds} seeds, 960 test signals")
    print((options.output / "ablation.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
