"""Which waveform localizes best: a sweep over waveforms, evaluated on the same scenes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from bubbleloc.errors import InputError
from bubbleloc.evaluation.reproduction import telling_errors
from bubbleloc.models.runs import Run


class WaveformStudy(Callback):
    """Ends a sweep with a report on its waveforms, scored at some levels of noise."""

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = [float(level) for level in levels]

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Evaluate the runs of the sweep that are not, and write the report."""
        with telling_errors():
            page = compare_waveforms(Path(config.hydra.sweep.dir), self.levels)
        print(f"report: {os.path.relpath(page)}")


def compare_waveforms(sweep: Path, levels: Sequence[float]) -> Path:
    """Evaluate the runs of a sweep at levels of noise and write ``study/waveforms.html`` there.

    Runs with a report of their checkpoint at these levels keep it.

    Raises:
        InputError: a run is not finished, or the runs were scored on other scenes.
    """
    from bubbleloc.evaluation.comparison import trained_with
    from bubbleloc.evaluation.run import current_report
    from bubbleloc.models.runs import find_runs
    from bubbleloc.report.comparison import varied_parameters
    from bubbleloc.report.studies import write_waveforms

    runs = find_runs(sweep)
    scores = [_scores_at(run, levels) for run in runs]
    trained = [trained_with(run) for run in runs]
    for values in trained:
        values.pop("data.name")  # follows from the waveform
    varied = varied_parameters(
        {run.name: values for run, values in zip(runs, trained, strict=True)}
    )
    tables = [
        table.assign(run=_name(values, varied), seed=values["seed"])
        for values, table in zip(trained, scores, strict=True)
    ]
    return write_waveforms(
        sweep / "study", pd.concat(tables, ignore_index=True), current_report(runs[0]).scale
    )


def _name(values: Mapping[str, Any], varied: Sequence[str]) -> str:
    """Return what a run is called, such as ``luc, compressed``."""
    others = [name for name in varied if name not in ("data.waveform", "compression")]
    parts = [str(values["data.waveform"])] + ["compressed"] * bool(values["compression"])
    return ", ".join(parts + [f"{name}={values[name]}" for name in others])


def _scores_at(run: Run, levels: Sequence[float]) -> pd.DataFrame:
    """Return scores of a run with a row per level × signal × tolerance."""
    from bubbleloc.console.settings import Evaluate
    from bubbleloc.evaluation.run import current_report, evaluate

    path = run.report_folder() / "f1_noise.csv"
    try:
        current_report(run)
        found = pd.read_csv(path)
        if set(found["noise"]) == set(levels):
            return found
    except (InputError, FileNotFoundError):  # missing, or of an earlier checkpoint
        pass
    evaluate(run, Evaluate(run=run.name, noise=list(levels), baselines=[]))
    return pd.read_csv(path)
