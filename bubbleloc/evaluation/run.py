"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.console.settings import Evaluate
from bubbleloc.data.dataset import RFDataset, open_split
from bubbleloc.data.generate import simulate_missing
from bubbleloc.data.noise import Noise
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.errors import InputError, printable
from bubbleloc.evaluation.baselines import score_baselines
from bubbleloc.evaluation.certainty import certainty_of
from bubbleloc.evaluation.scoring import MethodScores, predict, score_method
from bubbleloc.files import check_output, check_replaceable
from bubbleloc.formats.conditioning import rate_ratio
from bubbleloc.metrics import QUOTED_TOLERANCE, Sweep, best_thresholds
from bubbleloc.metrics.breakdown import outcomes
from bubbleloc.metrics.one_to_one import PAIR_TOLERANCES
from bubbleloc.metrics.scores import NETWORK, score_table
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import Run, open_run
from bubbleloc.nn import Localizer
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.report import Evaluation, Example, Report, read_report, write_report

SELECTION_SPLITS = ("val", "train")  # never the test split
EXAMPLE_BUBBLES = (100, 500)  # a sparse and a dense line to show
DEFAULT_BASELINES = ("matched_filter", "wiener")


def evaluate(run: Run, settings: Evaluate) -> Path:
    """Evaluate a run on its dataset, or another; return the path of the report's page.

    Args:
        settings: of the evaluation; its run is `run`, or a sweep that `run` is part of.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method, or another sampling rate.
    """
    main, levels = _noise(settings, Noise.of(run.config))
    folder = None if settings.folder is None else Path(settings.folder)
    report = run.report_folder(folder)
    check_output(report / "report.html")  # before the work
    check_replaceable(report)
    data = folder or _dataset_of_training(run, settings.selection)
    network, network_samples, resampled = at_rate_of(data, run, settings.resample)
    score = partial(
        score_network,
        network,
        data,
        selection=settings.selection,
        baselines=settings.baselines,
        batch_size=settings.batch_size,
        network_samples=network_samples,
    )
    evaluation = score(main)
    test = open_split(data, "test", main)
    evaluation = replace(
        evaluation,
        checkpoint=run.card.fingerprint,
        facts=run_facts(run) | dict(evaluation.facts) | resampled,
        examples=examples(network, test, evaluation.selection, network_samples),
        noise=_noise_curve(score, levels, main, evaluation),
    )
    return write_report(report, evaluation)


