"""``python -m bubbleloc.export run=<run dir> output=model.onnx`` hands a network to others."""

from pathlib import Path

from bubbleloc.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Export a trained network."""
    from bubbleloc.exporting import export_network
    from bubbleloc.runs import load_network

    network = load_network(Path(settings["run"]), settings["checkpoint"])
    export_network(network, Path(settings["output"]))
    print(f"network: {settings['output']}")


if __name__ == "__main__":
    main()
