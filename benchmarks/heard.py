"""How well the echo of an unknown pulse is heard in sparse lines, and the rule for its arrival.

python benchmarks/heard.py          # docs/results/heard.csv: the held-out setups
python benchmarks/heard.py --fit    # the numbers of ONSET, from setups as a training draws them
"""

import argparse
import contextlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import fft

from bubbleloc.arrays import Float32s
from bubbleloc.data.universal import draw_setup
from bubbleloc.errors import InputError
from bubbleloc.evaluation.held_out import SETUPS, simulate_lines
from bubbleloc.physics import Scene, Setup, simulate_rf
from bubbleloc.physics.heard import HIGH, LOW, PER_PERIOD, heard, mean_of_lone, rises
from bubbleloc.physics.told import Told, told_by

SIZE = 2**12
SETUPS_DRAWN, LINES = 300, 24


def spectrum(told: Told, rate_hz: float) -> np.ndarray:
    """The spectrum of an echo that arrives at time 0."""
    return told.spectrum(rate_hz / SIZE, SIZE // 2 + 1)


def compared(name: str) -> dict[str, object]:
    """How an echo that is heard compares with the one that is told."""
    held = SETUPS[name]
    setup = held.setup(held.rates[0])
    lines = simulate_lines(name, held.rates[0], "sparse", 128)
    found, told = heard(lines.volts, setup.sampling_rate_hz), told_by(setup, held.radius_m)
    if found is None:
        return {"setup": name, "echoes": 0}
    rate_hz = found.told.sampling_rate_hz
    a, b = spectrum(found.told, rate_hz), spectrum(told, rate_hz)
    lags = fft.irfft(a * np.conj(b), SIZE)
    norm = np.linalg.norm(fft.irfft(a, SIZE)) * np.linalg.norm(fft.irfft(b, SIZE))
    early = int(lags.argmax())
    early -= SIZE * (early > SIZE // 2)
    return {
        "setup": name,
        "echoes": found.echoes,
        "correlation": lags.max() / norm,
        "early, periods": early * told.centre_hz / rate_hz,
    }


def sparse(setup: Setup, rng: np.random.Generator, radius_m: float, pressure_pa: float) -> Float32s:
    """Lines (LINES, L) of 1 to 30 bubbles with 4 % of noise."""
    lines = []
    for _ in range(LINES):
        depth_m = setup.depth_m * rng.uniform(0.07, 0.93, rng.integers(1, 31))
        radii_m = rng.normal(radius_m, 0.05 * radius_m, len(depth_m))
        volts = simulate_rf(Scene(depth_m, 0 * depth_m, radii_m, pressure_pa), setup).volts
        lines.append(volts + 0.04 * volts.std() * rng.standard_normal(len(volts)))
    return np.array(lines, np.float32)


def drawn(index: int) -> tuple[float, list[float]] | None:
    """The time from arrival to peak of the echo that is heard, and its rises, all in periods."""
    rng = np.random.default_rng(index)
    radius_m = 1e-6 * math.exp(rng.uniform(math.log(0.8), math.log(3)))
    pressure_pa = math.exp(rng.uniform(math.log(5e3), math.log(250e3)))
    with contextlib.suppress(InputError):
        setup = draw_setup(rng)
        rate_hz = rng.uniform(5, 20) * setup.carrier_hz
        setup = replace(setup, depth_m=60 * 1480 / setup.carrier_hz, sampling_rate_hz=rate_hz)
        told = told_by(setup, radius_m, pressure_pa)
        found = mean_of_lone(sparse(setup, rng, radius_m, pressure_pa), rate_hz)
        if found is None:
            return None
        mean, _, centre_hz = found
        lags = fft.irfft(
            fft.rfft(mean.real, SIZE) * np.conj(spectrum(told, PER_PERIOD * centre_hz)), SIZE
        )
        peak, rise = rises(mean)
        late = peak - int(lags.argmax())
        return late / PER_PERIOD, [samples / PER_PERIOD for samples in rise]
    return None


def fit() -> None:
    """Print the constants of the rule, by least absolute deviations, and how well it holds."""
    rows = [row for row in map(drawn, range(SETUPS_DRAWN)) if row is not None]
    late = np.array([row[0] for row in rows])
    facts = np.array([[1.0, *row[1]] for row in rows])
    weight = np.ones(len(late))
    for _ in range(30):
        part, *_ = np.linalg.lstsq(facts * weight[:, None], late * weight, rcond=None)
        weight = 1 / np.sqrt(np.maximum(np.abs(late - facts @ part), 0.05))
    off = np.abs(late - facts @ part)
    print(f"rises from {LOW} and {HIGH}: {np.round(part, 2)}, off by {np.median(off):.2f} periods")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true")
    if parser.parse_args().fit:
        fit()
    else:
        table = pd.DataFrame(map(compared, SETUPS))
        table.to_csv(Path("docs/results/heard.csv"), index=False)
        print(table.round(3).to_string())
