"""Where a run comes from: command, versions, revision, seed and dataset, in its ``run.yaml``."""

import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from subprocess import DEVNULL, SubprocessError, check_output
from typing import Any

from bubbleloc import __version__
from bubbleloc.data.store import SPLITS, fingerprint, same_data
from bubbleloc.errors import InputError
from bubbleloc.files import read_yaml, write_yaml

RUN_FILE = "run.yaml"
PACKAGES = ("torch", "lightning", "hydra-core", "numpy", "scipy", "numba", "h5py")


def write(folder: Path, seed: int, dataset: Path, command: str = "") -> None:
    """Note in a run's folder what it is made with; a resumed run adds a session.

    Args:
        command: that started the session; by default that of this process.

    Raises:
        InputError: the run resumes with another dataset than it began with.
    """
    path = folder / RUN_FILE
    record = read(folder)
    if record["sessions"]:
        check_dataset(folder, dataset, ("train", "val"), "restore it, or train anew")
    else:
        record = {"seed": seed, "dataset": fingerprints(dataset), "sessions": []}
    record["sessions"].append(session(command))
    write_yaml(path, record)


def read(folder: Path) -> dict[str, Any]:
    """Return what a run's ``run.yaml`` says; nothing where there is none.

    Raises:
        InputError: it is damaged.
    """
    path = folder / RUN_FILE
    record = read_yaml(path) if path.is_file() else {"dataset": {}, "sessions": []}
    kinds = {"dataset": dict, "sessions": list}
    if not all(isinstance(record, dict) and isinstance(record.get(k), kinds[k]) for k in kinds):
        raise InputError(
            f"{path} is damaged; restore it, or remove it and lose what it says of the run"
        )
    return dict(record)


def check_dataset(folder: Path, dataset: Path, splits: tuple[str, ...], remedy: str) -> None:
    """Refuse dataset files that are not those a run was made with.

    Files the run has no fingerprint of, because they were not there, are taken as they are.

    Raises:
        InputError: a fingerprint differs.
    """
    noted = read(folder)["dataset"]
    for split in splits:
        path = dataset / f"{split}.h5"
        if split not in noted or not path.is_file():
            continue
        present, before = fingerprint(path), str(noted[split])
        if not same_data(present, before):
            raise InputError(
                f"{path} is not the data that {folder} was trained beside (fingerprint {present}, "
                f"not {before}): {remedy}"
            )


def fingerprints(dataset: Path) -> dict[str, str]:
    """Return the fingerprint of every split that is there."""
    paths = {split: dataset / f"{split}.h5" for split in SPLITS}
    return {split: fingerprint(path) for split, path in paths.items() if path.is_file()}


def session(command: str = "") -> dict[str, Any]:
    """Return when, how and with what software this process was started."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "bubbleloc": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: version(name) for name in PACKAGES},
        "git": git_state(Path(__file__).resolve().parents[2]),
    }


def git_state(checkout: Path) -> dict[str, Any] | None:
    """Return revision and dirty flag of a checkout; None where the package is installed."""
    if not (checkout / ".git").exists():
        return None  # some folder above may be a checkout, but not of this package
    git = ["git", "-C", str(checkout)]
    try:
        revision, changes = (
            check_output([*git, *words], stderr=DEVNULL, text=True, timeout=30)
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, SubprocessError):
        return None
    return {"revision": revision.strip(), "dirty": bool(changes)}
