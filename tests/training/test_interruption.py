"""Kills while a sweep trains side by side: it ends as one that nothing disturbed."""

import random
import time

import numpy as np
import pytest

from bubbleloc.training.logs import METRICS
from tests.processes import contents, kill, start
from tests.training.test_learner import weights

SWEEP = (
    *("-m", "data=tiny", "hidden_channels=3", "kernel=15,17", "trainer.max_epochs=3"),
    *("workers=1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=sweep"),
)


def names(folder):
    return {name for name in contents(folder) if "tfevents" not in name}


@pytest.mark.slow
def test_a_sweep_killed_at_any_moment_ends_as_one_that_was_not(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    begun = time.perf_counter()
    assert start(whole, "train", *SWEEP).communicate(timeout=300)
    took = time.perf_counter() - begun
    moments, kills = random.Random(0), 0
    for _ in range(4):
        process = start(cut, "train", *SWEEP)
        time.sleep(took * moments.uniform(0.2, 1))
        kills += kill(process)
    assert kills >= 2
    finished = start(cut, "train", *SWEEP)
    errors = finished.communicate(timeout=300)[1].decode()
    assert finished.returncode == 0, errors
    assert names(cut) == names(whole)
    for job in ("0", "1"):
        one, other = (folder / "sweep" / job for folder in (whole, cut))
        assert (one / METRICS).read_text() == (other / METRICS).read_text()
        expected, found = weights(one), weights(other)
        assert all(np.array_equal(expected[name], found[name]) for name in expected)
