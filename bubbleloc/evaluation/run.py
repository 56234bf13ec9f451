"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.generate import ensure_dataset, plan_of
from bubbleloc.data.noise import Noise
from bubbleloc.data.splits import Split, open_split
from bubbleloc.errors import InputError
from bubbleloc.evaluation.baselines import rivals
from bubbleloc.evaluation.scoring import choose, predict, score
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE, TOLERANCES, MeanSweep, best_thresholds
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import apply
from bubbleloc.report import Evaluation, Example, OneToOne, noise_curve, write_report
from bubbleloc.training import provenance, runs

SELECTION_SPLITS = ("val", "train")  # never the test split
EXAMPLE_BUBBLES = (100, 500)  # a sparse and a dense line to show
DEFAULT_BASELINES = ("matched_filter", "wiener")
ONE_TO_ONE = TOLERANCES[1:]  # positions are not rounded there, so no pair is at distance zero


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
        folder: another dataset folder to score on.
        selection: split on which the threshold of every tolerance is chosen.
        noise: level of added noise; None for that of the run. A list adds F1 against these
            levels to a report with the noise of the run.
        snr_db: in place of a level, signal-to-noise ratio of white noise in dB.
        baselines: classical methods to stand beside the network, see ``floor.BASELINES``.
        resample: let the network score lines of another sampling rate than it was trained at, its
            kernels resampled. Tolerances are then samples of these lines.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method, or another sampling rate.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    config = runs.read_config(run)
    levels = _noise_levels(noise)
    main = _main_noise(config, noise, snr_db)
    network = runs.load_network(run, checkpoint)
    if folder is None:
        ensure_dataset(plan_of(config["data"]), config["workers"])
        used = Path(config["data"]["folder"])
        remedy = f"give folder={used} to score on it all the same"
        provenance.check_dataset(run, used, (selection, "test"), remedy)
    folder = folder or Path(config["data"]["folder"])
    rates = sampling_rates_hz(config, folder)
    if rates[0] != rates[1] and not resample:
        raise InputError(
            f"{folder} is sampled at {rates[1] / 1e6:g} MHz, {run} was trained at "
            f"{rates[0] / 1e6:g} MHz; add resample=true to resample the network's kernels"
        )
    evaluate = partial(
        evaluate_at,
        network=network if rates[0] == rates[1] else network.at_sampling_rate(rates[1], rates[0]),
        folder=folder,
        selection=selection,
        baselines=baselines,
        batch_size=batch_size,
    )
    evaluation = evaluate(main)
    facts = run_facts(config, network, checkpoint) | dict(evaluation.facts)
    if rates[0] != rates[1]:
        facts["kernels"] = f"resampled from {rates[0] / 1e6:g} to {rates[1] / 1e6:g} MHz"

    def at_levels() -> Iterator[tuple[float, Evaluation]]:
        for level in levels:
            same = Noise(level) == main
            yield level, evaluation if same else evaluate(Noise(level), one_to_one=False)

    return write_report(
        runs.report_folder(run),
        replace(
            evaluation,
            facts={"run": run.resolve().name} | facts,
            examples=examples(network, open_split(folder, "test", main), evaluation.selection),
            noise=noise_curve(at_levels()) if levels else None,
        ),
        QUOTED_TOLERANCE,
    )


def evaluate_at(
    noise: Noise,
    *,
    network: Localizer,
    folder: Path,
    selection: str = "val",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
    one_to_one: bool = True,
) -> Evaluation:
    """Score a network, and what it must beat, on the lines of a dataset folder with added noise.

    Args:
        one_to_one: whether to pair peaks with bubbles, too, which takes longer.
    """
    chosen_on, test = open_split(folder, selection, noise), open_split(folder, "test", noise)
    tolerances, shown = (ONE_TO_ONE, [QUOTED_TOLERANCE]) if one_to_one else ((), [])
    scale = test.scale
    chosen = choose(predict(network, chosen_on, batch_size), chosen_on, tolerances)
    counted = OneToOne.of(chosen.peak_thresholds, QUOTED_TOLERANCE, scale) if one_to_one else None
    scores = score(predict(network, test, batch_size), test, chosen.thresholds, counted)
    beside = rivals(baselines, chosen_on, test, shown)
    return Evaluation(
        selection=chosen.sweep,
        selection_split=selection,
        test=scores,
        random_f1=beside["random"].f1,
        bubbles=test.bubbles,
        pressure_pa=test.pressure_pa,
        test_fingerprint=test.key,
        facts={
            "noise": str(noise),
            "selection data": str(chosen_on),
            "test data": str(test),
        },
        baselines={name: rival.f1 for name, rival in beside.items() if name != "random"},
        one_to_one=counted,
        rivals_one_to_one={name: rival.matched for name, rival in beside.items() if one_to_one},
        scale=scale,
    )


def sampling_rates_hz(config: runs.Config, folder: Path) -> tuple[float, float]:
    """Return the sampling rates of the lines a run was trained on and of those in `folder`."""
    train = Path(config["data"]["folder"]) / "train.h5"
    if train.is_file():
        trained_hz = RFDataset(train).sampling_rate_hz
    else:
        trained_hz = plan_of(config["data"]).setup().sampling_rate_hz
    return trained_hz, RFDataset(folder / "test.h5").sampling_rate_hz


def run_facts(config: runs.Config, network: Localizer, checkpoint: str) -> dict[str, str]:
    """Return what the report tells of the run, by name."""
    omega_0 = config["model"].get("omega_0")
    return {
        "model": config["model"]["name"],
        "kernel": f"{runs.kernel_samples(network)} samples",
        **({} if omega_0 is None else {"ω₀": f"{omega_0:g}"}),
        "parameters": f"{network.parameter_count:,}",
        "seed": str(config["seed"]),
        "checkpoint": checkpoint,
    }


def examples(network: Localizer, test: Split, selection: MeanSweep) -> list[Example]:
    """Return a sparse and a dense test line with the network's output and its threshold."""
    threshold = float(
        best_thresholds(selection)[list(selection.tolerances).index(QUOTED_TOLERANCE)]
    )
    bubbles = test.bubbles
    nearest = [int(np.abs(bubbles - wanted).argmin()) for wanted in EXAMPLE_BUBBLES]
    shown = []
    for index in dict.fromkeys(nearest):
        rf = test.volts(index)
        shown.append(
            Example(
                title=f"Test signal {index}: {bubbles[index]} bubbles",
                rf=rf.astype(np.float64),
                prediction=apply(network, rf[None])[0].astype(np.float64),
                arrival_sample=test.arrival_sample(index),
                threshold=threshold,
            )
        )
    return shown


def _main_noise(
    config: runs.Config, noise: float | Sequence[float] | None, snr_db: float | None
) -> Noise:
    """Noise of the report but for its curve: the one asked for, else that of the run."""
    if isinstance(noise, int | float) or snr_db is not None:
        return Noise(noise if isinstance(noise, int | float) else 0.0, snr_db)
    return Noise(config["noise"], config.get("snr_db"))


def _noise_levels(noise: float | Sequence[float] | None) -> list[float]:
    """Levels to draw F1 against, ascending; none where a single level or none is asked for."""
    if noise is None or isinstance(noise, int | float):
        return []
    try:
        levels = sorted({float(level) for level in noise})
    except (TypeError, ValueError) as error:
        raise InputError(f"noise={noise}: give a number or a list of numbers") from error
    if not levels:
        raise InputError("noise=[]: give a number or a list of numbers")
    return levels
