#!/usr/bin/env bash
# MUST and UFF put the origin of depths of the same convex array at different places: MUST at the
# height of its ends, UFF's CurvilinearArray at its middle. One would guess one z = 0 for a C5-2v of
# equal pitch and radius; depths differ by 10 mm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymust==0.1.9 pyuff-ustb==3.0.0 scipy
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pymust
import pyuff_ustb

print(f"pymust {version('pymust')}, pyuff-ustb {version('pyuff-ustb')}")
param = pymust.getparam("C5-2v")
x, z = (np.ravel(values) for values in param.getElementPositions()[:2])
other = pyuff_ustb.CurvilinearArray(
    N=param.Nelements, pitch=param.pitch, radius=param.radius, element_width=param.width, element_height=5e-3
)
x_other, z_other = np.ravel(other.x), np.ravel(other.z)
print("largest difference of x, mm:", np.abs(1e3 * (x - x_other)).max().round(4))
for name, values in (("MUST", z), ("UFF", z_other)):
    print(f"{name}: z of the first and the middle element, mm:", (1e3 * values[[0, 64]]).round(2))
assert np.allclose(x, x_other, atol=1e-7)
assert np.allclose(z - z_other, 10.13e-3, atol=0.02e-3), "both have one origin"
PYTHON
