"""The commands that make datasets start quickly."""

import subprocess
import sys
import time

import pytest

from tests.conftest import run


@pytest.mark.parametrize("module", ["simulate", "convert"])
def test_help_is_shown_at_once(tmp_path, module):
    best_s = float("inf")
    for _ in range(3):  # the machine may be busy
        start = time.perf_counter()
        shown = run(tmp_path, module, "--help")
        best_s = min(best_s, time.perf_counter() - start)
    assert shown.returncode == 0
    assert f"python -m bubbleloc.{module}" in shown.stdout
    assert best_s < 3


@pytest.mark.parametrize("module", ["simulate", "convert"])
def test_entry_modules_import_nothing_heavy(tmp_path, module):
    code = (
        f"import sys, bubbleloc.{module}\n"
        "heavy = {'torch', 'numba', 'scipy', 'h5py', 'joblib', 'distributed', 'pandas'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_simulating_does_not_import_torch(tmp_path):
    code = (
        "import sys, bubbleloc.data.generate, bubbleloc.data.importing\n"
        "assert not {'torch', 'distributed'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
