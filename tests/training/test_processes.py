"""Several processes: one training shared by two, a sweep side by side, threads."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from bubbleloc import process
from bubbleloc.console.settings.training import Loader
from bubbleloc.data.batches import CropSampler
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.store import open_dataset
from bubbleloc.models import provenance
from bubbleloc.models.runs import open_run
from bubbleloc.training import session
from bubbleloc.training.logs import METRICS
from tests.conftest import run
from tests.training.test_learner import SMALL, settings


@pytest.mark.parametrize("model", ["ckcnn_residual", pytest.param("ckcnn", marks=pytest.mark.slow)])
def test_two_processes_train_as_one(tiny, tmp_path, model):
    """Same losses within rounding; on CPUs, batch normalisation sees the lines of one process."""
    exact = model == "ckcnn_residual"  # which has layer normalisation
    place = [f"data.folder={tiny}", "trainer.accelerator=cpu", f"model={model}"]
    two = run(tmp_path, "train", *SMALL, *place, "trainer=ddp", "hydra.run.dir=two")
    assert two.returncode == 0, two.stderr
    assert two.stdout.strip() == "run: two"
    assert "Warning" not in two.stderr
    session.start(settings(tiny, *SMALL, f"model={model}"), tmp_path / "one")
    alone, shared = (pd.read_csv(tmp_path / name / METRICS) for name in ("one", "two"))
    assert list(alone["epoch"]) == list(shared["epoch"])
    np.testing.assert_allclose(
        shared["train_loss"], alone["train_loss"], rtol=1e-4 if exact else 0.05
    )
    if exact:
        np.testing.assert_allclose(shared["val_loss"], alone["val_loss"], rtol=2e-3)
        np.testing.assert_allclose(shared["val_f1"], alone["val_f1"], atol=0.01)
    written = {path.name for path in (tmp_path / "two").rglob("*") if "tfevents" not in path.name}
    expected = {path.name for path in (tmp_path / "one").rglob("*") if "tfevents" not in path.name}
    assert written == expected
    assert len(provenance.read(tmp_path / "two")["sessions"]) == 1
    assert open_run(tmp_path / "two").card.thresholds  # in one process again


def test_what_one_process_refuses_is_said_once(tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "data")
    lines = RFDataset(folder / "train.h5")
    loader = Loader(crop=500, crops_per_signal=1)
    bad = next(iter(CropSampler(lines, loader, seed=0, rank=1, processes=2))).signal
    with open_dataset(folder / "train.h5", "r+") as file:
        file["rf"][bad, 100] = np.nan
    place = [f"data.folder={folder}", "trainer=ddp", "trainer.accelerator=cpu"]
    alone = ["loader.crops_per_signal=1", "loader.batch_size=2", "seed=0"]  # the other one reads on
    refused = run(tmp_path, "train", *SMALL, *alone, *place)
    assert refused.returncode == 2, refused.stderr
    assert f"signal {bad} has NaN or infinite volts" in refused.stderr
    assert refused.stderr.count(f"signal {bad}") == 1
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("processes", "crops"), [(2, 4), (3, 3), (5, 1)])
def test_shares_of_a_batch_make_up_the_batch(tiny, processes, crops):
    lines, loader = RFDataset(tiny / "train.h5"), Loader(crop=500, crops_per_signal=crops)
    whole = list(CropSampler(lines, loader, seed=1))
    shares = [
        list(CropSampler(lines, loader, 1, rank=rank, processes=processes))
        for rank in range(processes)
    ]
    assert len({len(share) for share in shares}) == 1
    dealt = [crop for together in zip(*shares, strict=True) for crop in together]
    assert dealt[: len(whole)] == whole
    again = [
        crop._replace(draw=first.draw)
        for crop, first in zip(dealt[len(whole) :], whole, strict=False)
    ]
    assert again == whole[: len(again)]  # the same crops, with noise of their own


def test_shares_have_crops_of_one_length_in_a_batch(tiny):
    lines = RFDataset(tiny / "train.h5")
    loader = Loader(crop=500, shortest_crop=100, crops_per_signal=3, batch_size=4)
    one, other = (list(CropSampler(lines, loader, 1, rank=rank, processes=2)) for rank in range(2))
    for crops in zip(one[::2], one[1::2], other[::2], other[1::2], strict=True):
        assert len({crop.samples for crop in crops}) == 1


def test_a_sweep_side_by_side_goes_on_after_a_job_that_diverges(tiny, tmp_path):
    swept = run(
        tmp_path,
        "train",
        "-m",
        *SMALL,
        f"data.folder={tiny}",
        "trainer.gradient_clip_val=null",
        "optimizer.schedule=constant",
        "optimizer.lr=1e30,1e-3",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "hydra.sweep.dir=sweep",
    )
    assert swept.returncode == 2, swept.stderr
    assert "training diverged" in swept.stderr.strip().splitlines()[-1]
    assert "Traceback" not in swept.stderr
    assert (tmp_path / "sweep/0/diverged.yaml").is_file()
    assert pd.read_csv(tmp_path / "sweep/1" / METRICS)["train_loss"].count() == 2
    assert "optimizer.lr=0.001" in provenance.read(tmp_path / "sweep/1")["sessions"][0]["command"]


def test_threads_are_no_more_than_the_cores_one_may_use(tmp_path, monkeypatch):
    limit = tmp_path / "cpu.max"
    monkeypatch.setattr(process, "CGROUP_LIMIT", limit)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert process.available_cores() == 8
    for said, cores in (("max 100000", 8), ("250000 100000", 3), ("10000 100000", 1)):
        limit.write_text(said)
        assert process.available_cores() == cores
    limit.write_text("400000 100000")
    for name in process.THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert process.threads_per_process(processes=2) == 2
    assert process.threads_per_process(processes=1, readers=3) == 1
    process.limit_threads()
    assert os.environ["NUMBA_NUM_THREADS"] == "4"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # a user's limit counts
    process.limit_threads()
    assert process.threads_per_process(processes=1) == 2
