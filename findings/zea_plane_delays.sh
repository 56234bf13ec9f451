#!/usr/bin/env bash
# zea's files give plane waves a focus distance of infinity (or 0); its function for focused delays
# turns these into NaN, or into no steering at all. One would guess the delays of the plane wave at
# the angle that is given, as a very far focus has them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zea==0.1.8 'jax[cpu]'
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

import numpy as np
from zea.beamform.delays import compute_t0_delays_focused, compute_t0_delays_planewave

warnings.simplefilter("ignore")
print("zea", version("zea"))
elements = np.zeros((4, 3))
elements[:, 0] = 3e-4 * (np.arange(4) - 1.5)
angle = np.radians([10.0])
plane = np.asarray(compute_t0_delays_planewave(elements, angle))[0]
print("plane wave at 10 degrees, ns:      ", (1e9 * plane).round(1))
found = {}
for distance in (1e3, np.inf, 0.0):
    delays = compute_t0_delays_focused(np.zeros((1, 3)), np.array([distance]), elements, angle)
    found[distance] = np.asarray(delays)[0]
    print(f"focus at {distance:g} m, 10 degrees, ns:", (1e9 * found[distance]).round(1))
assert np.allclose(found[1e3], plane, atol=1e-11)
assert np.isnan(found[np.inf]).all() and not found[0.0].any(), "plane waves are understood"
PYTHON
