"""Commands in processes of their own, killed at any moment, and what they leave behind."""

import os
import subprocess
import sys
import time
from pathlib import Path


def start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command of the package as the first process of a group."""
    command = [sys.executable, "-m", f"bubbleloc.{name}", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, start_new_session=True)


def imported(folder: Path, *command: str) -> set[str]:
    """Names of the packages that a command, ``module key=value …``, imports until it ends."""
    python = [sys.executable, "-X", "importtime", "-m", *command]
    shown = subprocess.run(python, cwd=folder, capture_output=True, text=True, check=True)
    lines = [line for line in shown.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a command and wait until its last child has ended; return whether it was running."""
    process.kill()
    process.communicate(timeout=300)
    deadline = time.monotonic() + 300
    while _group_runs(process.pid):
        assert time.monotonic() < deadline, "a process is left behind"
        time.sleep(0.01)
    return process.returncode < 0


def _group_runs(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def contents(folder: Path) -> dict[str, bytes]:
    """Content of every file in a folder, hidden ones too, by its path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
