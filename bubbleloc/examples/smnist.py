"""``python -m bubbleloc.examples.smnist folder=mnist`` classifies digits pixel by pixel."""

import os
from pathlib import Path

from bubbleloc.cli import Settings, command, output_folder


@command
def main(settings: Settings) -> None:
    """Train and test, and print the accuracy and the run."""
    from bubbleloc.examples.images import load_digits, load_mnist

    images, permuted = settings["folder"], settings["permuted"]
    data = load_mnist(Path(images), permuted) if images else load_digits(permuted)
    print(data.description, flush=True)

    from bubbleloc.examples.classification import run  # loads torch, which takes its time

    folder = Path(os.path.relpath(output_folder()))
    result = run(settings, data, folder)
    print(f"test accuracy: {100 * result['test_accuracy']:.2f} % of {data.name}")
    print(f"parameters: {result['parameters']:,}")
    print(f"run: {folder}")


if __name__ == "__main__":
    main()
