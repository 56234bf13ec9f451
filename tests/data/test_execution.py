"""Worker processes and a cluster: the same datasets, and one line where there is none."""

import builtins
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from bubbleloc.data import execution
from bubbleloc.data.execution import run_workers
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.errors import InputError
from tests.conftest import changed, run
from tests.data.test_generate import assert_same_content


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**settings, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.slow
def test_a_cluster_gives_the_same_datasets(tiny_plan, tmp_path, cluster):
    plan = changed(tiny_plan, folder=str(tmp_path))
    scheduler_file = tmp_path / "scheduler.json"
    scheduler_file.write_text(json.dumps({"address": cluster.scheduler_address}))
    ensure_dataset(plan.only(["val"]), executor="dask", address=str(scheduler_file))
    assert_same_content(plan.path("val"), tiny_plan.path("val"))
    where = [f"data.folder={tmp_path}", "executor=dask", f"address={cluster.scheduler_address}"]
    simulated = run(tmp_path, "simulate", "data=tiny", "splits=[train,test]", *where)
    assert simulated.returncode == 0, simulated.stderr
    totals = re.findall(r"^simulate .*\d/(\d+) \[", simulated.stderr, re.MULTILINE)
    assert set(totals) == {"12"}, simulated.stderr  # one bar for both splits
    for split in ("train", "test"):
        assert_same_content(plan.path(split), tiny_plan.path(split))


def test_no_scheduler_is_one_line(tmp_path):
    pytest.importorskip("distributed")
    address = "tcp://127.0.0.1:9"
    where = [f"data.folder={tmp_path / 'tiny'}", "executor=dask", f"address={address}"]
    refused = run(tmp_path, "simulate", "data=tiny", *where)
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines() == [
        f"error: no Dask scheduler answers at {address}; check the address, or start one"
    ]
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["nowhere", "tcp://nowhere.invalid:8786"])
def test_what_is_no_scheduler_is_refused_in_time(address, monkeypatch):
    pytest.importorskip("distributed")
    assert execution.CONNECT_TIMEOUT_S < 30
    monkeypatch.setattr(execution, "CONNECT_TIMEOUT_S", 1)
    with (
        pytest.raises(InputError, match=f"no Dask scheduler answers at {address}"),
        run_workers(1, "dask", address=address),
    ):
        pass


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"executor": "threads"}, "choose one of processes, dask"),
        ({"executor": "dask"}, "needs address"),
        ({"executor": "dask", "address": "missing.json"}, "no scheduler file"),
        ({"address": "tcp://host:8786"}, "add executor=dask"),
    ],
)
def test_executors_that_make_no_sense(settings, message):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match=message), run_workers(1, **settings):
        pass


def test_dask_is_optional(monkeypatch):
    original = builtins.__import__

    def without(name, *arguments):
        if name == "distributed":
            raise ImportError(name)
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with (
        pytest.raises(InputError, match=r"pip install 'bubbleloc\[cluster\]'"),
        run_workers(1, "dask", address="tcp://127.0.0.1:9"),
    ):
        pass


def test_a_dead_worker_is_one_line(tiny_plan, tmp_path, monkeypatch):
    plan = changed(tiny_plan, folder=str(tmp_path)).only(["val"])
    monkeypatch.setattr("bubbleloc.data.generate._simulate", lambda *_: os._exit(1))
    with pytest.raises(InputError, match="a worker process died"):
        ensure_dataset(plan, workers=2)
    monkeypatch.undo()
    ensure_dataset(plan, workers=1)
    assert_same_content(plan.path("val"), tiny_plan.path("val"))


def test_workers_end_with_a_killed_parent():
    """Workers, their tracker and the parent hold the pipe, which ends when all of them have."""
    code = (
        "import time; from joblib import Parallel, delayed\n"
        "from bubbleloc.data.execution import run_workers\n"
        "with run_workers(2, workers=2):\n"
        "    naps = [delayed(time.sleep)(seconds) for seconds in (0, 900, 900)]\n"
        "    for _ in Parallel(return_as='generator')(naps):"
        "        print('working', flush=True)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout.readline()
    parent.send_signal(signal.SIGKILL)
    assert not parent.communicate(timeout=300)[0]  # long before their work is done
