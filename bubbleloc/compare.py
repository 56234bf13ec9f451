"""``bubbleloc compare runs=[a,b,c]`` sets evaluated runs side by side."""

import os

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Compare


@command
def main(settings: Compare) -> None:
    """Compare runs."""
    from bubbleloc.evaluation.comparison import compare

    page = compare(settings)
    print(page.with_suffix(".md").read_text(encoding="utf-8"))
    print(f"comparison: {os.path.relpath(page)}")


if __name__ == "__main__":
    main()
