"""Files of the field's own packages, where they are installed (the extra formats-test)."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

MATRIX = Path(__file__).resolve().parents[2] / "benchmarks/formats_matrix.py"
PACKAGES = ("zea", "pyuff_ustb", "pymust", "hdf5storage")


@pytest.mark.slow
def test_files_of_real_writers_are_read_rightly_or_refused():
    if not any(map(importlib.util.find_spec, PACKAGES)):
        pytest.skip(f"none of {', '.join(PACKAGES)} is installed")
    done = subprocess.run([sys.executable, MATRIX], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
