"""The report of one evaluated run: tables, figures, Markdown and HTML in one folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.files import write_text
from bubbleloc.metrics.thresholds import best_thresholds
from bubbleloc.physics.scale import Scale
from bubbleloc.report.content import (
    Evaluation,
    line_table,
    score_tables,
    shown_summary,
    summary_table,
    sweep_table,
    threshold_table,
)
from bubbleloc.report.document import FIGURES, discard_old, write_document
from bubbleloc.report.figures.line import Example
from bubbleloc.report.noise import write_noise
from bubbleloc.report.one_to_one import write_matched
from bubbleloc.report.sections import report_document
from bubbleloc.report.tables import write_csv, write_long_csv, write_table

__all__ = ["Evaluation", "Example", "Report", "read_report", "write_report"]

_RECORD_FILE = "report.json"
_SCORES_FILE = "f1_test.csv"
_NOT_ALWAYS_WRITTEN = (
    "matched.*",
    "matched_*.*",
    "noise.*",
    "f1_noise.csv",
    *(f"figures/{name}.*" for name in ("f1_noise", "f1_pressure", "rates_*", "errors", "line_?")),
)


def write_report(folder: Path, evaluation: Evaluation, tolerance: int = 4) -> Path:
    """Write everything about one evaluation into `folder`; return the path of ``report.html``.

    Written: ``f1_sweep.csv`` (selection split, threshold × tolerance), ``thresholds.csv``,
    ``f1_test.csv`` (a row per test signal × tolerance), ``summary`` (CSV, Markdown, LaTeX),
    figures as PNG and SVG, ``report.md``, ``report.html`` and ``report.json`` (for compare); with
    one-to-one scores what ``matched.write_matched`` writes, with scores at several levels of
    noise what ``noise.write_noise`` writes.

    Args:
        tolerance: samples, at which figures against one quantity are drawn.

    Raises:
        InputError: thresholds chosen on the test split, or arrays that do not fit together.
    """
    _check(evaluation, tolerance)
    discard_old(folder, _NOT_ALWAYS_WRITTEN)
    summary = summary_table(evaluation)
    write_csv(sweep_table(evaluation.selection), folder / "f1_sweep.csv")
    write_csv(threshold_table(evaluation), folder / "thresholds.csv")
    write_long_csv(score_tables(evaluation), folder / _SCORES_FILE)
    caption = "F1 over the test signals, beside the means of what it must beat"
    write_table(summary, folder, "summary", caption, shown_summary(summary))
    for i, example in enumerate(evaluation.examples):
        write_csv(line_table(example), folder / FIGURES / f"line_{i + 1}.csv")
    more = write_matched(folder, evaluation)
    if evaluation.noise is not None:
        more.append(write_noise(folder, evaluation.noise, tolerance, evaluation.scale))
    document = report_document(evaluation, summary, more, tolerance)
    page = write_document(folder, "report", document)
    record = {
        "test_fingerprint": evaluation.test_fingerprint,
        "selection_split": evaluation.selection_split,
        "facts": dict(evaluation.facts),
        "scale": asdict(evaluation.scale),
    }
    write_text(folder / _RECORD_FILE, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return page


@dataclass(frozen=True)
class Report:
    """A written report, read back: tidy test scores and what they were measured on."""

    scores: pd.DataFrame
    test_fingerprint: str
    selection_split: str
    facts: dict[str, str]
    scale: Scale


def read_report(folder: Path) -> Report:
    """Read the report that :func:`write_report` left in `folder`.

    Raises:
        InputError: there is none.
    """
    try:
        scores = pd.read_csv(folder / _SCORES_FILE)
        record = json.loads((folder / _RECORD_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"no report in {folder}: evaluate that run first") from error
    return Report(scores=scores, **record | {"scale": Scale(**record["scale"])})


def _check(evaluation: Evaluation, tolerance: int) -> None:
    if evaluation.selection_split == "test":
        raise InputError(
            "thresholds must not be chosen on the test split: use val, or train as published"
        )
    n, t = evaluation.test.f1.shape[:2]
    if n == 0:
        raise InputError("the test split is empty: simulate at least one test signal")
    shapes = {
        "random_f1": (np.shape(evaluation.random_f1), (n, t)),
        **{f"F1 of {k}": (np.shape(f1), (n, t)) for k, f1 in evaluation.baselines.items()},
        "bubbles": (np.shape(evaluation.bubbles), (n,)),
        "pressure_pa": (np.shape(evaluation.pressure_pa), (n,)),
    }
    for name, (shape, expected) in shapes.items():
        if shape != expected:
            raise InputError(
                f"{name} must have shape {expected}, like the test scores, not {shape}"
            )
    if not np.array_equal(evaluation.selection.tolerances, evaluation.test.tolerances):
        raise InputError("selection and test must be swept over the same tolerances")
    if not np.array_equal(best_thresholds(evaluation.selection), evaluation.test.thresholds):
        raise InputError("the test split must be scored at the best thresholds of the selection")
    if tolerance not in evaluation.test.tolerances:
        raise InputError(f"tolerance {tolerance} was not swept: choose one of the sweep")
