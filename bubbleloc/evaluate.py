"""``python -m bubbleloc.evaluate run=<run dir>`` scores a run and writes ``<run dir>/report``."""

import os
from pathlib import Path

from bubbleloc.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Evaluate a run."""
    from bubbleloc.evaluation import evaluate_run

    run, folder = Path(settings.pop("run")), settings.pop("folder")
    page = evaluate_run(run, folder=Path(folder) if folder else None, **settings)
    print(page.with_suffix(".md").read_text())
    print(f"report: {os.path.relpath(page)}")


if __name__ == "__main__":
    main()
