"""``python -m bubbleloc.train model=ckcnn kernel=131`` trains a network and prints its run."""

import os
from pathlib import Path

from bubbleloc.console.cli import Settings, command, output_folder


@command
def main(settings: Settings) -> None:
    """Train, after simulating the dataset if it is not there yet."""
    from bubbleloc.training.session import go_on, start

    resume = settings.pop("resume")
    created = Path(os.path.relpath(output_folder()))
    folder = go_on(Path(resume), created) if resume else start(settings, created)
    if folder:
        print(f"run: {folder}")


if __name__ == "__main__":
    main()
