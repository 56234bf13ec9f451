"""``python -m bubbleloc.compare runs=[a,b,c]`` sets evaluated runs side by side."""

import os
from pathlib import Path

from bubbleloc.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Compare runs."""
    from bubbleloc.report import read_report
    from bubbleloc.report.comparison import write_comparison

    reports = {Path(run).name: read_report(Path(run) / "report") for run in settings["runs"]}
    page = write_comparison(Path(settings["output"]), reports)
    print(f"comparison: {os.path.relpath(page)}")


if __name__ == "__main__":
    main()
