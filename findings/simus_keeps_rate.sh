#!/usr/bin/env bash
# SIMUS of MUST in Python writes its defaults into the caller's param. One would guess that a new
# centre frequency brings its own default rate, 4 fc, as in MATLAB, where a function gets a copy;
# the second call goes on at the rate of the first.
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
point = np.zeros(1), np.full(1, 20e-3), np.ones(1)


def height_and_rate(param):
    lines = pymust.simus(*point, pymust.txdelay(param, 0.0), param)[0]
    return float(np.abs(lines).max()), float(param.fs)


fresh = pymust.getparam("L11-5v")
fresh.fc = 3e6
used = pymust.getparam("L11-5v")
print("param has fs before:", "fs" in used)
height_and_rate(used)
print("param has fs after a call:", "fs" in used)
used.fc = 3e6
(high, rate), (low, kept) = height_and_rate(fresh), height_and_rate(used)
print(f"fc = 3 MHz in a new param:  {rate / 1e6:g} MHz, echo {high:.0f}")
print(f"fc = 3 MHz in a used param: {kept / 1e6:g} MHz, echo {low:.0f}")
assert rate == 12e6 and kept == 4 * 7.6e6, "the rate of the first call is no longer kept"
PYTHON
