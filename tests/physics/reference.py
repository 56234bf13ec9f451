"""What the physics is held to: arrays of the published simulator, and the solver's own halved step.

The arrays lie beside the checkout.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from bubbleloc.physics import Physics, Setup
from bubbleloc.physics.bubble import oscillate
from bubbleloc.physics.propagation import pressure_at

CHECKOUT = Path(__file__).resolve().parents[2]
REFERENCE = CHECKOUT.parent / "shared" / "reference"

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="no reference arrays in shared/reference beside the checkout"
)


def loaded(values: Mapping[str, Any]) -> Setup:
    """The setup of settings, as a command loads it."""
    plain = {name: str(v) if isinstance(v, Path) else v for name, v in values.items()}
    waveform = plain.pop("waveform", "tristate")
    return Setup.load(Physics.of(plain), waveform)


def cases(kind: str) -> list[str]:
    """Names of all reference files of one kind, such as ``single_01``."""
    return sorted(file.stem for file in REFERENCE.glob(f"{kind}_[0-9]*.npz"))


def load(name: str) -> dict[str, NDArray[np.float64]]:
    with np.load(REFERENCE / f"{name}.npz", allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def relative_l2(value: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(value - truth) / np.linalg.norm(truth))


def assert_halving_the_step_changes_little(
    radius_m: NDArray[np.float64], depth_m: float, pressure_pa: float, setup: Setup
) -> None:
    """Solve bubbles (B,) under one drive at the step of a setup and at half of it."""
    finer = dataclasses.replace(setup, sampling_rate_hz=2 * setup.simulation_rate_hz)
    drive = np.repeat(pressure_at(depth_m, pressure_pa, setup), len(radius_m), axis=0)
    samples = np.arange(drive.shape[1])
    finer_drive = CubicSpline(samples, drive, axis=1)(np.arange(2 * len(samples) - 1) / 2)
    strain, _ = oscillate(radius_m, drive, setup)
    finer_strain, _ = oscillate(radius_m, np.asarray(finer_drive), finer)
    for i, radius in enumerate(radius_m):
        assert relative_l2(strain[i], finer_strain[i, ::2]) < 1e-3, f"{radius} m"
