#!/usr/bin/env bash
# The source of a plane wave in UFF lies at infinity, in the direction of its angles. One would
# guess the coordinates (0, 0, inf) straight down; pyuff gives (nan, nan, inf), and y is nan for
# every steered wave of a linear array, so that code which asks whether the source is behind or
# inside the array by its coordinates compares with nan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyuff-ustb==3.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import numpy as np
import pyuff_ustb

warnings.simplefilter("ignore")
print("pyuff-ustb", version("pyuff-ustb"))
found = {}
for degrees in (0, 10):
    point = pyuff_ustb.Point(distance=np.inf, azimuth=np.radians(degrees), elevation=0.0)
    found[degrees] = point.xyz
    print(f"plane wave at {degrees} degrees: source", point.xyz, "length", np.linalg.norm(point.xyz))
assert np.isnan(found[0][:2]).all() and found[0][2] == np.inf
assert np.isnan(found[10][1]) and np.isinf(found[10][[0, 2]]).all(), "the source has coordinates"
PYTHON
