"""Networks as the package ships them: weights in safetensors, everything else in YAML."""

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from bubbleloc.errors import InputError
from bubbleloc.files import atomic, write_yaml
from bubbleloc.report import read_report
from bubbleloc.training import runs

SHOWN_TOLERANCES = (0, 2, 4, 9)  # samples, of the scores in the card


def write_release(run: Path, output: Path, checkpoint: str = "best") -> None:
    """Write an evaluated run as ``<name>.safetensors`` and ``<name>.yaml``.

    The YAML holds what is needed to build, use and judge the network: its settings, protocol,
    data, sampling rate, best threshold per tolerance, and test scores.

    Raises:
        InputError: the run was not evaluated.
    """
    config = runs.read_config(run)
    network = runs.load_network(run, checkpoint)
    report = read_report(run / "report")
    if report.scores.empty:
        raise InputError(f"{run} has no scores; run python -m bubbleloc.evaluate run={run}")
    by_tolerance = report.scores.groupby("tolerance")
    f1 = by_tolerance["f1"].agg(["mean", "median"]).round(3)
    card = {
        "model": config["model"],
        "parameters": network.parameter_count,
        "sampling_rate_hz": report.scale.sampling_rate_hz,
        "speed_of_sound_m_s": report.scale.speed_of_sound_m_s,
        "frequency_hz": report.scale.frequency_hz,
        "thresholds": by_tolerance["threshold"].first().to_dict(),
        "f1_test": {t: f1.loc[t].to_dict() for t in SHOWN_TOLERANCES},
        "training": {key: config[key] for key in ("data", "loss", "optimizer", "loader", "seed")},
        "epochs": config["trainer"]["max_epochs"],
    }
    with atomic(output) as unfinished:
        save_file(network.state_dict(), unfinished)
        unfinished.chmod(0o644)
    write_yaml(output.with_suffix(".yaml"), without_defaults(card))


def without_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings without those that are null, which stands for the default."""
    kept = {
        key: without_defaults(value) if isinstance(value, dict) else value
        for key, value in settings.items()
        if value is not None
    }
    return {key: value for key, value in kept.items() if value != {}}
