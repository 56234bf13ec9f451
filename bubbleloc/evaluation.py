"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc import runs
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.generate import ensure_dataset, plan_of
from bubbleloc.data.noise import REFERENCE_V
from bubbleloc.data.store import fingerprint, settings_of
from bubbleloc.detections import Scale
from bubbleloc.errors import InputError
from bubbleloc.floor import rivals, score
from bubbleloc.inference import predict
from bubbleloc.metrics import Sweep, best_thresholds
from bubbleloc.nn import Localizer
from bubbleloc.physics import Setup
from bubbleloc.report import Evaluation, Example, write_report
from bubbleloc.report.content import signal_scores

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
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
) -> Path:
    """Evaluate a run on its dataset and return the path of the report's page.

    Args:
        folder: another dataset folder to score on.
        selection: split on which the threshold of every tolerance is chosen.
        noise: level of added noise; None for that of the run. A list adds F1 against these
            levels to a report at the level of the run.
        baselines: classical methods to stand beside the network, see ``floor.BASELINES``.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    config = runs.read_config(run)
    levels = _noise_levels(noise)
    level = float(noise) if isinstance(noise, int | float) else float(config["noise"])
    network = runs.load_network(run, checkpoint)
    if folder is None:
        ensure_dataset(plan_of(config["data"]), config["workers"])
    folder = folder or Path(config["data"]["folder"])
    evaluate = partial(
        evaluate_at,
        network=network,
        folder=folder,
        selection=selection,
        baselines=baselines,
        batch_size=batch_size,
    )
    evaluation = evaluate(level)
    facts = run_facts(config, network, checkpoint) | dict(evaluation.facts)
    noisy = [(at, evaluation if at == level else evaluate(at)) for at in levels]
    return write_report(
        run / "report",
        replace(
            evaluation,
            facts={"run": run.resolve().name} | facts,
            examples=examples(network, folder, level, evaluation.selection),
            noise_scores=_noise_scores(noisy) if noisy else None,
        ),
    )


def evaluate_at(
    noise: float,
    *,
    network: Localizer,
    folder: Path,
    selection: str = "val",
    baselines: Sequence[str] = DEFAULT_BASELINES,
    batch_size: int = 16,
) -> Evaluation:
    """Score a network, and what it must beat, on the lines of a dataset folder with added noise."""
    chosen_on = RFDataset(folder / f"{selection}.h5", noise, noise_seed=1)
    test = RFDataset(folder / "test.h5", noise, noise_seed=2)
    scored = [
        score(predict(network, lines, batch_size, f"predict {lines.path}"), lines)
        for lines in (chosen_on, test)
    ]
    beside = rivals(baselines, chosen_on, test)
    return Evaluation(
        selection=scored[0].sweep,
        selection_split=selection,
        test=scored[1].sweep,
        random_f1=beside["random"].f1,
        bubbles=np.diff(test.offset),
        pressure_pa=test.pressure_pa,
        test_fingerprint=f"{fingerprint(test.path)} noise {noise:g}",
        facts={
            "noise": f"{noise:g} (standard deviation {noise * REFERENCE_V:g} V)",
            "selection data": f"{chosen_on.path}, {len(chosen_on)} signals",
            "test data": f"{test.path}, {len(test)} signals",
        },
        baselines={name: rival.f1 for name, rival in beside.items() if name != "random"},
        selection_found=scored[0].found,
        test_found=scored[1].found,
        rivals_found={name: (rival.selection, rival.test) for name, rival in beside.items()},
        scale=_scale(test),
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


def examples(network: Localizer, folder: Path, noise: float, selection: Sweep) -> list[Example]:
    """Return a sparse and a dense test line with the network's output and its threshold."""
    lines = RFDataset(folder / "test.h5", noise, noise_seed=2)
    threshold = float(best_thresholds(selection)[list(selection.tolerances).index(4)])
    bubbles = np.diff(lines.offset)
    nearest = [int(np.abs(bubbles - wanted).argmin()) for wanted in EXAMPLE_BUBBLES]
    shown = []
    for index in dict.fromkeys(nearest):
        line = lines[index]
        output = network.cpu()(line["rf"].unsqueeze(0)).detach().squeeze().numpy()
        shown.append(
            Example(
                title=f"Test signal {index}: {bubbles[index]} bubbles",
                rf=line["rf"].squeeze(0).double().numpy(),
                prediction=output.astype(np.float64),
                arrival_sample=lines.arrival_sample(index),
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


def _noise_scores(noisy: Sequence[tuple[float, Evaluation]]) -> pd.DataFrame:
    """Tidy test scores of several noise levels, each at the thresholds chosen at that level."""
    tables = []
    for level, evaluation in noisy:
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
