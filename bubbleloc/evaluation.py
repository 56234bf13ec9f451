"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc import provenance, runs
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.generate import ensure_dataset, plan_of
from bubbleloc.data.noise import Noise
from bubbleloc.data.store import settings_of
from bubbleloc.detections import Scale
from bubbleloc.errors import InputError
from bubbleloc.floor import rivals, score
from bubbleloc.inference import apply, predict
from bubbleloc.metrics import Sweep, best_thresholds
from bubbleloc.nn import Localizer
from bubbleloc.physics import Setup
from bubbleloc.report import Evaluation, Example, write_report
from bubbleloc.report.content import signal_scores
from bubbleloc.splits import Split, describe, open_split

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
) -> Path:
    """Evaluate a run on its dataset and return the path of the report's page.

    Args:
        folder: another dataset folder to score on.
        selection: split on which the threshold of every tolerance is chosen.
        noise: level of added noise; None for that of the run. A list adds F1 against these
            levels to a report with the noise of the run.
        snr_db: in place of a level, signal-to-noise ratio of white noise in dB.
        baselines: classical methods to stand beside the network, see ``floor.BASELINES``.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    config = runs.read_config(run)
    levels = _noise_levels(noise)
    if isinstance(noise, int | float) or snr_db is not None:
        main = Noise(noise if isinstance(noise, int | float) else 0.0, snr_db)
    else:
        main = Noise(config["noise"], config.get("snr_db"))
    network = runs.load_network(run, checkpoint)
    if folder is None:
        ensure_dataset(plan_of(config["data"]), config["workers"])
        used = Path(config["data"]["folder"])
        remedy = f"give folder={used} to score on it all the same"
        provenance.check_dataset(run, used, (selection, "test"), remedy)
    folder = folder or Path(config["data"]["folder"])
    evaluate = partial(
        evaluate_at,
        network=network,
        folder=folder,
        selection=selection,
        baselines=baselines,
        batch_size=batch_size,
    )
    evaluation = evaluate(main)
    facts = run_facts(config, network, checkpoint) | dict(evaluation.facts)
    noisy = {
        level: evaluation if Noise(level) == main else evaluate(Noise(level)) for level in levels
    }
    return write_report(
        runs.report_folder(run),
        replace(
            evaluation,
            facts={"run": run.resolve().name} | facts,
            examples=examples(network, open_split(folder, "test", main), evaluation.selection),
            noise_scores=_noise_scores(noisy) if noisy else None,
        ),
    )


def evaluate_at(
    noise: Noise,
    *,
    network: Localizer,
    folder: Path,
    selection: str = "val",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
) -> Evaluation:
    """Score a network, and what it must beat, on the lines of a dataset folder with added noise."""
    chosen_on, test = open_split(folder, selection, noise), open_split(folder, "test", noise)
    scored = [score(predict(network, split, batch_size), split) for split in (chosen_on, test)]
    beside = rivals(baselines, chosen_on, test)
    return Evaluation(
        selection=scored[0].sweep,
        selection_split=selection,
        test=scored[1].sweep,
        random_f1=beside["random"].f1,
        bubbles=test.bubbles,
        pressure_pa=test.lines.pressure_pa,
        test_fingerprint=test.key,
        facts={
            "noise": describe(noise),
            "selection data": str(chosen_on),
            "test data": str(test),
        },
        baselines={name: rival.f1 for name, rival in beside.items() if name != "random"},
        selection_found=scored[0].found,
        test_found=scored[1].found,
        rivals_found={name: (rival.selection, rival.test) for name, rival in beside.items()},
        scale=_scale(test.lines),
    )


def run_facts(config: runs.Config, network: Localizer, checkpoint: str) -> dict[str, str]:
    """Return what the report tells of the run, by name."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    omega_0 = config["model"].get("omega_0")
    return {
        "model": config["model"]["name"],
        "kernel": f"{runs.kernel_samples(network)} samples",
        **({} if omega_0 is None else {"ω₀": f"{omega_0:g}"}),
        "parameters": f"{parameters:,}",
        "seed": str(config["seed"]),
        "checkpoint": checkpoint,
    }


def examples(network: Localizer, test: Split, selection: Sweep) -> list[Example]:
    """Return a sparse and a dense test line with the network's output and its threshold."""
    threshold = float(best_thresholds(selection)[list(selection.tolerances).index(4)])
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


def _noise_scores(noisy: Mapping[float, Evaluation]) -> pd.DataFrame:
    """Tidy test scores of several noise levels, each at the thresholds chosen at that level."""
    tables = []
    for level, evaluation in noisy.items():
        table = signal_scores(evaluation, best_thresholds(evaluation.selection))
        table.insert(0, "noise", level)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _scale(lines: RFDataset) -> Scale:
    """What a sample of a dataset is worth; λ is that of the published pulse unless it says so."""
    physics = settings_of(lines.path).get("physics")
    frequency_hz = (physics if isinstance(physics, dict) else {}).get("frequency_hz")
    return Scale(
        lines.sampling_rate_hz, lines.speed_of_sound_m_s, frequency_hz or Setup.frequency_hz
    )
