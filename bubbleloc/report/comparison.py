"""Several reports side by side: figures, tables and paired statistics in one folder."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bubbleloc.errors import InputError
from bubbleloc.files import atomic_folder, check_output
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.scores import BASELINES, baselines_in, of_method, to_public
from bubbleloc.metrics.statistics import compare_pairs, summarize
from bubbleloc.report.document import Section, write_document
from bubbleloc.report.figures.scores import run_violins
from bubbleloc.report.figures.style import tolerance_words
from bubbleloc.report.run import Report
from bubbleloc.report.sweep import sweep_section
from bubbleloc.tables import with_intervals, write_csv, write_table

_OWN = {"comparison", "scores", "summary", "pairs", "sweep", "figures"}
"""Names, without suffix, of what is in the folder of a comparison."""

_MANY_PAIRS = 15  # of six runs
"""Beyond this a page shows only the differences to the best run."""


def write_comparison(
    folder: Path,
    runs: Mapping[str, Report],
    tolerance: int = QUOTED_TOLERANCE,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
) -> Path:
    """Compare runs on the same test signals; return the path of ``comparison.html``.

    Beside it: ``scores.csv`` (all runs, with the columns of ``f1_test.csv``), ``summary`` and
    ``pairs`` (CSV, Markdown, LaTeX), violins as PNG and SVG, and ``comparison.md``. The folder is
    replaced as a whole.

    Args:
        runs: name to show → report.
        tolerance: samples, at which violins are drawn and the tables on the page are cut.
        parameters: name of a run → what it was trained with, see `sweep_section`.

    Raises:
        InputError: runs scored on different test data, or a folder that holds more than a
            comparison.
    """
    _check(runs, tolerance)
    check_comparison_folder(folder)
    with atomic_folder(folder) as unfinished:
        page = _write(unfinished, runs, tolerance, parameters)
    return folder / page.name


def check_comparison_folder(folder: Path) -> None:
    """Refuse a folder that holds what a comparison, which replaces it, would remove.

    Raises:
        InputError: it holds other files, is the working folder, or cannot be written.
    """
    check_output(folder / "comparison.html")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(name for name in names if name[0] != "." and name.split(".")[0] not in _OWN)
    if others or folder.resolve() == Path.cwd():
        raise InputError(
            f"output={folder}: a comparison replaces its folder, which "
            f"{'holds ' + others[0] if others else 'is the working folder'}; choose another folder"
        )


def _write(
    folder: Path,
    runs: Mapping[str, Report],
    tolerance: int,
    parameters: Mapping[str, Mapping[str, object]] | None,
) -> Path:
    first = next(iter(runs.values()))
    scores = pd.concat([report.scores.assign(run=name) for name, report in runs.items()])
    baselines = [
        summarize(of_method(first.scores, method).assign(run=BASELINES[method]))
        for method in baselines_in(first.scores)
    ]
    of_runs, pairs = summarize(of_method(scores)), compare_pairs(of_method(scores))
    summary = pd.concat([of_runs, *baselines], ignore_index=True)
    public = [to_public(report.scores).assign(run=name) for name, report in runs.items()]
    write_csv(pd.concat(public, ignore_index=True), folder / "scores.csv")
    write_table(summary, folder, "summary", "F1 over the test signals", with_intervals(summary))
    write_table(pairs, folder, "pairs", "Paired comparison of F1, Holm-corrected")
    ranked = summary[summary["tolerance"] == tolerance].sort_values("median", ascending=False)
    best = ranked[ranked["run"].isin(list(runs))].iloc[0]
    sections = [
        _distributions(ranked, run_violins(scores, tolerance, first.scale), tolerance),
        differences(pairs[pairs["tolerance"] == tolerance], best["run"]),
    ]
    if parameters:
        sections += sweep_section(folder, of_runs, parameters, tolerance, first.scale)
    return write_document(
        folder / "comparison.html",
        f"{len(runs)} runs on the same test signals",
        f"Within {tolerance_words(tolerance, first.scale)} the best median F1 over "
        f"{best['signals']} test signals is {best['median']:.3f}, by {best['run']}.",
        sections,
        {name: f"thresholds chosen on {run.selection_split}" for name, run in runs.items()},
    )


def _distributions(ranked: pd.DataFrame, violins: Figure, tolerance: int) -> Section:
    return Section(
        "F1 over the test signals",
        "Runs and baselines by falling median; brackets are 95 % bootstrap intervals over signals.",
        {"violins": (f"F1 per signal within ±{tolerance} samples", violins)},
        with_intervals(ranked.drop(columns="tolerance")),
    )


def differences(pairs: pd.DataFrame, best: str) -> Section:
    """Say which differences of a tolerance's `pairs` are more than chance."""
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
    first, *_ = runs
    data = {name: (run.test_fingerprint, run.scale) for name, run in runs.items()}
    for name, report in runs.items():
        if data[name] != data[first]:  # a sample must be worth the same in µm
            raise InputError(
                f"{name} and {first} were scored on different test data: evaluate both on the "
                "same dataset before comparing them"
            )
        if tolerance not in set(report.scores["tolerance"]):
            raise InputError(f"{name} was not scored at tolerance {tolerance}: choose another")
