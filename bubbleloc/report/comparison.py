"""Several reports side by side: figures, tables and paired statistics in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method, to_public
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.physics.scale import Scale
from bubbleloc.report.document import Document, Section, discard_old, write_document
from bubbleloc.report.figures.comparison import run_violins
from bubbleloc.report.figures.style import tolerance_words
from bubbleloc.report.run import Report
from bubbleloc.report.sweep import sweep_section
from bubbleloc.report.tables import with_intervals, write_csv, write_table

_OF_EARLIER_PAGE = ("comparison.md", "comparison.html", "sweep.csv", "figures/f1_*.???")
_MANY_PAIRS = 15  # of six runs
"""Beyond this a page shows only the differences to the best run."""


def write_comparison(
    folder: Path,
    runs: Mapping[str, Report],
    tolerance: int = QUOTED_TOLERANCE,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
) -> Path:
    """Compare runs on the same test signals; return the path of ``comparison.html``.

    The page is there only when all files beside it belong to it.

    Written: ``scores.csv`` (all runs, with the columns of ``f1_test.csv``), ``summary`` and
    ``pairs`` (CSV, Markdown, LaTeX), violins as PNG and SVG, ``comparison.md`` and
    ``comparison.html``.

    Args:
        runs: name to show → report, see ``report.read_report``.
        tolerance: samples, at which violins are drawn and the tables on the page are cut.
        parameters: name of a run → what it was trained with, for a sweep. F1 is drawn against
            every number that differs between runs; `seed` counts as repetition.

    Raises:
        InputError: fewer than two runs, or runs scored on different test data.
    """
    _check(runs, tolerance)
    discard_old(folder, _OF_EARLIER_PAGE)
    scores = pd.concat([report.scores.assign(run=name) for name, report in runs.items()])
    network = of_method(scores)
    of_runs, pairs = summarize(network), compare_pairs(network)
    of_baselines = _summarize_baselines(next(iter(runs.values())).scores)
    summary = pd.concat([of_runs, of_baselines], ignore_index=True)
    public = [to_public(report.scores).assign(run=name) for name, report in runs.items()]
    write_csv(pd.concat(public, ignore_index=True), folder / "scores.csv")
    write_table(summary, folder, "summary", "F1 over the test signals", with_intervals(summary))
    write_table(pairs, folder, "pairs", "Paired comparison of F1, Holm-corrected")
    scale = next(iter(runs.values())).scale  # all runs were scored on the same signals
    sections = [
        _distributions(scores, summary, tolerance, scale),
        _differences(pairs[pairs["tolerance"] == tolerance], _best(of_runs, tolerance)["run"]),
    ]
    if parameters:
        sections += sweep_section(folder, of_runs, parameters, tolerance, scale)
    best = _best(of_runs, tolerance)
    document = Document(
        title=f"{len(runs)} runs on the same test signals",
        summary=f"Within {tolerance_words(tolerance, scale)} the best median F1 over "
        f"{best['signals']} test signals is {best['median']:.3f}, by {best['run']}.",
        sections=sections,
        facts={name: f"thresholds chosen on {run.selection_split}" for name, run in runs.items()},
    )
    return write_document(folder, "comparison", document)


def _summarize_baselines(scores: pd.DataFrame) -> pd.DataFrame:
    """Summary of the baselines beside one run, named as further runs."""
    return pd.concat(
        [
            summarize(of_method(scores, method).assign(run=BASELINES[method]))
            for method in baselines_in(scores)
        ]
    )


def _best(summary: pd.DataFrame, tolerance: int) -> pd.Series:
    at = summary[summary["tolerance"] == tolerance]
    return at.sort_values("median", ascending=False).iloc[0]


def _distributions(
    scores: pd.DataFrame, summary: pd.DataFrame, tolerance: int, scale: Scale
) -> Section:
    ranked = summary[summary["tolerance"] == tolerance].sort_values("median", ascending=False)
    violins = run_violins(scores, tolerance, scale)
    return Section(
        "F1 over the test signals",
        "Runs and baselines by falling median; brackets are 95 % bootstrap intervals over signals.",
        {"violins": (f"F1 per signal within ±{tolerance} samples", violins)},
        with_intervals(ranked.drop(columns="tolerance")),
    )


def _differences(pairs: pd.DataFrame, best: str) -> Section:
    text = (
        "Two-sided Wilcoxon signed-rank test on the same signals, corrected by Holm over all "
        "pairs and tolerances. Differences are run a − run b; the effect is the matched-pairs "
        "rank-biserial correlation, 1 where run a wins on every signal."
    )
    if len(pairs) > _MANY_PAIRS:
        text += f" Shown are those to the best run; all {len(pairs)} are in pairs.csv."
        pairs = pairs[(pairs["run_a"] == best) | (pairs["run_b"] == best)]
    shown = pairs.drop(columns=["tolerance", "signals"])
    headings = {name: name.replace("_", " ") for name in map(str, shown) if name != "p_holm"}
    return Section("Differences", text, table=shown.rename(columns=headings))


def _check(runs: Mapping[str, Report], tolerance: int) -> None:
    if len(runs) < 2:
        raise InputError("a comparison needs two runs or more: name another run")
    names = list(runs)
    for name in names[1:]:
        same = ("test_fingerprint", "scale")  # a sample must be worth the same in µm
        if any(getattr(runs[name], fact) != getattr(runs[names[0]], fact) for fact in same):
            raise InputError(
                f"{name} and {names[0]} were scored on different test data: evaluate both on the "
                "same dataset before comparing them"
            )
    for name, report in runs.items():
        if tolerance not in set(report.scores["tolerance"]):
            raise InputError(f"{name} was not scored at tolerance {tolerance}: choose another")
