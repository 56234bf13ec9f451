"""``python -m bubbleloc.evaluate run=<run dir>`` scores a run and writes ``<run dir>/report``."""

import os
from pathlib import Path

from bubbleloc.console.cli import Settings, command
from bubbleloc.errors import printable


@command
def main(settings: Settings) -> None:
    """Evaluate a run, or all runs of a sweep."""
    from bubbleloc.evaluation.conditions import evaluate_conditions
    from bubbleloc.evaluation.run import evaluate_run
    from bubbleloc.models.runs import find_runs

    runs = find_runs(Path(settings.pop("run")))
    folder, conditions = settings.pop("folder"), settings.pop("conditions")
    for run in runs:
        if conditions:
            used = {name: settings[name] for name in ("checkpoint", "baselines", "batch_size")}
            page = evaluate_conditions(run, **used)
        else:
            page = evaluate_run(run, folder=Path(folder) if folder else None, **settings)
        if len(runs) == 1:
            print(page.with_suffix(".md").read_text(encoding="utf-8"))
        print(f"report: {printable(os.path.relpath(page))}")


if __name__ == "__main__":
    main()
