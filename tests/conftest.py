"""What tests share: one thread per process, a tiny simulated dataset, the published files."""

import os
from pathlib import Path

import pytest
import torch

from bubbleloc.data.generate import DatasetPlan, ensure_dataset

# Spinning threads of side-by-side processes stall each other; the variables are for children.
torch.set_num_threads(1)
os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def tiny_plan(tmp_path_factory: pytest.TempPathFactory) -> DatasetPlan:
    """The plan of ``data=tiny``, simulated once for all tests."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    plan = DatasetPlan("tiny", folder, {"train": 8, "val": 4, "test": 4})
    ensure_dataset(plan, workers=1)
    return plan


@pytest.fixture(scope="session")
def tiny(tiny_plan: DatasetPlan) -> Path:
    """The folder of the tiny dataset."""
    return tiny_plan.folder


@pytest.fixture(scope="session")
def published() -> Path:
    """The folder of published weights, where there is one beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "published"
    if not folder.is_dir():
        pytest.skip("the published weights are not here (../shared/published)")
    return folder
