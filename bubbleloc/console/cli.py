"""What all commands share: settings from the command line, errors in one line, exit codes."""

import contextlib
import functools
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from bubbleloc import process
from bubbleloc.console import config_folder
from bubbleloc.console.arguments import check_words, in_brackets, typed_values
from bubbleloc.console.composition import checked_settings, is_composed, known_settings
from bubbleloc.console.messages import explain, show_warning, tell
from bubbleloc.console.settings import COMMANDS, STUDIES, Group, catalogue, check
from bubbleloc.errors import BAD_INPUT, InputError

AnyGroup = TypeVar("AnyGroup", bound=Group)


def command(task: Callable[[AnyGroup], None]) -> Callable[[], None]:
    """Turn a function of a command's settings into that command, named after its module.

    Bad input, in the settings or found by the library, becomes one line on stderr and exit
    code 2; anything else is our bug and keeps its traceback. A sweep runs the jobs after a
    refused one all the same.
    """
    name = Path(sys.modules[task.__module__].__file__ or "").stem
    model = cast(type[AnyGroup], COMMANDS[name])

    def run_job(config: DictConfig) -> None:
        """Run one job that Hydra has composed, of several in a sweep."""
        try:
            process.end_with_parent()  # one of several jobs of a sweep side by side
            start(lambda: checked_settings(model, config, overrides()))
        except Exception as error:
            line = explain(error, known_settings(name))
            if line and is_sweep_job() and not process.stop_in(error):
                raise InputError(line) from None
            _end(error, name)  # before Hydra adds a line of its own
        finally:
            _discard_empty_output()

    def start(settings: Callable[[], AnyGroup]) -> None:
        process.limit_threads()
        warnings.showwarning = show_warning
        task(settings())

    @functools.wraps(task)
    def run() -> None:
        process.open_streams()
        arguments = sys.argv[1:]
        process.stop_on_signals()
        try:
            if {"-h", "--help"} & set(arguments):
                from bubbleloc.console.help import help_text

                print(help_text(name, [a for a in arguments if not a.startswith("-")]))
            elif is_composed(name):
                check_words(name, arguments)
                sys.argv[1:] = [for_hydra(name, argument) for argument in arguments]
                os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors come to us, unprinted
                hydra.main(str(config_folder()), name, "1.3")(run_job)()
            else:
                logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
                start(lambda: check(model, typed_values(name, arguments)))
        except (Exception, KeyboardInterrupt, process.Terminated) as error:
            _end(error, name)

    return run


def for_hydra(command: str, argument: str) -> str:
    """Return an argument as Hydra reads it: lists in brackets, names that hold ``=`` in quotes."""
    key, _, value = argument.partition("=")
    setting = catalogue(command).get(key)
    if setting is None or "." in key:
        return argument
    if setting.is_name and "=" in value and value[0] not in "'\"[":
        return f"{key}='{value}'"
    return f"{key}={in_brackets(value, setting)}"


def _end(error: BaseException, command: str) -> NoReturn:
    """Say in one line why a command ends, and exit; raise what is our bug."""
    if stop := process.stop_in(error):
        what = "terminated" if isinstance(stop, process.Terminated) else "interrupted"
        if os.environ.get("LOCAL_RANK", "0") == "0":  # the first of processes that train together
            notes = getattr(stop, "__notes__", None) or ["finished work is kept"]
            tell(f"{what}; {'; '.join(notes)}")
        sys.exit(process.TERMINATED if what == "terminated" else process.INTERRUPTED)
    line = explain(error, known_settings(command)) if isinstance(error, Exception) else None
    if line is None:
        raise error
    tell(f"error: {line}")
    sys.exit(BAD_INPUT)


def _discard_empty_output() -> None:
    """Remove the folder Hydra made for this job, and those around it, where they are empty."""
    folder = output_folder().resolve()
    with contextlib.suppress(OSError):  # not empty
        while Path.cwd() in folder.parents:
            folder.rmdir()
            folder = folder.parent


def is_sweep_job() -> bool:
    """Return whether this is one of the jobs of a sweep (``-m``)."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def overrides() -> list[str]:
    """Return the settings that were given on the command line; of a sweep, those of this job."""
    return [str(o) for o in HydraConfig.get().overrides.task] if HydraConfig.initialized() else []


def refuse_other_settings(run: str, given: Sequence[str], instead: str = "") -> None:
    """Raise InputError where settings are given beside ``resume=run``.

    Args:
        instead: what else one may want to do.
    """
    if others := [override for override in given if not override.startswith("resume=")]:
        raise InputError(
            f"{others[0]}: a resumed run keeps its own settings; leave out all but resume={run}"
            f"{instead}"
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
    return shlex.join(["bubbleloc", str(config.job.config_name), *overrides(), *own])


def module_of(command: str) -> str:
    """Return the module that runs a command."""
    return f"bubbleloc.examples.{command}" if command in STUDIES else f"bubbleloc.{command}"
