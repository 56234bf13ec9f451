"""What all commands share: where the configuration is, and how errors reach the user."""

import difflib
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bubbleloc.errors import InputError

Settings = dict[str, Any]
Task = Callable[[Settings], None]

BAD_INPUT = 2  # exit code
INTERRUPTED = 130

OmegaConf.register_new_resolver("unique", lambda: secrets.token_hex(2), use_cache=True)


def config_folder() -> Path:
    """Return the configurations: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent
    packed = package / "conf"
    return packed if packed.is_dir() else package.parent / "conf"


def command(task: Task, lists: Sequence[str] = ()) -> Callable[[], None]:
    """Turn a function of resolved settings into a Hydra command named after its module.

    Bad input, in the configuration or found by the library, becomes one line on stderr and
    exit code 2; anything else is our bug and keeps its traceback.

    Args:
        lists: settings that take a list, which may then be typed without brackets.
    """
    name = Path(sys.modules[task.__module__].__file__ or "").stem

    def guarded(config: DictConfig) -> None:
        try:
            task(_resolve(config))
        except (InputError, OmegaConfBaseException) as error:
            _discard_empty_output()
            _refuse(error)

    def run() -> None:
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors come to us instead of being printed
        main = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)
        sys.argv[1:] = [bracketed(argument, lists) for argument in sys.argv[1:]]
        try:
            main(guarded)()
        except (HydraException, OmegaConfBaseException) as error:
            _refuse(error)
        except KeyboardInterrupt:
            print("interrupted; what was finished is kept", file=sys.stderr)
            sys.exit(INTERRUPTED)

    return run


def bracketed(argument: str, lists: Sequence[str]) -> str:
    """Return ``noise=0.1,0.2`` as ``noise=[0.1,0.2]``, which Hydra reads as a list."""
    name, _, value = argument.partition("=")
    bare = name in lists and "," in value and not value.startswith("[")
    return f"{name}=[{value}]" if bare else argument


def output_folder() -> Path:
    """Return the folder that Hydra made for this job."""
    return Path(HydraConfig.get().runtime.output_dir)


def _resolve(config: DictConfig) -> Settings:
    """Return plain dictionaries, all references replaced by their values."""
    settings = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(settings, dict)
    return {str(key): value for key, value in settings.items()}


def _refuse(error: Exception) -> NoReturn:
    """Print the one line that explains a refusal and exit."""
    print(f"error: {one_line(error)}", file=sys.stderr)
    sys.exit(BAD_INPUT)


def one_line(error: Exception) -> str:
    """Say an error in one line, with a suggestion where a configuration key is misspelt."""
    text = str(error)
    if match := re.search(r"Could not override '([^']+)'", text):
        return f"unknown setting {match[1]!r}{_suggestion(match[1])}; see --help"
    if match := re.search(r"Could not find '([^/']+)/([^']+)'.*?:((?:\n\t\S+)+)", text, re.DOTALL):
        return f"unknown {match[1]} {match[2]!r}; choose one of {', '.join(match[3].split())}"
    if match := re.search(r"Missing mandatory value: (\S+)", text):
        return f"{match[1]}=… is missing; see --help"
    lines = [line.strip() for line in text.splitlines()]
    return " ".join(
        line for line in lines if line and not line.startswith(("full_key", "object_type"))
    )


def _suggestion(key: str) -> str:
    """Return ``, did you mean …?`` when a configuration key resembles ``key``."""
    known = set()
    for path in config_folder().rglob("*.yaml"):
        known |= set(re.findall(r"^\s*([a-z_0-9]+):", path.read_text(), re.MULTILINE))
        known.add(path.parent.name)
    close = difflib.get_close_matches(key.split(".")[-1], sorted(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _discard_empty_output() -> None:
    """Remove the output folder Hydra made for a job that was refused before writing anything."""
    folder = output_folder()
    if folder.is_dir() and folder.resolve() != Path.cwd() and not any(folder.iterdir()):
        folder.rmdir()
