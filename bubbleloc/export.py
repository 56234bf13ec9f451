"""``python -m bubbleloc.export run=<run dir> output=model.onnx`` hands a network to others."""

from pathlib import Path

from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Export a trained network."""
    from bubbleloc.evaluation.export import export_run

    export_run(Path(settings["run"]), Path(settings["output"]), settings["checkpoint"])
    print(f"network: {settings['output']}")


if __name__ == "__main__":
    main()
