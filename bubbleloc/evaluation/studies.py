"""Studies of other papers repeated: sweeps that end with a table or a report of their own."""

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from bubbleloc.console.messages import explain
from bubbleloc.errors import BAD_INPUT, InputError
from bubbleloc.metrics.thresholds import QUOTED_TOLERANCE
from bubbleloc.models.runs import Run

Row = Mapping[str, float]

SCORES = ("mean", "median")


class BesidePublished(Callback):
    """Ends a sweep with a table: what a study published, and what its runs reached here.

    Args:
        published: rows of the study's table: settings such as ``kernel`` and ``omega_0``, and
            ``mean`` or ``median`` F1 over signals, or both.
        split: on which the study scored its networks, ``train`` or ``test``.
    """

    def __init__(self, published: Sequence[Row], split: str) -> None:
        self.published, self.split = published, split

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Evaluate and compare the runs of the sweep, and print the table."""
        rows = OmegaConf.to_container(OmegaConf.create(list(self.published)))
        assert isinstance(rows, list)
        with telling_errors():
            page = reproduce(Path(config.hydra.sweep.dir), rows, self.split)
        print(page.read_text(encoding="utf-8"))
        print(f"table: {os.path.relpath(page)}")


@contextlib.contextmanager
def telling_errors() -> Iterator[None]:
    """End the command with what went wrong, of which Hydra would make a warning."""
    try:
        yield
    except Exception as error:
        print(f"error: {explain(error) or traceback.format_exc()}", file=sys.stderr)
        sys.exit(BAD_INPUT if explain(error) else 1)


def reproduce(sweep: Path, published: Sequence[Row], split: str) -> Path:
    """Evaluate the runs of a sweep and write ``table.csv``, ``.md`` and ``.tex`` beside them.

    Thresholds are chosen on the training signals, as both studies did. What ``compare`` tells of
    the runs lands in the folder ``comparison``.

    Returns:
        The path of ``table.md``.
    """
    import pandas as pd

    from bubbleloc.console.settings import Compare, Evaluate
    from bubbleloc.evaluation.comparison import compare, trained_with
    from bubbleloc.evaluation.run import reported
    from bubbleloc.models.runs import find_runs
    from bubbleloc.tables import write_table

    settings = [name for name in published[0] if name not in SCORES]
    shown = [name for name in SCORES if name in published[0]]
    rows = []
    for run in find_runs(sweep):
        reported(run, Evaluate(run=run.name, selection="train", baselines=[]))
        values = trained_with(run)
        scores = scores_of(run.report_folder(), split)
        start = f"{values['model.init']} start"
        rows.append({name: values[name] for name in settings} | scores | {"from": start})
    output = str(sweep / "comparison")
    compare(Compare(runs=[str(sweep)], output=output, tolerance=QUOTED_TOLERANCE))
    study = [dict(row) | {"from": "study"} for row in published]
    table = pd.DataFrame(study + rows).pivot_table(
        index=settings, columns="from", values=shown, sort=False
    )
    table.columns = table.columns.map(", ".join)
    caption = f"F1 within ±{QUOTED_TOLERANCE} samples on the {split} signals, beside the published"
    write_table(table.reset_index(), sweep, "table", caption)
    return sweep / "table.md"


def scores_of(report: Path, split: str) -> dict[str, float]:
    """Return mean and median F1 over the signals of a split, from the files of a report."""
    import pandas as pd

    shown = {"mean": "mean", "median": "median"}
    if split != "test":
        shown = {"f1": "mean", "f1_median": "median"}
    name = "summary.csv" if split == "test" else "f1_sweep.csv"
    scores = pd.read_csv(report / name).rename(columns=shown)
    at = scores[scores["tolerance"] == QUOTED_TOLERANCE]
    best = at["mean"].argmax()  # of the thresholds, where there are several
    return {name: float(at[name].to_numpy()[best]) for name in SCORES}


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
