"""Trainings that are killed, interrupted and resumed end where an uninterrupted one ends."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from bubbleloc.errors import InputError
from bubbleloc.files import exclusive, write_yaml
from bubbleloc.models import provenance, run_folder
from bubbleloc.training import learner, session
from bubbleloc.training.logs import METRICS
from tests.training.test_learner import SMALL, settings, weights

LONG = ("data=tiny", "hidden_channels=3", "kernel=15", "trainer.max_epochs=5")


def start(cwd: Path, *arguments: str, module: str = "train") -> subprocess.Popen[str]:
    """Start a command and return while it runs."""
    command = [sys.executable, "-m", f"bubbleloc.{module}", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in background
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def same_weights(a: Path, b: Path) -> bool:
    one, other = weights(a), weights(b)
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """A run of five epochs that nothing disturbed, trained on the CPU."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    session.start(settings(tiny, *LONG), folder)
    return folder


def arguments(tiny: Path, folder: Path) -> list[str]:
    place = [f"data.folder={tiny}", f"hydra.run.dir={folder}", "trainer.accelerator=cpu"]
    return [*LONG, *place]


@pytest.mark.parametrize(
    ("kill", "code", "said"),
    [
        (signal.SIGKILL, -9, None),
        (signal.SIGTERM, 143, "terminated; go on with: bubbleloc train resume=cut"),
        (signal.SIGINT, 130, "interrupted; go on with: bubbleloc train resume=cut"),
    ],
)
def test_a_stopped_training_resumes_to_the_same_weights_and_log(
    tiny, whole, tmp_path, kill, code, said
):
    process = start(tmp_path, *arguments(tiny, Path("cut")))
    wait_for(tmp_path / "cut/checkpoints/last.ckpt", process)
    process.send_signal(kill)
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    if said:
        assert errors.strip().splitlines()[-1] == said
    session.resume(tmp_path / "cut")
    assert same_weights(whole, tmp_path / "cut")
    assert same_weights_of_best(whole, tmp_path / "cut")
    assert (tmp_path / "cut" / METRICS).read_text() == (whole / METRICS).read_text()
    assert len(provenance.read(tmp_path / "cut")["sessions"]) == 2


@pytest.mark.slow
def test_a_killed_training_on_streamed_lines_resumes_to_the_same_weights_and_log(tiny, tmp_path):
    streamed = ("data.stream=true", "noise=[0.02,0.5]", "augmentation.slope_db=12")
    session.start(settings(tiny, *LONG, *streamed), tmp_path / "whole")
    process = start(tmp_path, *arguments(tiny, Path("cut")), *streamed)
    wait_for(tmp_path / "cut/checkpoints/last.ckpt", process)
    process.kill()
    process.communicate(timeout=300)
    session.resume(tmp_path / "cut")
    assert same_weights(tmp_path / "whole", tmp_path / "cut")
    assert (tmp_path / "cut" / METRICS).read_text() == (tmp_path / "whole" / METRICS).read_text()


def test_a_training_stops_between_batches(tiny, tmp_path, monkeypatch):
    """Within one, libraries may hold locks, and Python may lose the exception."""
    steps = []

    def interrupted(self, batch, batch_index):
        signal.raise_signal(signal.SIGINT)
        steps.append(batch_index)
        return training_step(self, batch, batch_index)

    training_step = learner.Learner.training_step
    monkeypatch.setattr(learner.Learner, "training_step", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            session.start(settings(tiny, *SMALL), tmp_path / "run")
    finally:
        signal.signal(signal.SIGINT, before)
    assert steps == [0]
    assert "resume=" in stopped.value.__notes__[0]


def same_weights_of_best(a: Path, b: Path) -> bool:
    one, other = weights(a, "best"), weights(b, "best")
    return all(torch.equal(one[n], other[n]) for n in one)


def test_a_training_stopped_before_its_first_checkpoint_starts_anew(
    tiny, whole, tmp_path, monkeypatch
):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(learner.Learner, "training_step", stop)
        with pytest.raises(KeyboardInterrupt):
            session.start(settings(tiny, *LONG), tmp_path / "cut")
    assert not list((tmp_path / "cut/checkpoints").iterdir())
    session.resume(tmp_path / "cut")
    assert same_weights(whole, tmp_path / "cut")
    assert (tmp_path / "cut" / METRICS).read_text() == (whole / METRICS).read_text()


def test_the_last_checkpoint_is_of_the_last_epoch_even_if_not_the_best(whole):
    def epoch(which: str) -> int:
        return run_folder.read_checkpoint(run_folder.checkpoint_path(whole, which))["epoch"]

    assert (epoch("previous"), epoch("last")) == (3, 4)


@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole, tmp_path, caplog, damage):
    cut = shutil.copytree(whole, tmp_path / "cut")
    last = cut / "checkpoints/last.ckpt"
    if damage == "truncated":
        last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    else:  # killed between two renames
        last.unlink()
    session.resume(cut)
    assert same_weights(whole, cut)
    assert ("last.ckpt is damaged" in caplog.text) == (damage == "truncated")
    assert (cut / METRICS).read_text() == (whole / METRICS).read_text()


