"""What a run leaves behind: never overwritten, of known origin, the same every time."""

import contextlib
import re
import shutil
import socket
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

import bubbleloc
from bubbleloc.console import config_folder
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.store import fingerprint
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.files import exclusive, explain_write_errors, write_yaml
from bubbleloc.models import provenance, run_folder, runs
from bubbleloc.training import learner, session
from bubbleloc.training.logs import METRICS
from tests.conftest import planned, without_pictures
from tests.training.test_learner import SMALL, settings


class NoNetwork(socket.socket):
    """A socket that reaches no other machine."""

    def connect(self, address):
        assert self.family == socket.AF_UNIX, f"tried to reach {address}"
        super().connect(address)


def no_names(*arguments, **_):
    raise AssertionError(f"looked up {arguments}")


@pytest.fixture(autouse=True, scope="module")
def nothing_phones_home():
    """All tests here run without a network, and whoever tries to reach one fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", NoNetwork)
        patch.setattr(socket, "getaddrinfo", no_names)
        yield


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    session.start(settings(tiny, *SMALL), folder)
    return folder


def test_a_run_says_where_it_comes_from(tiny, trained):
    record = provenance.read(trained)
    assert record["seed"] == 0
    expected = {split: fingerprint(tiny / f"{split}.h5") for split in ("train", "val", "test")}
    assert record["dataset"] == expected
    (session,) = record["sessions"]
    assert session["packages"]["torch"] == torch.__version__
    assert session["command"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", session["started"])


def test_git_revision_and_uncommitted_changes_are_noted(tmp_path):
    assert provenance.git_state(tmp_path) is None  # an installed package
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-m", "Begin")
    state = provenance.git_state(tmp_path)
    assert state is not None
    assert re.fullmatch("[0-9a-f]{40}", state["revision"])
    assert state["dirty"] is False
    (tmp_path / "code.py").write_text("2")
    assert provenance.git_state(tmp_path) == {**state, "dirty": True}


def git(folder, *arguments):
    author = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_run_is_never_overwritten(tiny, trained):
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"holds a run; go on with resume="):
        session.start(settings(tiny, *SMALL, "seed=1"), trained)
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_runs_started_in_the_same_second_do_not_collide(tiny, tmp_path):
    config = OmegaConf.load(config_folder() / "train.yaml")
    template = OmegaConf.to_container(config, resolve=False)["hydra"]["run"]["dir"]
    assert template.endswith("-${unique:}")  # random, for each process
    with (
        exclusive(tmp_path / "run" / provenance.RUN_FILE),
        pytest.raises(InputError, match="being written by another process"),
    ):
        session.start(settings(tiny, *SMALL), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_evaluate_refuses_data_that_changed_unless_told(tiny, trained, tmp_path):
    other = tmp_path / "data"
    plan = planned(other, "data.seed=7")
    ensure_dataset(plan, workers=1)
    config = runs.open_run(trained).config
    moved = shutil.copytree(trained, tmp_path / "run")
    plain = config.plain()
    plain["data"] |= {"folder": str(other), "seed": 7}
    write_yaml(moved / run_folder.CONFIG_FILE, plain)
    with pytest.raises(InputError, match=r"val.h5 is not the data .* give folder=.* all the same"):
        evaluate_run(moved, baselines=[])
    with pytest.raises(InputError, match=r"train.h5 is not the data .* restore it, or train anew"):
        session.resume(moved)
    with without_pictures():
        assert evaluate_run(moved, baselines=[], folder=other).page.is_file()


def test_data_that_an_earlier_version_noted_are_taken_and_other_radii_are_not(
    tiny, trained, tmp_path
):
    run, data = tmp_path / "run", shutil.copytree(tiny, tmp_path / "data")
    record = provenance.read(trained)
    write_yaml(run / provenance.RUN_FILE, record)
    with h5py.File(data / "val.h5", "r+") as file:
        file["bubbles/radius_m"][...] *= 2
    with pytest.raises(InputError, match=r"val.h5 is not the data"):
        provenance.check_dataset(run, data, ("train", "val"), "restore it")
    before = {split: noted.partition("-")[0] for split, noted in record["dataset"].items()}
    write_yaml(run / provenance.RUN_FILE, {**record, "dataset": before})
    provenance.check_dataset(run, tiny, ("train", "val", "test"), "restore it")


def test_a_damaged_run_file_is_named(trained, tmp_path):
    (tmp_path / "run.yaml").write_text("dataset: [")
    with pytest.raises(InputError, match=r"run.yaml is damaged"):
        provenance.read(tmp_path)


def test_the_same_seed_gives_the_same_metrics(tmp_path):
    """Simulated, trained and evaluated twice, byte for byte; and no network is needed."""
    results = []
    for name in ("first", "second"):
        plan = planned(tmp_path / name, "data.seed=3")
        ensure_dataset(plan, workers=1 if name == "first" else 2)
        folder = tmp_path / f"{name} run"
        config = settings(plan.folder, *SMALL, "data.seed=3")
        session.start(config, folder)
        with without_pictures() if results else contextlib.nullcontext():  # one set shows it
            report = evaluate_run(folder, baselines=[]).page.parent
        files = [folder / METRICS, *(report / f"{n}.csv" for n in ("f1_test", "f1_sweep"))]
        results.append([path.read_bytes() for path in files])
    assert results[0] == results[1]


# --- trainings that diverge


def diverge(monkeypatch, where, at=3):
    """Let a training meet a NaN in a batch, by default the last."""
    seen = []

    def spoiled(self, batch, batch_index):
        loss = original(self, batch, batch_index)
        seen.append(loss)
        if len(seen) != at + 1:
            return loss
        if where == "loss":
            return loss * float("nan")
        return loss + 0 * (self.network.model[1].bias * 0).sqrt().sum()  # finite, gradient not

    original = learner.Learner.training_step
    monkeypatch.setattr(learner.Learner, "training_step", spoiled)


@pytest.mark.parametrize("where", ["loss", "gradients"])
def test_a_diverging_training_stops_with_a_diagnosis(tiny, tmp_path, monkeypatch, where):
    diverge(monkeypatch, where)
    message = rf"training diverged: {where} NaN or infinite at step 3, epoch 1 \(training signals"
    with pytest.raises(InputError, match=message) as stopped:
        session.start(settings(tiny, *SMALL), tmp_path / "run")
    assert "\n" not in str(stopped.value)
    report = yaml.safe_load((tmp_path / "run/diverged.yaml").read_text())
    assert (report["not_finite"], report["step"], report["epoch"], report["batch"]) == (
        where,
        3,
        1,
        1,
    )
    saved = torch.load(tmp_path / "run/diverged.pt", weights_only=True)
    assert len(report["crops"]) == len(saved["batch"]["rf"]) == 16
    assert_crops_are_those_of_the_batch(tiny, report["crops"], saved["batch"]["rf"])
    last = run_folder.read_checkpoint(run_folder.checkpoint_path(tmp_path / "run", "last"))
    assert last["epoch"] == 0
    assert all(torch.isfinite(value.float()).all() for value in last["state_dict"].values())


def test_weights_that_are_no_numbers_are_not_kept(tiny, tmp_path, monkeypatch):
    def spoil(self, outputs, batch, batch_index):
        if (self.current_epoch, batch_index) == (1, 1):
            torch.nn.init.constant_(self.network.model[1].bias, float("inf"))

    monkeypatch.setattr(learner.Learner, "on_train_batch_end", spoil)
    with pytest.raises(InputError, match="diverged: weights NaN or infinite at step 4, epoch 1"):
        session.start(settings(tiny, *SMALL), tmp_path / "run")
    last = run_folder.read_checkpoint(run_folder.checkpoint_path(tmp_path / "run", "last"))
    assert last["epoch"] == 0


def test_of_several_batches_in_a_step_the_one_that_diverges_is_named(tiny, tmp_path, monkeypatch):
    diverge(monkeypatch, "loss", at=2)
    with pytest.raises(InputError, match="training diverged: loss"):
        session.start(settings(tiny, *SMALL, "trainer.accumulate_grad_batches=2"), tmp_path / "run")
    report = yaml.safe_load((tmp_path / "run/diverged.yaml").read_text())
    assert (report["step"], report["epoch"], report["batch"]) == (1, 1, 0)
    saved = torch.load(tmp_path / "run/diverged.pt", weights_only=True)
    assert_crops_are_those_of_the_batch(tiny, report["crops"], saved["batch"]["rf"])


def assert_crops_are_those_of_the_batch(folder, crops, volts):
    with h5py.File(folder / "train.h5") as file:
        for crop, line in zip(crops, volts, strict=True):
            np.testing.assert_array_equal(file["rf"][crop["signal"]], line.squeeze().numpy())
            assert 0 <= crop["start"] <= line.shape[-1] - crop["samples"]


def test_writing_names_the_file_that_cannot_be_written(tmp_path):
    with (
        pytest.raises(InputError, match=r"cannot write .*nowhere"),
        explain_write_errors(tmp_path / "nowhere"),
    ):
        (tmp_path / "no" / "where").write_text("")


def test_a_training_starts_from_the_weights_of_another(tiny, tmp_path):
    small = [*SMALL, "optimizer.schedule=constant", "optimizer.lr=1e-30"]  # weights stay
    session.start(settings(tiny, *small), tmp_path / "a")
    session.start(settings(tiny, *small, f"start_from={tmp_path / 'a'}", "seed=5"), tmp_path / "b")
    origin, copy = (runs.open_run(tmp_path / name, "last").network for name in "ab")
    for weight, same in zip(origin.parameters(), copy.parameters(), strict=True):
        torch.testing.assert_close(weight, same)
    other = settings(tiny, "model=ckcnn_local", "kernel=15", f"start_from={tmp_path / 'a'}")
    with pytest.raises(InputError, match="its network is another one"):
        session.start(other, tmp_path / "c")


def test_a_network_is_loaded_with_its_card(trained):
    network, card = bubbleloc.load(trained)
    assert not network.training
    assert network.parameter_count == card.parameters
    released, card = bubbleloc.load("small")
    assert released.parameter_count == card.parameters
    assert runs.find_runs("small")[0].name == "bubbleloc:small"


def test_a_run_directory_goes_before_a_network_of_the_package(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, "small")
    assert runs.open_run("small").folder == Path("small")
    assert runs.open_run("bubbleloc:small").folder == Path("outputs/bubbleloc-small")


@pytest.mark.parametrize("model", ["ckcnn", "ckcnn_dilated", "ckcnn_multirate"])
def test_a_configuration_that_asks_for_gigabytes_is_refused_before_they_are_taken(tiny, model):
    """The smallest of them, of 1.4e9 weights, would take 5.6 GB."""
    huge = settings(tiny, "data=tiny", f"model={model}", "hidden_channels=4096")
    with pytest.raises(InputError, match=r"model: .* weights, more than .*; give fewer channels"):
        run_folder.network_of(huge)
