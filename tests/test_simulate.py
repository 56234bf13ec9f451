"""The commands that make datasets start quickly: they import no more than they use."""

import subprocess
import sys

import pytest

from tests.conftest import run
from tests.processes import imported

HEAVY = {"torch", "numba", "scipy", "h5py", "joblib", "distributed", "pandas"}


@pytest.mark.parametrize("module", ["simulate", "convert"])
def test_help_imports_nothing_heavy(tmp_path, module):
    packages = imported(tmp_path, f"bubbleloc.{module}", "--help")
    assert {"bubbleloc", "hydra"} <= packages
    assert not {*HEAVY, "numpy", "lightning", "matplotlib"} & packages
    assert f"bubbleloc {module}" in run(tmp_path, module, "--help").stdout


@pytest.mark.parametrize("module", ["simulate", "convert"])
def test_entry_modules_import_nothing_heavy(tmp_path, module):
    code = (
        f"import sys, bubbleloc.{module}\n"
        f"heavy = {HEAVY}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_simulating_does_not_import_torch(tmp_path):
    code = (
        "import sys, bubbleloc.data.generate, bubbleloc.data.importing\n"
        "assert not {'torch', 'distributed'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
