#!/usr/bin/env bash
# The same echo has another height after each demodulator: MUST's rf2iq and zea give the envelope,
# both demodulators of ustb half of it. One would guess that |IQ| is the envelope everywhere, as
# thresholds and gains are carried from one to the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymust==0.1.9 ustb==0.2.0 pyuff-ustb==3.0.0 zea==0.1.8 'jax[cpu]'
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pymust
import pyuff_ustb
from ustb.preprocess.demodulation import Demodulation
from ustb.preprocess.fast_demodulation import FastDemodulation
from zea.func.ultrasound import demodulate

print(*(f"{name} {version(name)}" for name in ("pymust", "ustb", "zea")), sep=", ")
rate, carrier = 40e6, 3e6
time = np.arange(4000) / rate - 50e-6
echo = np.exp(-((time / 3e-6) ** 2)) * np.cos(2 * np.pi * carrier * time)
heights = {"pymust.rf2iq": np.abs(pymust.rf2iq(echo[:, None], rate, carrier)).max()}
pair = np.asarray(demodulate(np.float32(echo)[None, :, None, None], carrier, rate))
heights["zea demodulate"] = np.hypot(pair[..., 0], pair[..., 1]).max()
for kind in (FastDemodulation, Demodulation):
    step = kind()
    step.input = pyuff_ustb.ChannelData(
        sampling_frequency=rate, initial_time=0.0, sound_speed=1540.0,
        modulation_frequency=0.0, data=echo[:, None, None, None],
    )
    step.modulation_frequency = carrier
    heights[f"ustb {kind.__name__}"] = np.abs(np.asarray(step.go().data)).max()
for name, height in heights.items():
    print(f"{name}: an echo of height 1 becomes {height:.2f}")
assert np.allclose(list(heights.values()), [1, 1, 0.5, 0.5], atol=0.01), "heights have changed"
PYTHON
