"""What all commands share: settings from the command line, errors in one line, exit codes."""

import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import hydra
from omegaconf import DictConfig

from bubbleloc.console import job, signals, threads
from bubbleloc.console.composition import checked_settings, config_folder, known_settings
from bubbleloc.console.messages import explain, show_warning
from bubbleloc.console.settings import Settings, catalogue
from bubbleloc.errors import BAD_INPUT, InputError

__all__ = ["Settings", "command", "config_folder"]

Task = Callable[[Settings], None]


def command(task: Task) -> Callable[[], None]:
    """Turn a function of checked settings into a command named after its module.

    Bad input, in the settings or found by the library, becomes one line on stderr and exit
    code 2; anything else is our bug and keeps its traceback. A sweep runs the jobs after a
    refused one all the same.
    """
    name = Path(sys.modules[task.__module__].__file__ or "").stem

    def run_job(config: DictConfig) -> None:
        threads.limit_threads()
        warnings.showwarning = show_warning
        try:
            task(checked_settings(name, config, job.overrides()))
        except Exception as error:
            line = explain(error, known_settings(name))
            if line is None:
                raise
            if job.is_sweep_job():
                raise InputError(line) from None
            _refuse(line)
        finally:
            _discard_empty_output()

    @functools.wraps(task)
    def run() -> None:
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors come to us instead of being printed
        sys.argv[1:] = [bracketed(name, argument) for argument in sys.argv[1:]]
        signals.stop_on_signals()
        try:
            if {"-h", "--help"} & set(sys.argv[1:]):
                _print_help(name, sys.argv[1:])
            else:
                hydra.main(str(config_folder()), name, "1.3")(run_job)()
        except (KeyboardInterrupt, signals.Terminated) as error:
            sys.exit(_report_interruption(error))
        except Exception as error:
            line = explain(error, known_settings(name))
            if line is None:
                raise
            _refuse(line)

    return run


def bracketed(command: str, argument: str) -> str:
    """Return ``noise=0.1,0.2`` as ``noise=[0.1,0.2]``, which Hydra reads as a list."""
    key, _, value = argument.partition("=")
    setting = catalogue(command).get(key)
    takes_list = setting is not None and setting.is_list and "." not in key
    return f"{key}=[{value}]" if takes_list and "," in value and value[0] != "[" else argument


def _print_help(command: str, arguments: Sequence[str]) -> None:
    from bubbleloc.console.help import help_text

    print(help_text(command, [a for a in arguments if not a.startswith("-")]))


def _refuse(line: str) -> NoReturn:
    """Print the line that explains a refusal and exit."""
    print(f"error: {line}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def _report_interruption(error: BaseException) -> int:
    """Print in one line what is kept and how to continue; return the exit code."""
    terminated = isinstance(error, signals.Terminated)
    notes = getattr(error, "__notes__", None) or ["finished work is kept"]
    if os.environ.get("LOCAL_RANK", "0") == "0":  # the first of processes that train together
        what = "terminated" if terminated else "interrupted"
        print(f"{what}; {'; '.join(notes)}", file=sys.stderr)
    return signals.TERMINATED if terminated else signals.INTERRUPTED


def _discard_empty_output() -> None:
    """Remove the folder Hydra made for this job where nothing was written into it."""
    folder = job.output_folder()
    if folder.is_dir() and folder.resolve() != Path.cwd() and not any(folder.iterdir()):
        folder.rmdir()
