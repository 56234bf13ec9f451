"""``bubbleloc smnist folder=mnist`` classifies digits pixel by pixel."""

import os
from pathlib import Path

from bubbleloc.console import cli
from bubbleloc.console.cli import command
from bubbleloc.console.settings import Smnist


@command
def main(settings: Smnist) -> None:
    """Train and test, and print the accuracy and the run."""
    from bubbleloc.examples.classification import run
    from bubbleloc.examples.images import load_digits, load_mnist
    from bubbleloc.models.run_folder import is_run, read_settings

    resume = settings.resume
    folder = Path(resume or os.path.relpath(cli.output_folder()))
    if resume:
        cli.refuse_other_settings(resume, cli.overrides())
        settings = read_settings(folder, Smnist)
    images, permuted = settings.folder, settings.permuted
    data = load_mnist(Path(images), permuted) if images else load_digits(permuted)
    print(data.description, flush=True)
    begun = cli.is_sweep_job() and is_run(folder) and read_settings(folder, Smnist) == settings
    result = run(settings, data, folder, resume=bool(resume) or begun)
    print(f"test accuracy: {100 * result['test_accuracy']:.2f} % of {data.name}")
    print(f"parameters: {result['parameters']:,}")
    print(f"run: {folder}")


if __name__ == "__main__":
    main()
