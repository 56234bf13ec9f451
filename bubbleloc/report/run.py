"""The report of one evaluated run: tables, figures, Markdown and HTML in one folder."""

import json
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from bubbleloc import __version__
from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder, fingerprint, tidy_folder, write_text
from bubbleloc.metrics.scores import from_public, to_public
from bubbleloc.report import sections
from bubbleloc.report.certainty import write_certainty
from bubbleloc.report.content import (
    Evaluation,
    line_table,
    shown_summary,
    summary_table,
    sweep_table,
    threshold_table,
)
from bubbleloc.report.document import FIGURES, write_document
from bubbleloc.report.noise import write_noise
from bubbleloc.report.one_to_one import write_one_to_one
from bubbleloc.tables import write_csv, write_table
from bubbleloc.units import Scale

_RECORD_FILE = "report.json"
_SCORES_FILE = "f1_test.csv"


class Report(BaseModel):
    """A written report, read back: tidy test scores, and what they were measured on.

    Of the baselines `scores` has the F1 alone; see `bubbleloc.metrics.scores`. `checkpoint` is the
    fingerprint of the network's weights, `scores_fingerprint` that of the file of scores.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, from_attributes=True)

    scores: pd.DataFrame = Field(exclude=True)
    test_fingerprint: str
    selection_split: str
    checkpoint: str
    scale: Scale
    facts: dict[str, str]
    scores_fingerprint: str = ""
    software: str = f"bubbleloc {__version__}"


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write everything about one evaluation into `folder`; return the path of ``report.html``.

    Written: ``f1_sweep.csv`` (selection split, threshold × tolerance), ``thresholds.csv``,
    ``f1_test.csv`` (a row per test signal × tolerance), ``summary`` (CSV, Markdown, LaTeX),
    figures as PNG and SVG, ``report.md``, ``report.html`` and ``report.json`` (for compare); with
    one-to-one scores what ``one_to_one.write_one_to_one`` writes, with scores at several levels
    of noise what ``noise.write_noise`` writes, of a head of emitters what
    ``certainty.write_certainty`` writes.
    """
    with atomic_folder(folder) as unfinished:
        _write(unfinished, evaluation)
    return folder / "report.html"


def _write(folder: Path, evaluation: Evaluation) -> None:
    summary = summary_table(evaluation.scores, evaluation.scale)
    write_csv(sweep_table(evaluation.selection), folder / "f1_sweep.csv")
    write_csv(threshold_table(evaluation), folder / "thresholds.csv")
    write_csv(to_public(evaluation.scores), folder / _SCORES_FILE)
    caption = "F1 over the test signals, with the means of the baselines"
    write_table(summary, folder, "summary", caption, shown_summary(summary))
    for i, example in enumerate(evaluation.examples, 1):
        write_csv(line_table(example), folder / FIGURES / f"line_{i}.csv")
    write_document(
        folder / "report.html",
        "F1 report: " + evaluation.facts.get("run", "one run"),
        sections.summary_sentence(evaluation, summary),
        [
            sections.distributions(evaluation, summary),
            sections.thresholds(evaluation),
            sections.difficulty(evaluation),
            *write_one_to_one(folder, evaluation),
            *write_certainty(folder, evaluation.certainty),
            *write_noise(folder, evaluation),
            *sections.example_lines(evaluation),
        ],
        {"thresholds chosen on": f"{evaluation.selection_split} split", **evaluation.facts},
    )
    report = Report.model_validate(evaluation)  # takes the facts that the two share
    report.scores_fingerprint = fingerprint(folder / _SCORES_FILE)
    write_text(folder / _RECORD_FILE, report.model_dump_json(indent=2) + "\n")


def read_report(folder: Path) -> Report:
    """Read the report that :func:`write_report` left in `folder`.

    Raises:
        InputError: there is none, or it is damaged or of an earlier version.
    """
    tidy_folder(folder)
    path = folder / _SCORES_FILE
    try:
        record = json.loads((folder / _RECORD_FILE).read_text(encoding="utf-8"))
        scores = from_public(pd.read_csv(path))
        report = Report(**{**record, "scores": scores})
        if report.scores_fingerprint != fingerprint(path):
            raise ValueError("scores of another report")
    except FileNotFoundError as error:
        raise InputError(f"no report in {folder}; evaluate that run first") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InputError(
            f"{folder} is damaged or of an earlier version; evaluate that run again"
        ) from error
    return report
