"""The report of one evaluated run: tables, figures, Markdown and HTML in one folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bubbleloc import __version__
from bubbleloc.errors import InputError
from bubbleloc.files import write_text
from bubbleloc.metrics import best_thresholds
from bubbleloc.metrics.scores import from_public, of_method, to_public
from bubbleloc.physics.scale import Scale
from bubbleloc.report.content import (
    Evaluation,
    line_table,
    shown_summary,
    summary_table,
    sweep_table,
    threshold_table,
)
from bubbleloc.report.document import FIGURES, discard_old, write_document
from bubbleloc.report.noise import write_noise
from bubbleloc.report.one_to_one import write_one_to_one
from bubbleloc.report.sections import report_document
from bubbleloc.report.tables import write_csv, write_table

_RECORD_FILE = "report.json"
_SCORES_FILE = "f1_test.csv"
_NOT_ALWAYS_WRITTEN = (
    "matched.*",
    "matched_*.*",
    "noise.*",
    "f1_noise.csv",
    *(f"figures/{name}.*" for name in ("f1_noise", "f1_pressure", "rates_*", "errors", "line_?")),
)


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write everything about one evaluation into `folder`; return the path of ``report.html``.

    Written: ``f1_sweep.csv`` (selection split, threshold × tolerance), ``thresholds.csv``,
    ``f1_test.csv`` (a row per test signal × tolerance), ``summary`` (CSV, Markdown, LaTeX),
    figures as PNG and SVG, ``report.md``, ``report.html`` and ``report.json`` (for compare); with
    one-to-one scores what ``one_to_one.write_one_to_one`` writes, with scores at several levels
    of noise what ``noise.write_noise`` writes.

    Raises:
        InputError: no test signals, or thresholds that the selection split did not choose.
    """
    _check(evaluation)
    discard_old(folder, _NOT_ALWAYS_WRITTEN)
    summary = summary_table(evaluation.scores, evaluation.scale)
    write_csv(sweep_table(evaluation.selection), folder / "f1_sweep.csv")
    write_csv(threshold_table(evaluation), folder / "thresholds.csv")
    write_csv(to_public(evaluation.scores), folder / _SCORES_FILE)
    caption = "F1 over the test signals, with the means of the baselines"
    write_table(summary, folder, "summary", caption, shown_summary(summary))
    for i, example in enumerate(evaluation.examples):
        write_csv(line_table(example), folder / FIGURES / f"line_{i + 1}.csv")
    more = write_one_to_one(folder, evaluation)
    if evaluation.noise is not None:
        more.append(write_noise(folder, evaluation.noise, evaluation.scale))
    page = write_document(folder, "report", report_document(evaluation, summary, more))
    _write_record(folder / _RECORD_FILE, evaluation)
    return page


def _write_record(path: Path, evaluation: Evaluation) -> None:
    """Note what a report describes: data, checkpoint and software."""
    record = {
        "test_fingerprint": evaluation.test_fingerprint,
        "selection_split": evaluation.selection_split,
        "checkpoint": evaluation.checkpoint,
        "scale": asdict(evaluation.scale),
        "software": f"bubbleloc {__version__}",
        "facts": dict(evaluation.facts),
    }
    write_text(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Report:
    """A written report, read back: tidy test scores, and what they were measured on.

    Of the baselines `scores` has the F1 alone; see `bubbleloc.metrics.scores`.
    """

    scores: pd.DataFrame
    test_fingerprint: str
    selection_split: str
    checkpoint: str
    scale: Scale
    facts: dict[str, str]


def read_report(folder: Path) -> Report:
    """Read the report that :func:`write_report` left in `folder`.

    Raises:
        InputError: there is none.
    """
    try:
        scores = pd.read_csv(folder / _SCORES_FILE)
        record: dict[str, Any] = json.loads((folder / _RECORD_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"no report in {folder}: evaluate that run first") from error
    try:
        return Report(
            scores=from_public(scores),
            test_fingerprint=record["test_fingerprint"],
            selection_split=record["selection_split"],
            checkpoint=record["checkpoint"],
            scale=Scale(**record["scale"]),
            facts=record["facts"],
        )
    except KeyError as error:
        raise InputError(f"{folder} is of an earlier version: evaluate that run again") from error


def _check(evaluation: Evaluation) -> None:
    if evaluation.selection_split == "test":
        raise InputError(
            "thresholds must not be chosen on the test split: use val, or train as published"
        )
    if evaluation.scores.empty:
        raise InputError("the test split is empty: simulate at least one test signal")
    thresholds = of_method(evaluation.scores).groupby("tolerance")["threshold"].first()
    if not np.array_equal(best_thresholds(evaluation.selection), thresholds):
        raise InputError("the test split must be scored at the best thresholds of the selection")
