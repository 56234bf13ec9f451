"""One network under all published conditions: noise, bubbles of all sizes, and empty lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.arrays import Float32s
from bubbleloc.console.composition import settings_from_python
from bubbleloc.data.dataset import open_split
from bubbleloc.data.generate import simulate_missing
from bubbleloc.data.noise import Noise
from bubbleloc.data.plan import plan_of
from bubbleloc.evaluation.reports import report_folder
from bubbleloc.evaluation.run import DEFAULT_BASELINES, at_rate_of, run_facts, score_network
from bubbleloc.evaluation.specialists import CONDITIONS, POLYDISPERSE, SPECIALISTS
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import NETWORK
from bubbleloc.models import runs
from bubbleloc.models.answers import answer
from bubbleloc.report.studies import Conditions, write_conditions

DATASETS = ("study", "study_polydisperse")  # of ``conf/data``: one size of bubbles, and all sizes
EMPTY_LINES = 200  # of noise alone


def evaluate_conditions(
    run: Path,
    *,
    checkpoint: str = "best",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
    datasets: tuple[str, str] = DATASETS,
) -> Path:
    """Score a run under every condition of the published specialists; return the report's page.

    Thresholds of the tolerance F1 are chosen on the validation split under the same condition, as
    for the specialists. Detections in empty lines are those above the threshold of `localize`.

    Args:
        datasets: two of ``conf/data``, with bubbles of one size and of all sizes; simulated where
            they are not there yet.
    """
    trained = runs.open_run(run, checkpoint)
    folders = [_folder(name) for name in datasets]
    network, _ = at_rate_of(folders[0], trained, resample=False)
    tables, paired, certainty = [], [], []
    for condition, noise in CONDITIONS.items():
        folder = folders[condition == POLYDISPERSE]
        scored = score_network(network, folder, noise, baselines=baselines, batch_size=batch_size)
        tables.append(scored.scores.assign(condition=condition))
        paired.append(scored.one_to_one[NETWORK].assign(condition=condition))
        if scored.certainty is not None:
            certainty.append({"condition": condition, **scored.certainty.scores})
    specialists = pd.DataFrame(SPECIALISTS).melt(var_name="condition", value_name="f1")
    specialists["tolerance"] = specialists.groupby("condition").cumcount()
    samples = open_split(folders[0], "test").samples
    found = Conditions(
        scale=trained.card.scale,
        scores=pd.concat(tables, ignore_index=True),
        one_to_one=pd.concat(paired, ignore_index=True),
        specialists=specialists,
        empty=empty_lines(trained, samples),
        certainty=pd.DataFrame(certainty),
        facts=run_facts(trained, runs.read_config(run)["seed"], checkpoint),
    )
    return write_conditions(report_folder(run).with_name("report-conditions"), found)


def _folder(name: str) -> Path:
    """Return the folder of a dataset, simulated if it is not there."""
    settings, _ = settings_from_python("simulate", {"data": name})
    plan = plan_of(settings["data"]).only(["val", "test"])
    simulate_missing(plan)
    return plan.folder


def empty_lines(trained: runs.TrainedNetwork, samples: int) -> pd.DataFrame:
    """Return the mean number of detections in lines without a bubble, a row per kind of line."""
    threshold = trained.threshold(QUOTED_TOLERANCE)
    rows = []
    for kind, lines in _empty(samples, trained.card.scale.sampling_rate_hz):
        found = [len(f) for f in answer(trained.network, lines).detections(threshold)]
        rows.append({"line": kind, "lines": len(lines), "detections per line": np.mean(found)})
    return pd.DataFrame(rows)


def _empty(samples: int, sampling_rate_hz: float) -> Iterator[tuple[str, Float32s]]:
    silent = np.zeros(samples, np.float32)
    yield "zeros", silent[None]
    yield "constant", silent[None] + 1
    noise, rng = Noise((0.01, 0.32)), np.random.default_rng(0)
    lines = [noise(silent, rng, sampling_rate_hz) for _ in range(EMPTY_LINES)]
    yield "noise alone, 1–32 %", np.stack(lines)
