"""``bubbleloc export run=<run dir> output=model.onnx`` hands a network to others."""

from pathlib import Path

from bubbleloc.console.cli import command
from bubbleloc.console.settings import Export
from bubbleloc.errors import printable


@command
def main(settings: Export) -> None:
    """Export a trained network."""
    from bubbleloc.evaluation.export import export_run
    from bubbleloc.models.runs import open_run

    print(f"writing {printable(settings.output)}, which takes up to a minute", flush=True)
    export_run(open_run(settings.run, settings.checkpoint), Path(settings.output))
    print(f"network: {printable(settings.output)}")


if __name__ == "__main__":
    main()
