"""``bubbleloc evaluate run=<run dir>`` scores a run and writes ``<run dir>/report``."""

import os

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Evaluate
from bubbleloc.errors import printable


@command
def main(settings: Evaluate) -> None:
    """Evaluate a run, or all runs of a sweep."""
    from bubbleloc.evaluation.conditions import evaluate_conditions
    from bubbleloc.evaluation.run import evaluate
    from bubbleloc.models.runs import find_runs

    runs = find_runs(settings.run, settings.checkpoint)
    score = evaluate_conditions if settings.conditions else evaluate
    for run in runs:
        page = score(run, settings)
        if len(runs) == 1:
            print(page.with_suffix(".md").read_text(encoding="utf-8"))
        print(f"report: {printable(os.path.relpath(page))}")


if __name__ == "__main__":
    main()
