"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.data.dataset import RFDataset, open_split
from bubbleloc.data.generate import simulate_missing
from bubbleloc.data.noise import Noise
from bubbleloc.data.plan import plan_of
from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.baselines import score_baselines
from bubbleloc.evaluation.certainty import certainty_of
from bubbleloc.evaluation.reports import report_folder, weights_fingerprint
from bubbleloc.evaluation.scoring import MethodScores, predict, score_method
from bubbleloc.files import check_output
from bubbleloc.metrics import QUOTED_TOLERANCE, Sweep, best_thresholds
from bubbleloc.metrics.breakdown import outcomes
from bubbleloc.metrics.one_to_one import PAIR_TOLERANCES
from bubbleloc.metrics.scores import NETWORK, score_table
from bubbleloc.models import runs
from bubbleloc.models.answers import answer
from bubbleloc.nn import Localizer
from bubbleloc.report import Evaluation, Example, write_report
from bubbleloc.training import provenance

SELECTION_SPLITS = ("val", "train")  # never the test split
EXAMPLE_BUBBLES = (100, 500)  # a sparse and a dense line to show
DEFAULT_BASELINES = ("matched_filter", "wiener")


def evaluate_run(
    run: Path,
    *,
    checkpoint: str = "best",
    folder: Path | None = None,
    selection: str = "val",
    noise: float | Sequence[float] | None = None,
    snr_db: float | None = None,
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
    resample: bool = False,
) -> Path:
    """Evaluate a run on its dataset and return the path of the report's page.

    Args:
        folder: another dataset folder to score on; its report lies apart, see `report_folder`.
        selection: split on which the threshold of every tolerance is chosen.
        noise: level of added noise, None for that of the run; a list adds F1 against these levels.
        snr_db: in place of a level, signal-to-noise ratio of white noise in dB.
        baselines: classical methods to score beside the network, see ``baselines.CLASSICAL``.
        resample: let the network score lines of another sampling rate than it was trained at, its
            kernels resampled. Tolerances are then samples of these lines.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method, or another sampling rate.
    """
    config = runs.read_config(run)
    main, levels = _noise(noise, snr_db, Noise.of(config))
    check_output(report_folder(run, folder) / "report.html")  # before the work
    data = folder or _own_dataset(run, config, selection)
    weights = weights_fingerprint(run, checkpoint)  # first: a training may replace them any time
    trained = runs.open_run(run, checkpoint)
    network, resampled = at_rate_of(data, trained, resample)
    score = partial(
        score_network,
        network,
        data,
        selection=selection,
        baselines=baselines,
        batch_size=batch_size,
    )
    evaluation = score(main)
    evaluation = replace(
        evaluation,
        checkpoint=weights,
        facts=run_facts(trained, config["seed"], checkpoint) | dict(evaluation.facts) | resampled,
        examples=examples(network, open_split(data, "test", main), evaluation.selection),
        noise=_noise_curve(score, levels, main, evaluation),
    )
    return write_report(report_folder(run, folder), evaluation)


