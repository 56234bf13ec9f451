"""Kills while bubbles are localized or imaged: whole files or none, and nothing left behind."""

import random
import subprocess
import sys
import time

import numpy as np
import pytest

RF = "rf.npz"
COMMANDS = {
    "localize": [f"input={RF}", "output=out/b.csv", "threshold=0.5", "picture=0"],
    "image": [f"input={RF}", "output=out", "pixel_mm=0.2"],
}


def start(folder, name):
    command = [sys.executable, "-m", f"bubbleloc.{name}", *COMMANDS[name]]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_sigkill_at_any_moment_leaves_whole_files(name, tmp_path):
    rf = np.random.default_rng(0).standard_normal((32, 8446))
    np.savez(tmp_path / RF, rf=rf, fs=62.5e6)
    begun = time.perf_counter()
    whole = start(tmp_path, name)
    assert whole.communicate(timeout=300)[1] is not None
    assert whole.returncode == 0
    took = time.perf_counter() - begun
    expected = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    moments = random.Random(0)
    for _ in range(5):
        for path in (tmp_path / "out").glob("[!.]*"):
            path.unlink()
        killed = start(tmp_path, name)
        time.sleep(took * moments.uniform(0.4, 1))
        killed.kill()
        killed.communicate()
        left = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("[!.]*")}
        for begun in ("b.csv.partial", "b.csv.lock"):
            left.pop(begun, None)
        assert left.items() <= expected.items()
    assert start(tmp_path, name).communicate(timeout=300)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == expected
