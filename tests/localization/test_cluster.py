"""A cluster finds the same bubbles, whoever of its workers dies."""

import os
import signal

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.localization.finder import BubbleFinder
from tests.conftest import localize_recording

SETTINGS = {"sampling_rate_hz": 62.5e6, "batch_size": 2}
LINES = 24


@pytest.fixture
def recording(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "rf.npy", rng.standard_normal((LINES, 3000), dtype=np.float32))
    monkeypatch.chdir(tmp_path)


def localize(output, **settings):
    localize_recording("bubbleloc:small", "rf.npy", output, **SETTINGS, **settings)


@pytest.mark.parametrize(
    "settings", [{"executor": "dask"}, {"address": "tcp://127.0.0.1:9"}], ids=["dask", "address"]
)
def test_half_of_what_a_cluster_needs_is_refused(settings, recording):
    with pytest.raises(InputError, match="needs both: executor=dask and address="):
        localize("b.csv", **settings)


@pytest.mark.slow
def test_workers_that_die_and_a_command_that_stops_change_nothing(recording, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    localize("here.csv")
    expected = (tmp_path / "here.csv").read_bytes()
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    table, seen = BubbleFinder.table, []
    with distributed.LocalCluster(**workers, dashboard_address=None) as cluster:
        where = {"executor": "dask", "address": cluster.scheduler_address}
        with distributed.Client(cluster) as client:
            numbers = list(client.run(os.getpid).values())

        def disturbed(self, bubbles, start_s, first_line):
            seen.append(first_line)
            if len(seen) == 3:
                os.kill(numbers[0], signal.SIGKILL)
            if len(seen) == 6:
                raise KeyboardInterrupt
            return table(self, bubbles, start_s, first_line)

        with monkeypatch.context() as patch:
            patch.setattr(BubbleFinder, "table", disturbed)
            with pytest.raises(KeyboardInterrupt):
                localize("there.csv", **where)
        assert seen == [0, 2, 4, 6, 8, 10]
        partial = (tmp_path / "there.csv.partial").read_bytes()
        localize("there.csv", **where)
    assert (tmp_path / "there.csv").read_bytes() == expected
    (tmp_path / "there.csv").unlink()
    (tmp_path / "there.csv.partial").write_bytes(partial)
    localize("there.csv")  # goes on here
    assert (tmp_path / "there.csv").read_bytes() == expected