def score_network(
    network: Localizer,
    folder: Path,
    noise: Noise,
    *,
    selection: str = "val",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
    one_to_one: bool = True,
) -> Evaluation:
    """Score a network and the baselines on the lines of a dataset folder with added noise.

    Args:
        one_to_one: whether to pair peaks with bubbles, too, which takes longer.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    chosen_on, test = open_split(folder, selection, noise), open_split(folder, "test", noise)
    method = partial(predict, network=network, batch_size=batch_size)
    scored = score_method(method, chosen_on, test, PAIR_TOLERANCES if one_to_one else ())
    quoted = [QUOTED_TOLERANCE] if one_to_one else []
    methods = {NETWORK: scored, **score_baselines(baselines, chosen_on, test, quoted)}
    scores = {name: method.scores for name, method in methods.items()}
    evaluation = Evaluation(
        scale=test.scale,
        selection=scored.selection,
        selection_split=selection,
        scores=score_table(scores, test.bubble_counts, test.pressure_pa),
        test_fingerprint=test.key,
        facts={"noise": str(noise), "selection data": str(chosen_on), "test data": str(test)},
    )
    if not one_to_one:
        return evaluation
    return replace(
        evaluation,
        one_to_one={name: method.one_to_one for name, method in methods.items()},
        outcomes=_outcomes(scored, test),
        certainty=certainty_of(scored.test, test),
    )


def _outcomes(network: MethodScores, test: RFDataset) -> pd.DataFrame:
    """What became of every bubble and detection at the quoted tolerance."""
    at = network.one_to_one["tolerance"] == QUOTED_TOLERANCE
    threshold = network.one_to_one.loc[at, "threshold"].iloc[0]
    return outcomes(
        network.test.detections,
        network.test.arrival_sample,
        threshold if network.test.needs_threshold else None,
        QUOTED_TOLERANCE,
        test.scale,
    )


def _noise_curve(
    score: Callable[..., Evaluation], levels: Sequence[float], main: Noise, evaluation: Evaluation
) -> pd.DataFrame | None:
    """Scores at levels of noise, with a column `noise`; None where there are no levels."""
    tables = []
    for level in levels:
        noise = Noise(level)
        at = evaluation if noise == main else score(noise, one_to_one=False)
        table = at.scores.copy()
        table.insert(0, "noise", level)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else None


def _own_dataset(run: Path, config: runs.Config, selection: str) -> Path:
    """Folder of the data that a run was trained on, simulated if it is not there."""
    folder = Path(config["data"]["folder"])
    simulate_missing(plan_of(config["data"]).files(), config["workers"])
    remedy = f"give folder={folder} to score on it all the same"
    provenance.check_dataset(run, folder, (selection, "test"), remedy)
    return folder


def at_rate_of(
    folder: Path, trained: runs.TrainedNetwork, resample: bool
) -> tuple[Localizer, dict[str, str]]:
    """Return the network for the sampling rate of the test lines, and what to tell of it."""
    trained_hz = trained.card.scale.sampling_rate_hz
    lines_hz = RFDataset(folder / "test.h5").scale.sampling_rate_hz
    if trained_hz == lines_hz:
        return trained.network, {}
    if not resample:
        raise InputError(
            f"{folder} is sampled at {lines_hz / 1e6:g} MHz, {trained.name} was trained at "
            f"{trained_hz / 1e6:g} MHz; add resample=true to resample the network's kernels"
        )
    network = trained.network.at_sampling_rate(lines_hz, trained_hz)
    return network, {"kernels": f"resampled from {trained_hz / 1e6:g} to {lines_hz / 1e6:g} MHz"}


def run_facts(trained: runs.TrainedNetwork, seed: int, checkpoint: str) -> dict[str, str]:
    """Return what the report tells of the run, by name."""
    omega_0 = trained.card.model.get("omega_0")
    return {
        "run": printable(Path(trained.name).resolve().name),
        "model": trained.card.model["name"],
        "kernel": f"{trained.network.kernel_samples} samples",
        **({} if omega_0 is None else {"ω₀": f"{omega_0:g}"}),
        "parameters": f"{trained.card.parameters:,}",
        "seed": str(seed),
        "checkpoint": checkpoint,
    }


def examples(network: Localizer, test: RFDataset, selection: Sweep) -> list[Example]:
    """Return a sparse and a dense test line with the network's output and its threshold."""
    place = list(selection.tolerances).index(QUOTED_TOLERANCE)
    threshold = float(best_thresholds(selection)[place])
    nearest = [int(np.abs(test.bubble_counts - wanted).argmin()) for wanted in EXAMPLE_BUBBLES]
    shown = []
    for index in dict.fromkeys(nearest):
        rf = test.volts(index)
        said = answer(network, rf[None])
        level = threshold if said.needs_threshold else None
        example = Example(
            title=f"Test signal {index}: {test.bubble_counts[index]} bubbles",
            rf=rf.astype(np.float64),
            prediction=said.output[0].astype(np.float64),
            arrival_sample=test.bubbles(index).arrival_sample,
            threshold=level,
            found=said.detections(level)[0],
        )
        shown.append(example)
    return shown


def _noise(
    noise: float | Sequence[float] | None, snr_db: float | None, of_run: Noise
) -> tuple[Noise, list[float]]:
    """Noise of the report, and the levels of its noise curve, ascending; often none."""
    if noise is None or isinstance(noise, int | float):
        given = noise is not None or snr_db is not None
        return Noise(noise or 0.0, snr_db) if given else of_run, []
    levels = sorted({float(level) for level in noise})
    return of_run if snr_db is None else Noise(0.0, snr_db), levels
