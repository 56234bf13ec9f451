#!/usr/bin/env bash
# zea's UpMix brings IQ that was downsampled back to RF on a stretched time axis: its first and last
# samples stay where they are, so n samples are spread over n·factor − 1 steps. One would guess that
# Demodulate, Downsample, UpMix gives the echo back in its place; the envelope comes later the
# deeper it is, by up to factor − 1 samples, while the carrier stays, so that correlation hides it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zea==0.1.8 'jax[cpu]' scipy
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from scipy.signal import hilbert
from zea.func.ultrasound import demodulate, upmix

print("zea", version("zea"))
rate, carrier, factor = 40e6, 3e6, 8
time = np.arange(4000) / rate
arrivals = (10e-6, 50e-6, 90e-6)
echoes = [np.exp(-(((time - t) / 1e-6) ** 2)) * np.cos(2 * np.pi * carrier * (time - t)) for t in arrivals]
pair = np.asarray(demodulate(np.float32(sum(echoes))[None, :, None, None], carrier, rate))
slow = (pair[0, ::factor, :, 0] + 1j * pair[0, ::factor, :, 1]).astype(np.complex64)
back = np.asarray(upmix(slow[None], rate / factor, carrier, factor))[0, :, 0]
lags = []
for arrival in arrivals:
    near = np.abs(time - arrival) < 3e-6
    envelope = np.abs(hilbert(back[near])) ** 2
    lags.append(float((time[near] * envelope).sum() / envelope.sum() - arrival) * rate)
    print(f"echo at {1e6 * arrival:g} us: its envelope comes back {lags[-1]:.1f} samples late")
assert lags[0] < 1.5 and 2.5 < lags[1] < 4.5 and 5.5 < lags[2] < 7.5, "the envelope is in place"
PYTHON
