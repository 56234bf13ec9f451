"""``bubbleloc evaluate run=<run dir>`` scores a run and writes ``<run dir>/report``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Evaluate
from bubbleloc.errors import printable

if TYPE_CHECKING:
    from bubbleloc.models.runs import Run
    from bubbleloc.report.run import Results


@command
def main(settings: Evaluate) -> None:
    """Evaluate a run, or all runs of a sweep."""
    from bubbleloc.models.runs import find_runs

    runs = find_runs(settings.run, settings.checkpoint)
    for run in runs:
        page = _evaluate(run, settings)
        if len(runs) == 1:
            print(page.with_suffix(".md").read_text(encoding="utf-8"))
        print(f"report: {printable(os.path.relpath(page))}")


def evaluate_run(run: str | Path, **settings: Any) -> "Results":
    """Evaluate a run as ``bubbleloc evaluate`` does; return the report, with its tables.

    Args:
        run: a run directory, or a network of the package such as ``bubbleloc:small``.
        settings: any other setting of the command (docs/settings.md), such as
            ``noise=[0.01, 0.04]`` or ``folder="data/x"``.

    Raises:
        InputError: no such run, checkpoint, dataset, split or method, or another sampling rate.
    """
    from bubbleloc.console.composition import settings_from_python
    from bubbleloc.models.runs import open_run
    from bubbleloc.report.run import Results

    checked, _ = settings_from_python(Evaluate, {"run": run, **settings})
    return Results(_evaluate(open_run(checked.run, checked.checkpoint), checked))


def _evaluate(run: "Run", settings: Evaluate) -> Path:
    from bubbleloc.evaluation.conditions import evaluate_conditions
    from bubbleloc.evaluation.probes import evaluate_probes
    from bubbleloc.evaluation.run import evaluate

    if settings.conditions == "probes":
        return evaluate_probes(run, settings)
    return (evaluate_conditions if settings.conditions else evaluate)(run, settings)


if __name__ == "__main__":
    main()
