"""One network under all published conditions: noise, bubbles of all sizes, and empty lines."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.arrays import Float32s
from bubbleloc.console.composition import settings_from_python
from bubbleloc.console.settings import Evaluate, Simulate
from bubbleloc.data.dataset import open_split
from bubbleloc.data.generate import simulate_missing
from bubbleloc.data.noise import NO_NOISE, Noise
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError
from bubbleloc.evaluation.run import at_rate_of, run_facts, score_network
from bubbleloc.files import check_replaceable
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import NETWORK
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import Run
from bubbleloc.report.studies import Conditions, write_conditions

POLYDISPERSE = "polydisperse"
CONDITIONS: Mapping[str, Noise] = {
    "clean": NO_NOISE,
    **{f"noise {percent} %": Noise(percent / 100) for percent in (1, 2, 4, 8, 16, 32)},
    POLYDISPERSE: NO_NOISE,
}
"""Noise of the lines; bubbles are monodisperse but in the last condition."""

# Mean F1 over 960 test signals at tolerances of 0 to 9 samples, thresholds chosen on the training
# signals: dilated CNNs of Blanken et al., IEEE TMI 41(9), 2022, with α = 0.01, each trained and
# scored under its own condition.
SPECIALISTS: Mapping[str, tuple[float, ...]] = {
    "clean": (0.427, 0.704, 0.853, 0.919, 0.944, 0.955, 0.960, 0.965, 0.968, 0.971),
    "noise 1 %": (0.397, 0.658, 0.815, 0.895, 0.928, 0.942, 0.950, 0.955, 0.960, 0.963),
    "noise 2 %": (0.390, 0.647, 0.805, 0.887, 0.922, 0.937, 0.946, 0.951, 0.956, 0.959),
    "noise 4 %": (0.385, 0.639, 0.796, 0.880, 0.916, 0.932, 0.942, 0.948, 0.953, 0.957),
    "noise 8 %": (0.371, 0.614, 0.771, 0.858, 0.898, 0.917, 0.927, 0.935, 0.940, 0.945),
    "noise 16 %": (0.340, 0.567, 0.724, 0.813, 0.861, 0.885, 0.900, 0.910, 0.918, 0.924),
    "noise 32 %": (0.314, 0.526, 0.677, 0.771, 0.824, 0.852, 0.872, 0.883, 0.893, 0.901),
    POLYDISPERSE: (0.265, 0.424, 0.536, 0.617, 0.676, 0.719, 0.752, 0.778, 0.799, 0.818),
}

DATASETS = ("study", "study_polydisperse")  # of ``conf/data``: one size of bubbles, and all sizes
EMPTY_LINES = 200  # of noise alone
DECIDED = ("folder", "noise", "snr_db", "selection", "resample")  # settings of one evaluation


def evaluate_conditions(run: Run, settings: Evaluate, datasets: tuple[str, str] = DATASETS) -> Path:
    """Score a run under every condition of the published specialists; return the report's page.

    Thresholds of the tolerance F1 are chosen on the validation split under the same condition, as
    for the specialists. Detections in empty lines are those above the threshold of `localize`.

    Args:
        datasets: two of ``conf/data``, with bubbles of one size and of all sizes; simulated where
            they are not there yet.

    Raises:
        InputError: a setting that the conditions decide.
    """
    refuse_decided(settings)
    report = run.report_folder().with_name("report-conditions")
    check_replaceable(report)
    folders = [_folder(name) for name in datasets]
    network, *_ = at_rate_of(folders[0], run, resample=False)
    score = partial(
        score_network, network, baselines=settings.baselines, batch_size=settings.batch_size
    )
    tables, paired, certainty = [], [], []
    for condition, noise in CONDITIONS.items():
        folder = folders[condition == POLYDISPERSE]
        scored = score(folder, noise)
        tables.append(scored.scores.assign(condition=condition))
        paired.append(scored.one_to_one[NETWORK].assign(condition=condition))
        if scored.certainty is not None:
            certainty.append({"condition": condition, **scored.certainty.scores})
    specialists = pd.DataFrame(SPECIALISTS).melt(var_name="condition", value_name="f1")
    specialists["tolerance"] = specialists.groupby("condition").cumcount()
    samples = open_split(folders[0], "test").samples
    found = Conditions(
        scores=pd.concat(tables, ignore_index=True),
        one_to_one=pd.concat(paired, ignore_index=True),
        specialists=specialists,
        empty=empty_lines(run, samples),
        certainty=pd.DataFrame(certainty),
        facts=run_facts(run),
    )
    return write_conditions(report, found)


def refuse_decided(settings: Evaluate) -> None:
    """Refuse settings of one evaluation.

    Raises:
        InputError: there is one.
    """
    for name in DECIDED:
        value, default = getattr(settings, name), Evaluate.model_fields[name].default
        if value != default:
            raise InputError(f"{name}={value}: the conditions decide it; leave it out")


def _folder(name: str) -> Path:
    """Return the folder of a dataset, simulated if it is not there."""
    settings, _ = settings_from_python(Simulate, {"data": name})
    plan = DatasetPlan(settings.data).only(["val", "test"])
    simulate_missing(plan)
    return plan.folder


def empty_lines(run: Run, samples: int) -> pd.DataFrame:
    """Return the mean number of detections in lines without a bubble, a row per kind of line."""
    threshold = run.threshold(QUOTED_TOLERANCE)
    rows = []
    for kind, lines in _empty(samples, run.card.scale.sampling_rate_hz):
        found = [len(f) for f in answer(run.network, lines).detections(threshold)]
        rows.append({"line": kind, "lines": len(lines), "detections per line": np.mean(found)})
    return pd.DataFrame(rows)


def _empty(samples: int, sampling_rate_hz: float) -> Iterator[tuple[str, Float32s]]:
    silent = np.zeros(samples, np.float32)
    yield "zeros", silent[None]
    yield "constant", silent[None] + 1
    noise, rng = Noise((0.01, 0.32)), np.random.default_rng(0)
    lines = [noise(silent, rng, sampling_rate_hz) for _ in range(EMPTY_LINES)]
    yield "noise alone, 1–32 %", np.stack(lines)
