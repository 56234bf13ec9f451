"""``python -m bubbleloc.examples.smnist folder=mnist`` classifies digits pixel by pixel."""

import os
from pathlib import Path

from bubbleloc.console.cli import Settings, command, output_folder


@command
def main(settings: Settings) -> None:
    """Train and test, and print the accuracy and the run."""
    from bubbleloc.examples.images import load_digits, load_mnist

    resume, folder = settings.pop("resume"), Path(os.path.relpath(output_folder()))
    if resume:
        settings, folder = _go_on(Path(resume), created=folder)
    images, permuted = settings["folder"], settings["permuted"]
    data = load_mnist(Path(images), permuted) if images else load_digits(permuted)
    print(data.description, flush=True)

    from bubbleloc.examples.classification import read_settings, run
    from bubbleloc.training.resuming import is_begun_job

    cut = bool(resume) or (is_begun_job(folder) and read_settings(folder) == settings)
    result = run(settings, data, folder, resume=cut)
    print(f"test accuracy: {100 * result['test_accuracy']:.2f} % of {data.name}")
    print(f"parameters: {result['parameters']:,}")
    print(f"run: {folder}")


def _go_on(folder: Path, created: Path) -> tuple[Settings, Path]:
    """Return the settings of the run in ``folder``, and the folder, where nothing else is asked."""
    from bubbleloc.examples.classification import read_settings
    from bubbleloc.training.resuming import discard_empty, refuse_other_settings

    refuse_other_settings(folder)
    settings = read_settings(folder)
    discard_empty(created)
    return settings, folder


if __name__ == "__main__":
    main()
