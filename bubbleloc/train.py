"""``bubbleloc train model=ckcnn kernel=131`` trains a network and prints its run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bubbleloc.console import cli
from bubbleloc.console.cli import command
from bubbleloc.console.settings import Train


@command
def main(settings: Train) -> None:
    """Train, after simulating the dataset if it is not there yet."""
    folder = _train(settings, Path(os.path.relpath(cli.output_folder())), cli.overrides())
    if folder:
        print(f"run: {folder}")


def train_network(
    model: str | None = None,
    kernel: int | None = None,
    data: str | None = None,
    *,
    folder: str | Path | None = None,
    resume: str | Path | None = None,
    **settings: Any,
) -> Path | None:
    """Train a network as ``bubbleloc train`` does; simulate missing data first.

    Args:
        model: architecture, a file of ``conf/model``; ``ckcnn`` by default.
        kernel: kernel size in samples, odd; by default that of the model.
        data: dataset, a file of ``conf/data``; ``demo`` by default.
        folder: of the new run; by default a new one in ``outputs/train``.
        resume: run directory to continue under its own settings, given alone.
        settings: any other setting of the command (docs/settings.md), such as ``seed=1``,
            ``trainer={"max_epochs": 2}`` or ``**{"data.folder": "data/x"}``.

    Returns:
        The run directory; None in all but the first of several processes that train together.

    Raises:
        InputError: a setting that makes no sense, or a training that diverged.
    """
    from bubbleloc.console.composition import overrides_of, settings_from_python

    arguments = {"model": model, "kernel": kernel, "data": data, "resume": resume, **settings}
    composed, new_folder = settings_from_python(Train, arguments)
    return _train(composed, Path(folder or new_folder), overrides_of(arguments))


def _train(settings: Train, folder: Path, overrides: Sequence[str]) -> Path | None:
    from bubbleloc.console.composition import typed_names
    from bubbleloc.data.generate import turns
    from bubbleloc.data.plan import DatasetPlan
    from bubbleloc.data.stored import as_stored
    from bubbleloc.training import session

    command = cli.command_line()
    if not settings.resume:
        plan, sweep_job = DatasetPlan(settings.data), cli.is_sweep_job()
        with turns(plan.files(), sweep_job):
            data = as_stored(plan, typed_names(overrides)).settings
        settings = settings.model_copy(update={"data": data})
        return session.start(settings, folder, command=command, sweep_job=sweep_job)
    instead = f", or train on in a new run: start_from={settings.resume}"
    cli.refuse_other_settings(settings.resume, overrides, instead)
    return session.resume(Path(settings.resume), command=command)


if __name__ == "__main__":
    main()
