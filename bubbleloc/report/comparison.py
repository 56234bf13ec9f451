"""Several reports side by side: figures, tables and paired statistics in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bubbleloc.errors import InputError
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.physics.scale import Scale
from bubbleloc.report.document import Document, Section, discard_old, write_document
from bubbleloc.report.figures.comparison import run_violins
from bubbleloc.report.figures.scores import rival_name, rivals
from bubbleloc.report.run import Report
from bubbleloc.report.sweep import sweep_section
from bubbleloc.report.tables import with_intervals, write_csv, write_table

_MANY_RUNS = 6
"""From here on a page shows only the differences to the best run."""


def write_comparison(
    folder: Path,
    runs: Mapping[str, Report],
    tolerance: int = 4,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
) -> Path:
    """Compare runs on the same test signals; return the path of ``comparison.html``.

    Written: ``scores.csv`` (all runs, tidy), ``summary`` and ``pairs`` (CSV, Markdown, LaTeX),
    violins as PNG and SVG, ``comparison.md`` and ``comparison.html``.

    Args:
        runs: name to show → report, see ``report.read_report``.
        tolerance: samples, at which violins are drawn and the tables on the page are cut.
        parameters: name of a run → what it was trained with, for a sweep. F1 is drawn against
            every number that differs between runs; `seed` counts as repetition.

    Raises:
        InputError: fewer than two runs, or runs scored on different test data.
    """
    _check(runs, tolerance)
    discard_old(folder, ("sweep.csv", "figures/f1_*.png", "figures/f1_*.svg"))
    scale = next(iter(runs.values())).scale  # all runs were scored on the same signals
    scores = pd.concat(
        [report.scores.assign(run=name) for name, report in runs.items()], ignore_index=True
    )
    summary, pairs = summarize(scores), compare_pairs(scores)
    summary = pd.concat([summary, summarize(_rival_scores(scores))], ignore_index=True)
    write_csv(scores, folder / "scores.csv")
    write_table(summary, folder, "summary", "F1 over the test signals", with_intervals(summary))
    write_table(pairs, folder, "pairs", "Paired comparison of F1, Holm-corrected")
    document = _document(runs, scores, summary, pairs, tolerance, scale)
    if parameters:
        of_runs = summary[summary["run"].isin(runs)]
        swept = sweep_section(folder, of_runs, parameters, tolerance, scale)
        document = replace(document, sections=[*document.sections, *swept])
    return write_document(folder, "comparison", document)


def _document(
    runs: Mapping[str, Report],
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    pairs: pd.DataFrame,
    tolerance: int,
    scale: Scale,
) -> Document:
    ranked = summary[summary["tolerance"] == tolerance].sort_values("median", ascending=False)
    best = ranked[ranked["run"].isin(runs)].iloc[0]
    at = pairs[pairs["tolerance"] == tolerance]
    violins = run_violins(scores, tolerance, scale)
    splits = {name: f"thresholds chosen on {run.selection_split}" for name, run in runs.items()}
    return Document(
        title=f"{len(runs)} runs on the same test signals",
        summary=f"Within ±{tolerance} samples ({scale.um_per_sample * tolerance:.0f} µm) the best "
        f"median F1 over {best['signals']} test signals is {best['median']:.3f}, by {best['run']}.",
        sections=[
            Section(
                "F1 over the test signals",
                "Runs, and what they must beat, by falling median; brackets are 95 % bootstrap "
                "intervals over signals.",
                {"violins": (f"F1 per signal within ±{tolerance} samples", violins)},
                with_intervals(ranked.drop(columns="tolerance")),
            ),
            Section(
                "Differences",
                "Two-sided Wilcoxon signed-rank test on the same signals, corrected by Holm over "
                "all pairs and tolerances. Differences are run a − run b; the effect is the "
                "matched-pairs rank-biserial correlation, 1 where run a wins on every signal."
                + (
                    f" Shown are those to the best run; all {len(at)} are in pairs.csv."
                    if len(runs) > _MANY_RUNS
                    else ""
                ),
                table=_shown_pairs(at, str(best["run"]) if len(runs) > _MANY_RUNS else None),
            ),
        ],
        facts=splits,
    )


def _rival_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of noise and classical methods on the same signals, named as further runs."""
    first = scores[scores["run"] == scores["run"].iloc[0]].dropna(axis="columns")
    named = [first.assign(run=rival_name(column), f1=first[column]) for column in rivals(first)]
    return pd.concat(named, ignore_index=True)


def _shown_pairs(pairs: pd.DataFrame, best: str | None) -> pd.DataFrame:
    """Pairs as a page shows them; with `best` only those of that run."""
    if best is not None:
        pairs = pairs[(pairs["run_a"] == best) | (pairs["run_b"] == best)]
    shown = pairs.drop(columns=["tolerance", "signals"])
    return shown.rename(columns=lambda name: name if name == "p_holm" else name.replace("_", " "))


def _check(runs: Mapping[str, Report], tolerance: int) -> None:
    if len(runs) < 2:
        raise InputError("a comparison needs two runs or more: name another run")
    names = list(runs)
    for name in names[1:]:
        if runs[name].test_fingerprint != runs[names[0]].test_fingerprint:
            raise InputError(
                f"{name} and {names[0]} were scored on different test data: evaluate both on the "
                "same dataset before comparing them"
            )
    for name, report in runs.items():
        if tolerance not in set(report.scores["tolerance"]):
            raise InputError(f"{name} was not scored at tolerance {tolerance}: choose another")
