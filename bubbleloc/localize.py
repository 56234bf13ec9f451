"""``bubbleloc localize run=<run dir> input=rf.h5 output=bubbles.csv`` finds bubbles."""

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Localize
from bubbleloc.errors import printable


@command
def main(settings: Localize) -> None:
    """Localize the bubbles in a file of RF lines."""
    from bubbleloc.console.messages import tell
    from bubbleloc.localization import localize_file

    found = localize_file(settings)
    if found.why:
        print(printable(found.why))
    for line in found.recording.describe(found.scale):
        print(printable(line))
    for doubt in found.doubts:
        tell(f"warning: {doubt}")
    threshold = "" if found.threshold is None else f", threshold {found.threshold:g}"
    print(f"bubbles: {printable(found.output)} ({found.bubbles}{threshold})")
    if found.picture:
        print(f"picture: {printable(found.picture)}")
    if found.page:
        print(f"report: {printable(found.page)}")


if __name__ == "__main__":
    main()
