#!/usr/bin/env bash
# The amplitude of lines that SIMUS of MUST simulates falls with the sampling rate. One would guess
# the same echo, sampled finer; it is half as high at twice the rate.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymust==0.1.9 'numpy<3' scipy
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pymust

print("pymust", version("pymust"))
heights = []
for times in (4, 8, 16):
    param = pymust.getparam("L11-5v")
    param.fs = times * param.fc
    delays = pymust.txdelay(param, 0.0)
    lines = pymust.simus(np.zeros(1), np.full(1, 20e-3), np.ones(1), delays, param)[0]
    heights.append(float(np.abs(lines).max()))
    print(f"sampled at {times} fc: {lines.shape[0]} samples, largest {heights[-1]:.1f}")
ratios = np.array(heights[:-1]) / heights[1:]
print("each doubling of the rate divides the echo by", ratios.round(2))
assert np.allclose(ratios, 2, atol=0.1), "the amplitude no longer depends on the rate"
PYTHON
