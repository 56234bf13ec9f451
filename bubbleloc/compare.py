"""``python -m bubbleloc.compare runs=[a,b,c]`` sets evaluated runs side by side."""

import os

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Compare runs."""
    from bubbleloc.evaluation.comparison import compare_runs

    page = compare_runs(**settings)
    print(page.with_suffix(".md").read_text(encoding="utf-8"))
    print(f"comparison: {os.path.relpath(page)}")


if __name__ == "__main__":
    main()
