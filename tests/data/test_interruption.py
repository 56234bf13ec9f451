"""Killed, out of disk, or twice at once: nothing simulated is lost and nothing half-written stays.

Children start at once: they are forked from a process that has imported and compiled everything,
see `warm`. Not from this one, whose threads and locks they would inherit in any state.
"""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from tqdm import tqdm

from bubbleloc.console.settings.data import Signals
from bubbleloc.data import store
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.importing import import_folder
from bubbleloc.errors import InputError
from bubbleloc.files import exclusive
from tests.conftest import changed, run
from tests.data.test_generate import assert_same_content
from tests.published import signal as signal_of
from tests.published import write_text

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.data.warm"])


@pytest.fixture
def plan(tiny_plan, tmp_path):
    return changed(tiny_plan, folder=str(tmp_path / "tiny")).only(["train"])


def work(plan, before):
    assert "tests.data.warm" in sys.modules  # the server passes over what it cannot import
    assert not hasattr(tqdm, "_lock")  # the child makes one that no other process waits for
    if before:
        before()
    ensure_dataset(plan, workers=1)


def simulating(plan, before=None):
    child = processes.Process(target=work, args=(plan, before))
    child.start()
    return child


def exit_code(child):
    """Return how a child ended; wait for it, but not for ever."""
    child.join(300)
    code = child.exitcode
    child.kill()
    assert code is not None, "the child hangs"
    return code


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def files_of(plan):
    return sorted(path.name for path in Path(plan.folder).iterdir())


def test_killed_at_five_random_moments(plan, tmp_path):
    plan = changed(plan, signals=Signals(train=32, val=4, test=4))
    whole = changed(plan, folder=str(tmp_path / "whole"))
    ensure_dataset(whole, workers=1)
    delays = np.random.default_rng().uniform(0, 0.15, 5)
    kills = 0
    for delay in delays:
        child = simulating(plan)
        time.sleep(delay)
        child.kill()
        kills += exit_code(child) == -signal.SIGKILL
    ensure_dataset(plan, workers=1)
    assert kills >= 2, delays
    assert_same_content(plan.path("train"), whole.path("train"))
    assert files_of(plan) == ["train.h5"], delays


def die_at_call(number, name):
    """Kill this process when ``store.<name>`` is called for the ``number``-th time."""
    original, calls = getattr(store, name), []

    def deadly(*arguments, **named):
        calls.append(0)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    setattr(store, name, deadly)


@pytest.mark.parametrize(
    ("number", "name"), [(3, "_allocate"), (1, "append_truth"), (1, "reserve_lines")]
)
def test_killed_while_the_file_is_created(tiny_plan, plan, number, name):
    child = simulating(plan, partial(die_at_call, number, name))
    assert exit_code(child) == -signal.SIGKILL
    temporary, lock = files_of(plan)
    assert temporary.endswith(f"-{child.pid}-train.h5.partial")
    assert lock == "train.h5.lock"
    ensure_dataset(plan, workers=1)
    assert_same_content(plan.path("train"), tiny_plan.path("train"))
    assert files_of(plan) == ["train.h5"]


def test_a_kill_keeps_what_was_simulated(tiny_plan, plan):
    child = simulating(plan, partial(die_at_call, 5, "write_line"))
    assert exit_code(child) == -signal.SIGKILL
    building = store.partial_path(plan.path("train"))
    with h5py.File(building) as file:
        done = file["done"][:]
        assert done.sum() == 4
        expected = h5py.File(tiny_plan.path("train"))["rf"][:]
        np.testing.assert_array_equal(file["rf"][:][done], expected[done])


@pytest.mark.slow
@pytest.mark.parametrize("kill", [os.killpg, os.kill], ids=["group", "parent"])
def test_the_command_killed_with_its_workers_or_alone(tiny_plan, plan, kill):
    """The command as users run it, with worker processes; none of them is left behind."""
    arguments = ["data=tiny", f"data.folder={plan.folder}", "splits=[train]", "workers=2"]
    command = [sys.executable, "-m", "bubbleloc.simulate", *arguments]
    child = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    wait_for(store.partial_path(plan.path("train")).exists)
    time.sleep(np.random.default_rng().uniform(0, 2))
    kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=300)  # ends when the last of them has
    finished = run(plan.folder.parent, "simulate", *arguments)
    assert finished.returncode == 0, finished.stderr
    assert_same_content(plan.path("train"), tiny_plan.path("train"))
    assert files_of(plan) == ["train.h5"]


def refused_line(plan):
    """Simulate by command what cannot be simulated, and return the one line it says."""
    arguments = ["data=tiny", f"data.folder={plan.folder}", "splits=[train]", "workers=1"]
    refused = run(plan.folder.parent, "simulate", *arguments)
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    return line