@pytest.mark.parametrize("ahead", ["", "4,9,0.1", "4,9,0.1,,\r\n"])
def test_rows_of_epochs_that_come_again_are_removed(whole, tmp_path, ahead):
    """A process may die between its log and its checkpoint, or while it writes a row."""
    cut = shutil.copytree(whole, tmp_path / "cut")
    (cut / "checkpoints/last.ckpt").unlink()  # the one before is of epoch 3
    log = (cut / METRICS).read_bytes().splitlines(keepends=True)
    (cut / METRICS).write_bytes(b"".join(log[:-2]) + ahead.encode())
    session.resume(cut)
    assert (cut / METRICS).read_bytes() == (whole / METRICS).read_bytes()


def test_two_damaged_checkpoints_are_refused(whole, tmp_path):
    cut = shutil.copytree(whole, tmp_path / "cut")
    for name in ("last", "previous"):
        (cut / f"checkpoints/{name}.ckpt").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"previous.ckpt is damaged.*; remove .*checkpoints"):
        session.resume(cut)


def test_a_full_disk_keeps_the_checkpoint_before(tiny, tmp_path, monkeypatch):
    save, saved = torch.save, []

    def full(content, file):
        saved.append(file.name)
        if len([name for name in saved if "last" in name]) == 2:
            file.write(b"half of a checkp")
            raise OSError(28, "No space left on device")
        save(content, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InputError, match=r"last.ckpt: No space left .* what was finished is kept"):
        session.start(settings(tiny, *SMALL), tmp_path / "run")
    assert (
        run_folder.read_checkpoint(run_folder.checkpoint_path(tmp_path / "run", "last"))["epoch"]
        == 0
    )


def test_a_moved_run_keeps_its_best_checkpoint(tiny, tmp_path, monkeypatch):
    def worse_every_epoch(self):
        self.log("val_f1", 1.0 - self.current_epoch / 10)

    monkeypatch.setattr(learner.Learner, "on_validation_epoch_end", worse_every_epoch)
    monkeypatch.setattr(learner.Learner, "validation_step", lambda *_: None)
    config = settings(tiny, *SMALL, "optimizer.schedule=constant")
    session.start(config, tmp_path / "here")
    best = weights(tmp_path / "here", "best")
    moved = (tmp_path / "here").rename(tmp_path / "there")
    plain = config.plain()
    plain["trainer"]["max_epochs"] = 3
    write_yaml(moved / run_folder.CONFIG_FILE, plain)
    session.resume(moved)
    assert all(torch.equal(best[n], value) for n, value in weights(moved, "best").items())


def test_a_run_in_use_is_not_resumed_a_second_time(whole, tmp_path):
    cut = shutil.copytree(whole, tmp_path / "cut")
    with (
        exclusive(cut / provenance.RUN_FILE),
        pytest.raises(InputError, match="being written by another process"),
    ):
        session.resume(cut)


def test_a_terminated_command_leaves_nothing_half_written(whole, tmp_path):
    np.lib.format.open_memmap(tmp_path / "rf.npy", "w+", np.float32, (20_000, 8446))  # sparse
    place = [f"run={whole}", "input=rf.npy", "output=found.csv", "threshold=0.5"]
    place += ["sampling_rate_hz=62.5e6"]
    process = start(tmp_path, *place, module="localize")
    while not list(tmp_path.glob(".*found.csv*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.terminate()
    errors = process.communicate(timeout=300)[1]
    assert process.returncode == 143, errors
    assert errors.strip().splitlines()[-1] == "terminated; finished work is kept"
    assert [path.name for path in tmp_path.iterdir()] == ["rf.npy"]


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.08 * step for step in range(24)])
def test_sigkill_at_any_moment_is_survived(tiny, whole, tmp_path, delay):
    process = start(tmp_path, *arguments(tiny, Path("cut")))
    wait_for(tmp_path / "cut/config.yaml", process)
    time.sleep(delay)
    process.kill()
    process.communicate()
    session.resume(tmp_path / "cut")
    assert same_weights(whole, tmp_path / "cut")
    assert (tmp_path / "cut" / METRICS).read_text() == (whole / METRICS).read_text()
