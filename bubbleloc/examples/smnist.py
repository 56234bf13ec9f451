"""``python -m bubbleloc.examples.smnist folder=mnist`` classifies digits pixel by pixel."""

import os
from pathlib import Path

from bubbleloc.console import job
from bubbleloc.console.cli import Settings, command


@command
def main(settings: Settings) -> None:
    """Train and test, and print the accuracy and the run."""
    from bubbleloc.examples.classification import read_settings, run
    from bubbleloc.examples.images import load_digits, load_mnist
    from bubbleloc.models.runs import is_run

    resume = settings.pop("resume")
    folder = Path(resume or os.path.relpath(job.output_folder()))
    if resume:
        job.refuse_other_settings(resume, job.overrides())
        settings = read_settings(folder)
    images, permuted = settings["folder"], settings["permuted"]
    data = load_mnist(Path(images), permuted) if images else load_digits(permuted)
    print(data.description, flush=True)
    begun = job.is_sweep_job() and is_run(folder) and read_settings(folder) == settings
    result = run(settings, data, folder, resume=bool(resume) or begun)
    print(f"test accuracy: {100 * result['test_accuracy']:.2f} % of {data.name}")
    print(f"parameters: {result['parameters']:,}")
    print(f"run: {folder}")


if __name__ == "__main__":
    main()
