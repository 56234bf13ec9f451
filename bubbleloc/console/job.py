"""What is known of the command that runs; a call from Python has none."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from bubbleloc.console.settings import STUDIES
from bubbleloc.errors import InputError


def is_sweep_job() -> bool:
    """Return whether this is one of the jobs of a sweep (``-m``)."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def overrides() -> list[str]:
    """Return the settings that were given on the command line; of a sweep, those of this job."""
    return [str(o) for o in HydraConfig.get().overrides.task] if HydraConfig.initialized() else []


def refuse_other_settings(run: str, given: Sequence[str]) -> None:
    """Raise InputError where settings are given beside ``resume=run``."""
    if others := [override for override in given if not override.startswith("resume=")]:
        raise InputError(
            f"{others[0]}: a resumed run keeps its own settings; leave out all but resume={run}"
        )


def output_folder() -> Path:
    """Return the folder that Hydra made for this job."""
    return Path(HydraConfig.get().runtime.output_dir)


def command_line() -> str:
    """Return the command that starts this process again; of a sweep, this job alone."""
    if not HydraConfig.initialized():
        return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    config = HydraConfig.get()
    own = [str(o) for o in config.overrides.hydra if not str(o).startswith("hydra.mode=")]
    return shlex.join(["python", "-m", module_of(str(config.job.config_name)), *overrides(), *own])


def module_of(command: str) -> str:
    """Return the module that runs a command."""
    return f"bubbleloc.examples.{command}" if command in STUDIES else f"bubbleloc.{command}"
