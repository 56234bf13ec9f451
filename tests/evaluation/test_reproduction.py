"""Sweeps that end with a table beside the published one, and go on where they were cut."""

import pandas as pd
import pytest
import yaml

from bubbleloc.console import config_folder
from tests.conftest import run

SWEEP = [
    "experiment=table1",
    "data=tiny",
    "kernel=65",
    "hidden_channels=2",
    "trainer.max_epochs=1",
    "hydra/launcher=joblib",  # both jobs find no data: one simulates, the other waits
    "hydra.launcher.n_jobs=2",
]


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    trained = run(folder, "train", *SWEEP)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.strip().splitlines()[-1] == "table: outputs/table1/table.md"
    return folder / "outputs/table1"


def test_runs_stand_beside_the_published_rows(reproduced):
    table = pd.read_csv(reproduced / "table.csv").set_index("kernel")
    assert table.loc[2111, "mean, study"] == 0.364
    for start in ("published", "balanced"):
        sweep = pd.read_csv(reproduced / f"{start}-65-seed0/report/f1_sweep.csv")
        best = sweep.loc[sweep["tolerance"] == 4, "f1"].max()
        assert table.loc[65, f"mean, {start} start"] == pytest.approx(best)
    assert (reproduced / "comparison/comparison.html").is_file()


@pytest.mark.slow
def test_the_same_command_goes_on_with_a_sweep(reproduced):
    kept = reproduced / "balanced-65-seed0/checkpoints/last.ckpt"
    cut = reproduced / "published-65-seed0"
    (cut / "checkpoints/last.ckpt").unlink()
    (cut / "report/report.json").unlink()
    before, written = (reproduced / "table.csv").read_bytes(), kept.stat().st_mtime
    again = run(reproduced.parents[1], "train", *SWEEP)
    assert again.returncode == 0, again.stderr
    assert kept.stat().st_mtime == written
    assert (reproduced / "table.csv").read_bytes() == before
    other = run(reproduced.parents[1], "train", *SWEEP, "loss.alpha=0.2")
    assert other.returncode == 2
    assert "holds a run" in other.stderr


def test_the_full_budget_is_the_published_one():
    full = yaml.safe_load((config_folder() / "budget/full.yaml").read_text())
    assert full["trainer"]["max_epochs"] == 1250
    assert full["optimizer"]["milestones"] == [1000]
