"""``python -m bubbleloc.train model=ckcnn kernel=131`` trains a network and prints its run."""

import os
from pathlib import Path

from bubbleloc.cli import Settings, command, output_folder


@command
def main(settings: Settings) -> None:
    """Train, after simulating the dataset if it is not there yet."""
    from bubbleloc import learner, runs
    from bubbleloc.data.generate import ensure_dataset, plan_of

    resume = settings.pop("resume")
    folder = Path(resume) if resume else Path(os.path.relpath(output_folder()))
    if resume:
        settings = runs.read_config(folder)
    runs.network_of(settings)  # a bad model is refused before a long simulation
    ensure_dataset(plan_of(settings["data"]), settings["workers"])
    learner.fit(settings, folder, resume=bool(resume))
    print(f"run: {folder}")


if __name__ == "__main__":
    main()
