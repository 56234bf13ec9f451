"""The report of one evaluated run: tables, figures, Markdown and HTML in one folder."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from bubbleloc import __version__
from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder, fingerprint, tidy_folder, write_text
from bubbleloc.report.certainty import certainty
from bubbleloc.report.document import write_document
from bubbleloc.report.one_to_one import one_to_one
from bubbleloc.report.scores import (
    SCORES,
    Evaluation,
    difficulty,
    distributions,
    example_lines,
    noise,
    summary_sentence,
    thresholds,
)
from bubbleloc.units import Scale

_RECORD_FILE = "report.json"
_SCORES_FILE = f"{SCORES}.csv"


class Report(BaseModel):
    """A written report, read back: scores of the test signals, and what they were measured on.

    `scores` is a table of `bubbleloc.metrics.scores`, `checkpoint` the fingerprint of the network's
    weights, `scores_fingerprint` that of the file of scores.
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


@dataclass(frozen=True)
class Results(os.PathLike[str]):
    """A written page with the tables beside it, which are read when they are asked for.

    It can be opened like the path of its page.

    Attributes:
        page: path of the HTML page; a Markdown twin lies beside it.
    """

    page: Path

    def __fspath__(self) -> str:
        return str(self.page)

    def __str__(self) -> str:
        return str(self.page)

    @property
    def names(self) -> list[str]:
        """Names of the tables, as `table` takes them."""
        folder = self.page.parent
        files = (path.relative_to(folder) for path in folder.rglob("*.csv"))
        return sorted(path.with_suffix("").as_posix() for path in files)

    @property
    def summary(self) -> pd.DataFrame:
        """F1 over the test signals: a row per method or run and tolerance."""
        return self.table("summary")

    @property
    def scores(self) -> pd.DataFrame:
        """F1, precision and recall: a row per test signal and tolerance, and of several runs."""
        return self.table("scores" if "scores" in self.names else SCORES)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by the name of its file, such as ``"thresholds"``; docs list them.

        Raises:
            InputError: there is none of this name.
        """
        if name not in self.names:
            raise InputError(f"{self.page.parent} has no table {name!r}; it has {self.names}")
        return pd.read_csv(self.page.parent / f"{name}.csv")


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write everything about one evaluation into `folder`; return the path of ``report.html``.

    Written: the page (HTML, Markdown), ``report.json`` for other commands, and the tables and
    figures of each section, which docs/evaluation.md lists.
    """
    facts = {"thresholds chosen on": f"{evaluation.selection_split} split", **evaluation.facts}
    report = Report.model_validate(evaluation)  # takes the facts that the two share
    with atomic_folder(folder) as unfinished:
        write_document(
            unfinished / "report.html",
            "F1 report: " + evaluation.facts.get("run", "one run"),
            summary_sentence(evaluation),
            [
                distributions(evaluation),
                thresholds(evaluation),
                difficulty(evaluation),
                *one_to_one(evaluation),
                certainty(evaluation.certainty),
                noise(evaluation),
                example_lines(evaluation),
            ],
            facts,
        )
        report.scores_fingerprint = fingerprint(unfinished / _SCORES_FILE)
        write_text(unfinished / _RECORD_FILE, report.model_dump_json(indent=2) + "\n")
    return folder / "report.html"


def read_report(folder: Path) -> Report:
    """Read the report that :func:`write_report` left in `folder`.

    Raises:
        InputError: there is none, or it is damaged or of an earlier version.
    """
    tidy_folder(folder)
    path = folder / _SCORES_FILE
    try:
        record = json.loads((folder / _RECORD_FILE).read_text(encoding="utf-8"))
        report = Report(**{**record, "scores": pd.read_csv(path)})
        if report.scores_fingerprint != fingerprint(path):
            raise ValueError("scores of another report")
    except FileNotFoundError as error:
        raise InputError(f"no report in {folder}; evaluate that run first") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InputError(
            f"{folder} is damaged or of an earlier version; evaluate that run again"
        ) from error
    return report
