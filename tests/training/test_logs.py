"""Where the numbers of a training go besides ``metrics.csv``."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
from lightning.pytorch.loggers import CSVLogger

from bubbleloc.errors import InputError
from bubbleloc.training import logs, session
from bubbleloc.training.logs import LOGGERS, METRICS
from tests.training.test_learner import SMALL, settings


class RefusingLogger(CSVLogger):
    def log_hyperparams(self, params):
        raise ConnectionError("no server\nat this address")


@pytest.fixture
def stand_in(monkeypatch):
    """Another logger in place of Weights & Biases."""

    def put(kind):
        monkeypatch.setattr(logs, "LOGGERS", {"wandb": lambda folder: kind(folder, name="log")})
        monkeypatch.setattr(logs, "_is_installed", lambda _: True)

    return put


def test_a_logger_gets_settings_and_metrics(tiny, tmp_path, stand_in):
    stand_in(CSVLogger)
    session.start(settings(tiny, *SMALL, "logger=[csv,wandb]"), tmp_path / "run")
    (table,) = (tmp_path / "run" / "log").rglob("metrics.csv")
    assert "kernel: 15" in (table.parent / "hparams.yaml").read_text()
    logged, ours = pd.read_csv(table), pd.read_csv(tmp_path / "run" / METRICS)
    np.testing.assert_allclose(logged["val_f1"].dropna(), ours["val_f1"].dropna(), rtol=1e-6)


def test_a_logger_that_refuses_is_one_line(tiny, tmp_path, stand_in):
    stand_in(RefusingLogger)
    with pytest.raises(InputError, match="logger: no server at this address"):
        session.start(settings(tiny, *SMALL, "logger=wandb"), tmp_path / "run")


def test_csv_alone_is_no_logger_of_lightning(tmp_path):
    assert logs.loggers(tmp_path, ["csv"]) == []
    assert bool(logs.loggers(tmp_path)) == bool(importlib.util.find_spec("tensorboard"))


@pytest.mark.parametrize("name", LOGGERS)
def test_loggers_without_a_server(tiny, tmp_path, monkeypatch, name):
    if not importlib.util.find_spec(name):
        with pytest.raises(InputError, match=rf'pip install "bubbleloc\[{name}\]"'):
            logs.loggers(tmp_path, [name])
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    session.start(settings(tiny, *SMALL, f"logger={name}"), tmp_path / "run")
    written = {"tensorboard": "run/tensorboard", "mlflow": "mlflow.db", "wandb": "run/wandb"}
    assert (tmp_path / written[name]).exists()
