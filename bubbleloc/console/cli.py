"""What all commands share: where the configuration is, and how errors reach the user."""

import errno
import functools
import os
import re
import secrets
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bubbleloc.console import settings, signals, threads
from bubbleloc.console.messages import one_line, show_warning, unknown_setting
from bubbleloc.console.settings import Settings
from bubbleloc.errors import BAD_INPUT, InputError

__all__ = [
    "BAD_INPUT",
    "Settings",
    "bracketed",
    "command",
    "config_folder",
    "one_line",
    "output_folder",
]

Task = Callable[[Settings], None]

OF_THE_PLACE = {  # what the system refuses for reasons that are the user's to remove
    errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.EISDIR, errno.EMFILE, errno.ENAMETOOLONG,
    errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
}  # fmt: skip

OmegaConf.register_new_resolver("unique", lambda: secrets.token_hex(2), use_cache=True)


def config_folder() -> Path:
    """Return the configurations: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "conf"
    return packed if packed.is_dir() else package.parent / "conf"


def command(task: Task, lists: Sequence[str] = ()) -> Callable[[], None]:
    """Turn a function of resolved settings into a Hydra command named after its module.

    Bad input, in the configuration or found by the library, becomes one line on stderr and
    exit code 2; anything else is our bug and keeps its traceback. In a sweep the jobs after a
    refused one are run all the same.

    Args:
        lists: settings that take a list, which may then be typed without brackets.
    """
    name = Path(sys.modules[task.__module__].__file__ or "").stem

    def guarded(config: DictConfig) -> None:
        threads.limit_threads()
        warnings.showwarning = show_warning
        try:
            task(prepare(name, config))
        except Exception as error:
            line = refusal(error)
            if line is None:
                raise
            _discard_empty_output()
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise InputError(line) from None
            _refuse(line)

    @functools.wraps(task)
    def run() -> None:
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors come to us instead of being printed
        main = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)
        sys.argv[1:] = [bracketed(argument, lists) for argument in sys.argv[1:]]
        signals.unwind_on_signals()
        try:
            main(guarded)()
        except (KeyboardInterrupt, signals.Terminated) as error:
            sys.exit(_say_interrupted(error))
        except Exception as error:
            line = refusal(error)
            if line is None:
                raise
            _refuse(line)

    return run


def prepare(name: str, config: DictConfig) -> Settings:
    """Return the settings of a command as plain dictionaries, references replaced by values.

    Raises:
        InputError: a setting that does not exist, or a value that makes no sense.
    """
    for override in HydraConfig.get().overrides.task:
        problem = unknown_setting(str(override), config_folder())
        if problem:
            raise InputError(problem)
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(resolved, dict)
    return settings.check(name, {str(key): value for key, value in resolved.items()})


def bracketed(argument: str, lists: Sequence[str]) -> str:
    """Return ``noise=0.1,0.2`` as ``noise=[0.1,0.2]``, which Hydra reads as a list."""
    name, _, value = argument.partition("=")
    bare = name in lists and "," in value and not value.startswith("[")
    return f"{name}=[{value}]" if bare else argument


def output_folder() -> Path:
    """Return the folder that Hydra made for this job."""
    return Path(HydraConfig.get().runtime.output_dir)


def refusal(error: Exception) -> str | None:
    """Return the line that explains an error to a user; None where it is our bug."""
    if isinstance(error, InputError | HydraException | OmegaConfBaseException):
        return one_line(error, config_folder())
    if isinstance(error, MemoryError) or re.search(
        "out of memory|not enough memory|can't allocate memory", str(error)
    ):
        return "out of memory; choose a smaller batch size or network, or fewer workers"
    if isinstance(error, OSError) and error.errno in OF_THE_PLACE:
        return f"{error.filename or 'a file'}: {error.strerror}; choose another place or free this"
    return None


def _refuse(line: str) -> NoReturn:
    """Print the one line that explains a refusal and exit."""
    print(f"error: {line}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def _say_interrupted(error: BaseException) -> int:
    """Say in one line what is kept and how to go on; return the exit code."""
    terminated = isinstance(error, signals.Terminated)
    notes = getattr(error, "__notes__", None) or ["what was finished is kept"]
    if os.environ.get("LOCAL_RANK", "0") == "0":  # the first of processes that train together
        what = "terminated" if terminated else "interrupted"
        print(f"{what}; {'; '.join(notes)}", file=sys.stderr)
    return signals.TERMINATED if terminated else signals.INTERRUPTED


def _discard_empty_output() -> None:
    """Remove the output folder Hydra made for a job that was refused before writing anything."""
    folder = output_folder()
    if folder.is_dir() and folder.resolve() != Path.cwd() and not any(folder.iterdir()):
        folder.rmdir()
