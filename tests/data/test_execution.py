"""Worker processes and a cluster: the same datasets, and one line where there is none."""

import builtins
import dataclasses
import json
import os
import re
import socket
import threading

import pytest

from bubbleloc.data import execution
from bubbleloc.data.execution import Executor
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.errors import InputError
from tests.conftest import run
from tests.data.test_generate import assert_same_content


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**settings, dashboard_address=None) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_datasets(tiny_plan, tmp_path, cluster):
    plan = dataclasses.replace(tiny_plan, folder=tmp_path)
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


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "tcp://nowhere.invalid:8786"])
def test_no_scheduler_is_one_line(tmp_path, address):
    pytest.importorskip("distributed")
    where = [f"data.folder={tmp_path / 'tiny'}", "executor=dask", f"address={address}"]
    refused = run(tmp_path, "simulate", "data=tiny", *where)
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines() == [
        f"error: no Dask scheduler answers at {address}; check the address, or start one"
    ]
    assert not any(tmp_path.iterdir())


@pytest.fixture(params=[b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def stranger(request):
    """The address of a server that accepts connections, greets in its own way, and waits."""
    connections = []

    def greet():
        while True:
            try:
                connections.append(server.accept()[0])
            except OSError:
                return
            connections[-1].sendall(request.param)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        for connection in connections:
            connection.close()


def test_what_is_no_scheduler_is_refused_in_time(stranger, monkeypatch):
    pytest.importorskip("distributed")
    assert execution.CONNECT_TIMEOUT_S + execution.ANSWER_TIMEOUT_S < 30
    monkeypatch.setattr(execution, "ANSWER_TIMEOUT_S", 1)
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at"),
        Executor("dask", address=stranger).workers_for(1),
    ):
        pass


def test_a_worker_is_no_scheduler(cluster):
    worker = next(iter(cluster.scheduler_info["workers"]))
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at"),
        Executor("dask", address=worker).workers_for(1),
    ):
        pass


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "threads"}, "choose one of processes, dask"),
        ({"kind": "dask"}, "needs address"),
        ({"address": "tcp://host:8786"}, "say executor=dask"),
        ({"workers": 0}, "workers=0 must be a whole number above 0"),
    ],
)
def test_executors_that_make_no_sense(settings, message):
    with pytest.raises(InputError, match=message):
        Executor(**settings)


def test_a_missing_scheduler_file(tmp_path):
    pytest.importorskip("distributed")
    with (
        pytest.raises(InputError, match="no scheduler file"),
        Executor("dask", address=str(tmp_path / "s.json")).workers_for(1),
    ):
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
        Executor("dask", address="tcp://127.0.0.1:9").workers_for(1),
    ):
        pass


def test_a_dead_worker_is_one_line(tiny_plan, tmp_path, monkeypatch):
    plan = dataclasses.replace(tiny_plan, folder=tmp_path).only(["val"])
    monkeypatch.setattr("bubbleloc.data.generate._simulate", lambda *_: os._exit(1))
    with pytest.raises(InputError, match="a worker process died"):
        ensure_dataset(plan, workers=2)
    monkeypatch.undo()
    ensure_dataset(plan, workers=1)
    assert_same_content(plan.path("val"), tiny_plan.path("val"))