def test_a_second_writer_is_refused_while_the_file_is_created(plan):
    with exclusive(plan.path("train")):
        assert "train.h5 is being written by another process" in refused_line(plan)
    assert not plan.folder.exists()


def test_a_second_writer_is_refused_while_the_file_is_filled(tiny_plan, plan):
    building = store.partial_path(plan.path("train"))
    building.parent.mkdir()
    building.write_bytes(tiny_plan.path("train").read_bytes())
    with store.open_dataset(building, "r+"):
        assert "train.h5.partial is in use by another process" in refused_line(plan)
    assert files_of(plan) == ["train.h5.partial"]


def no_room(stderr):
    """Let no file grow beyond 100 kB: the kernel refuses it, as it does when a disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    sys.stderr = stderr.open("w")


def test_full_disk_at_the_start_leaves_nothing(plan, tmp_path):
    child = simulating(plan, partial(no_room, tmp_path / "stderr"))
    assert exit_code(child) == 1
    said = (tmp_path / "stderr").read_text().strip().splitlines()[-1]
    assert "cannot write" in said
    assert "file too large" in said.lower()
    assert not plan.folder.exists()


def test_disk_full_half_way_keeps_what_was_simulated(tiny_plan, plan, monkeypatch):
    original = h5py.Dataset.__setitem__
    lines = []

    def fills_up(dataset, place, values):
        if dataset.name == "/rf":
            lines.append(place)
            if len(lines) == 4:
                raise OSError(28, "No space left on device")
        original(dataset, place, values)

    monkeypatch.setattr(h5py.Dataset, "__setitem__", fills_up)
    with pytest.raises(InputError, match="No space left on device; what was finished is kept"):
        ensure_dataset(plan, workers=1)
    monkeypatch.undo()
    with store.open_dataset(store.partial_path(plan.path("train"))) as file:
        assert file["done"][:].sum() == 3
    ensure_dataset(plan, workers=1)
    assert_same_content(plan.path("train"), tiny_plan.path("train"))


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null/nowhere"])
def test_unwritable_folders(plan, folder):
    with pytest.raises(InputError, match=f"cannot write {folder}/train.h5"):
        ensure_dataset(changed(plan, folder=folder))


def test_folders_without_permission(plan, tmp_path, monkeypatch):
    if os.geteuid():
        tmp_path.chmod(0o500)
    else:  # root may write anywhere

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"Permission denied.* run the same command again"):
        ensure_dataset(plan)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("suffix", ["", ".partial"])
@pytest.mark.parametrize("keep", [0, 700, 20_000, 250_000])
def test_truncated_files_are_named_and_left_alone(tiny_plan, plan, suffix, keep):
    plan.path("train").parent.mkdir()
    broken = plan.path("train").with_name(f"train.h5{suffix}")
    broken.write_bytes(tiny_plan.path("train").read_bytes()[:keep])
    with pytest.raises(InputError, match=f"{broken.name}.*remove it") as caught:
        ensure_dataset(plan)
    assert "\n" not in str(caught.value)
    assert broken.stat().st_size == keep


def test_a_foreign_file_is_named_and_left_alone(plan):
    plan.path("train").parent.mkdir()
    with h5py.File(plan.path("train"), "w") as file:
        file["image"] = np.zeros(3)
    before = plan.path("train").read_bytes()
    with pytest.raises(InputError, match="not a bubbleloc dataset"):
        ensure_dataset(plan)
    assert plan.path("train").read_bytes() == before


@pytest.mark.slow
def test_imports_killed_at_random_moments_leave_all_or_nothing(tmp_path):
    (tmp_path / "source").mkdir()
    for number in range(40):
        write_text(tmp_path / f"source/{number}.txt", signal_of(number))
    output = tmp_path / "x/train.h5"
    work = {"target": import_folder, "args": (tmp_path / "source", output)}
    for _ in range(2):  # the first one starts the server of processes, too
        started, whole = time.monotonic(), processes.Process(**work)
        whole.start()
        assert exit_code(whole) == 0
        duration, kills = time.monotonic() - started, 0
        output.unlink()
    for part in np.random.default_rng().uniform(0, 1, 8):
        child = processes.Process(**work)
        child.start()
        time.sleep(part * duration)
        child.kill()
        kills += exit_code(child) == -signal.SIGKILL
        if output.exists():
            assert store.open_dataset(output)["done"][:].sum() == 40
            output.unlink()
    assert kills >= 2
    assert import_folder(tmp_path / "source", output).imported == 40
    assert [path.name for path in output.parent.iterdir()] == ["train.h5"]
