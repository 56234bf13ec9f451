"""What tests share: one thread per process, a tiny simulated dataset, the published files."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from matplotlib.figure import Figure

from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.console.settings import Localize, Simulate, check
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.localization import Localized, localize_file

# Spinning threads of side-by-side processes stall each other; the variables are for children.
torch.set_num_threads(1)
os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def enabled_loggers() -> None:
    """Enable our loggers, which a command that ran in this process may have disabled."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("bubbleloc") and isinstance(logger, logging.Logger):
            logger.disabled = False


def planned(folder: str | Path, *overrides: str) -> DatasetPlan:
    """The plan that ``bubbleloc simulate data=tiny data.folder=… …`` makes."""
    config, _ = composed("simulate", ["data=tiny", f"data.folder={folder}", *overrides])
    return DatasetPlan(checked_settings(Simulate, config).data)


def changed(plan: DatasetPlan, **data: object) -> DatasetPlan:
    """A plan with other settings of the dataset."""
    return DatasetPlan(plan.settings.model_copy(update=data), plan.splits)


@pytest.fixture(scope="session")
def tiny_plan(tmp_path_factory: pytest.TempPathFactory) -> DatasetPlan:
    """The plan of ``data=tiny``, simulated once for all tests."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    plan = planned(folder)
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


@contextlib.contextmanager
def without_pictures() -> Iterator[None]:
    """Draw no figures, which takes seconds; pages show empty files in their place."""

    def save(figure: Figure, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(b"")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bubbleloc.report.document.Picture.draw", lambda _: Figure())
        patch.setattr("bubbleloc.report.document.save_figure", save)
        yield


@pytest.fixture
def no_pictures() -> Iterator[None]:
    """No figures are drawn in this test."""
    with without_pictures():
        yield


SMALL_RUN = ["data=tiny", "hidden_channels=4", "kernel=31", "trainer.max_epochs=2"]


def run(cwd: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the package in folder ``cwd``, as a user types it."""
    command = [sys.executable, "-m", f"bubbleloc.{module}", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two evaluated runs, outputs/a and outputs/b; training made the dataset."""
    folder = tmp_path_factory.mktemp("work")
    for name, model in (("a", "ckcnn"), ("b", "ckcnn_local")):
        where = f"outputs/{name}"
        trained = run(folder, "train", f"model={model}", *SMALL_RUN, f"hydra.run.dir={where}")
        assert trained.returncode == 0, trained.stderr
        assert trained.stdout.strip().splitlines()[-1] == f"run: {where}"
        evaluated = run(folder, "evaluate", f"run={where}")
        assert evaluated.returncode == 0, evaluated.stderr
    return folder


def localize_recording(
    run: str, input: str | Path, output: str | Path, **settings: Any
) -> Localized:
    """Localize a file with the settings that a user would type."""
    paths = {"run": str(run), "input": str(input), "output": str(output)}
    return localize_file(check(Localize, {**paths, **settings}))
