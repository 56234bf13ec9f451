"""Score a trained run: one forward pass per signal, every threshold and tolerance from it."""

from pathlib import Path

import numpy as np

from bubbleloc import runs
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.generate import ensure_dataset, plan_of
from bubbleloc.data.store import fingerprint
from bubbleloc.detections import Scale
from bubbleloc.errors import InputError
from bubbleloc.inference import predict
from bubbleloc.metrics import Sweep, best_thresholds, random_floor, tolerance_sweep
from bubbleloc.nn import Localizer
from bubbleloc.report import Evaluation, Example, write_report

SELECTION_SPLITS = ("val", "train")  # never the test split
EXAMPLE_BUBBLES = (100, 500)  # a sparse and a dense line to show


def evaluate_run(
    run: Path,
    *,
    checkpoint: str = "best",
    folder: Path | None = None,
    selection: str = "val",
    noise: float | None = None,
    batch_size: int = 16,
) -> Path:
    """Evaluate a run on its dataset and return the path of the report's page.

    Args:
        folder: another dataset folder to score on.
        selection: split on which the threshold of every tolerance is chosen.
        noise: level of added noise; None for that of the run.

    Raises:
        InputError: no such run, checkpoint, dataset or split.
    """
    if selection not in SELECTION_SPLITS:
        raise InputError(f"selection={selection}: choose one of {', '.join(SELECTION_SPLITS)}")
    config = runs.read_config(run)
    network = runs.load_network(run, checkpoint)
    if folder is None:
        ensure_dataset(plan_of(config["data"]), config["workers"])
    folder = folder or Path(config["data"]["folder"])
    level = config["noise"] if noise is None else noise
    chosen_on = RFDataset(folder / f"{selection}.h5", level, noise_seed=1)
    test = RFDataset(folder / "test.h5", level, noise_seed=2)
    selection_sweep = sweep(network, chosen_on, batch_size)
    test_sweep = sweep(network, test, batch_size)
    counts = np.stack([test.count(index) for index in range(len(test))])
    evaluation = Evaluation(
        selection=selection_sweep,
        selection_split=selection,
        test=test_sweep,
        random_f1=random_floor(counts),
        bubbles=np.diff(test.offset),
        pressure_pa=test.pressure_pa,
        test_fingerprint=f"{fingerprint(test.path)} noise {level:g}",
        facts=facts(config, network, test, checkpoint, level),
        examples=examples(network, test, selection_sweep),
        scale=Scale(test.sampling_rate_hz, test.speed_of_sound_m_s),
    )
    return write_report(run / "report", evaluation)


def sweep(network: Localizer, lines: RFDataset, batch_size: int) -> Sweep:
    """Score a network on all lines of a split, batch by batch."""
    batches = predict(network, lines, batch_size, f"predict {lines.path}")
    return Sweep.concatenate([tolerance_sweep(output, count) for output, count in batches])


def facts(
    config: runs.Config, network: Localizer, test: RFDataset, checkpoint: str, noise: float
) -> dict[str, str]:
    """Return what the report tells of the run, by name."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {
        "model": config["model"]["name"],
        "kernel": str(config["kernel"] or "default"),
        "ω₀": f"{config['omega_0']:g}",
        "parameters": f"{parameters:,}",
        "seed": str(config["seed"]),
        "checkpoint": checkpoint,
        "noise": f"{noise:g}",
        "test data": f"{test.path}, {len(test)} signals",
    }


def examples(network: Localizer, lines: RFDataset, selection: Sweep) -> list[Example]:
    """Return a sparse and a dense line with the network's output and its threshold."""
    threshold = float(best_thresholds(selection)[list(selection.tolerances).index(4)])
    bubbles = np.diff(lines.offset)
    shown = []
    for wanted in EXAMPLE_BUBBLES:
        index = int(np.abs(bubbles - wanted).argmin())
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
