"""The arrays of the published simulator, where they lie beside the checkout."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

CHECKOUT = Path(__file__).resolve().parents[2]
REFERENCE = CHECKOUT.parent / "shared" / "reference"

needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="no reference arrays in shared/reference beside the checkout"
)


def cases(kind: str) -> list[str]:
    """Names of all reference files of one kind, such as ``single_01``."""
    return sorted(file.stem for file in REFERENCE.glob(f"{kind}_[0-9]*.npz"))


def load(name: str) -> dict[str, NDArray[np.float64]]:
    with np.load(REFERENCE / f"{name}.npz", allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def relative_l2(value: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(value - truth) / np.linalg.norm(truth))