def score_network(
    network: Localizer,
    folder: Path,
    noise: Noise,
    *,
    selection: str = "val",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
    one_to_one: bool = True,
    network_samples: Fraction = Fraction(1),
) -> Evaluation:
    """Score a network and the baselines on the lines of a dataset folder with added noise.

    Args:
        network_samples: the samples of the network per sample of the lines, see `answer`.
        one_to_one: whether to pair peaks with bubbles, too, which takes longer.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    chosen_on, test = open_split(folder, selection, noise), open_split(folder, "test", noise)
    method = partial(
        predict, network=network, batch_size=batch_size, network_samples=network_samples
    )
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


def _dataset_of_training(run: Run, selection: str) -> Path:
    """Folder of the data that a run was trained on, simulated if it is not there."""
    plan = DatasetPlan(run.config.data)
    simulate_missing(plan.files(), run.config.workers)
    remedy = f"give folder={plan.folder} to score on it all the same"
    run.check_dataset(plan.folder, (selection, "test"), remedy)
    return plan.folder


def at_rate_of(
    folder: Path, run: Run, resample: bool
) -> tuple[Localizer, Fraction, dict[str, str]]:
    """Return what `answer` takes to apply a network to the test lines, and what to tell of it.

    For another sampling rate, the kernels of a network that counts are resampled. A head of
    emitters tells positions in samples of its rate, so the lines are, as by `localize`.

    Raises:
        InputError: another rate without `resample`, or lines too short for the network.
    """
    trained_hz = run.card.scale.sampling_rate_hz
    test = RFDataset(folder / "test.h5")
    lines_hz = test.scale.sampling_rate_hz
    if not test.is_told:
        run.knowing_its_pulse(f"evaluate folder={folder}")
    network, network_samples, told = run.network, Fraction(1), {}
    if trained_hz != lines_hz and not resample:
        raise InputError(
            f"{folder} is sampled at {lines_hz / 1e6:g} MHz, {run.name} was trained at "
            f"{trained_hz / 1e6:g} MHz; add resample=true to evaluate it all the same"
        )
    if trained_hz != lines_hz and isinstance(network.head, EmitterHead):
        network_samples = rate_ratio(lines_hz, trained_hz)
        told = {"lines": f"resampled from {lines_hz / 1e6:g} to {trained_hz / 1e6:g} MHz"}
    elif trained_hz != lines_hz:
        network = network.at_sampling_rate(lines_hz, trained_hz)
        told = {"kernels": f"resampled from {trained_hz / 1e6:g} to {lines_hz / 1e6:g} MHz"}
    shortest = ceil((network.receptive_field // 2 + 1) / network_samples)
    if test.samples < shortest:
        raise InputError(
            f"{folder} has lines of {test.samples} samples, shorter than the {shortest} that "
            f"{run.name} needs"
        )
    return network, network_samples, told


def run_facts(run: Run) -> dict[str, str]:
    """Return what the report tells of the run, by name."""
    model = run.card.model
    omega_0 = {"ω₀": f"{model['omega_0']:g}"} if model.get("omega_0") is not None else {}
    return {
        "run": printable(Path(run.name).resolve().name),
        "model": model["name"],
        "kernel": f"{run.network.kernel_samples} samples",
        **omega_0,
        "parameters": f"{run.card.parameters:,}",
        "seed": str(run.config.seed),
        "checkpoint": run.checkpoint,
    }


def examples(
    network: Localizer,
    test: RFDataset,
    selection: Sweep,
    network_samples: Fraction = Fraction(1),
) -> list[Example]:
    """Return a sparse and a dense test line with the network's output and its threshold."""
    place = list(selection.tolerances).index(QUOTED_TOLERANCE)
    threshold = float(best_thresholds(selection)[place])
    nearest = [int(np.abs(test.bubble_counts - wanted).argmin()) for wanted in EXAMPLE_BUBBLES]
    shown = []
    for index in dict.fromkeys(nearest):
        rf = test.volts(index)
        said = answer(network, rf[None], network_samples)
        level = threshold if said.needs_threshold else None
        example = Example(
            title=f"Test signal {index}: {test.bubble_counts[index]} bubbles",
            rf=rf.astype(np.float64),
            prediction=said.output[0].astype(np.float64),
            arrival_sample=test.bubbles(index).arrival_sample,
            threshold=level,
            detections=said.detections(level)[0],
        )
        shown.append(example)
    return shown


def _noise(settings: Evaluate, of_training: Noise) -> tuple[Noise, list[float]]:
    """Noise of the report, and the levels of its noise curve, ascending; often none."""
    noise, snr_db = settings.noise, settings.snr_db
    if isinstance(noise, list):
        levels = sorted({float(level) for level in noise})
        return of_training if snr_db is None else Noise(0.0, snr_db), levels
    if noise is None and snr_db is None:
        return of_training, []
    return Noise(noise or 0.0, snr_db), []


def current_report(run: Run, dataset: Path | None = None) -> Report:
    """Read the report of a run, see `Run.report_folder`.

    Raises:
        InputError: there is none, it is damaged, or it is of an earlier checkpoint or other data.
    """
    folder = run.report_folder(dataset)
    report = read_report(folder)
    scored = open_run(run.name, report.facts.get("checkpoint", "best"))
    if report.checkpoint != scored.card.fingerprint:
        raise InputError(f"{folder} describes an earlier checkpoint of the run")
    test_data = run.dataset_fingerprints.get("test", "")
    if dataset is None and not report.test_fingerprint.startswith(test_data):
        raise InputError(f"{folder} describes other test data than the run's")
    return report


def reported(run: Run, settings: Evaluate) -> Report:
    """Return the report of a run; evaluate the run first where it has no current one."""
    try:
        return current_report(run)
    except InputError:  # missing, or of an earlier checkpoint
        evaluate(run, settings)
        return current_report(run)
