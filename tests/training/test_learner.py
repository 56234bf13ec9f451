import itertools
import logging
import random
import runpy
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.console.settings import Train
from bubbleloc.errors import InputError
from bubbleloc.metrics import tolerance_sweep
from bubbleloc.models import run_folder, runs
from bubbleloc.nn import NETWORKS
from bubbleloc.training import learner, session
from bubbleloc.training.trainer import RandomnessByEpoch


def settings(tiny, *overrides):
    place = [f"data.folder={tiny}", "trainer.accelerator=cpu"]
    config, _ = composed("train", [*place, *overrides])
    return checked_settings(Train, config)


SMALL = ("data=tiny", "hidden_channels=3", "kernel=15", "trainer.max_epochs=2")


def weights(folder, which="last"):
    return run_folder.read_checkpoint(run_folder.checkpoint_path(folder, which))["state_dict"]


def test_training_lowers_the_loss_and_leaves_a_run(tiny, tmp_path):
    whole_lines = ("loader.crop=null", "optimizer.schedule=constant")  # comparable epochs
    config = settings(tiny, *SMALL, "trainer.max_epochs=8", *whole_lines)
    session.start(config, tmp_path)
    log = (tmp_path / "logs/version_0/metrics.csv").read_text().splitlines()
    column = log[0].split(",").index("train_loss")
    losses = [float(v) for v in (row.split(",")[column] for row in log[1:]) if v]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]
    network = runs.open_run(tmp_path).network
    assert not network.training
    assert runs.open_run(tmp_path).config == config


@pytest.mark.parametrize("model", list(NETWORKS))
def test_every_model_trains(tiny, tmp_path, model):
    size = "kernel=3" if "dilated" in model else "kernel=15"
    session.start(
        settings(
            tiny,
            f"model={model}",
            "data=tiny",
            "hidden_channels=2",
            size,
            "trainer.max_epochs=1",
            "loader.crops_per_signal=1",
            "loader.batch_size=8",
        ),
        tmp_path,
    )
    assert runs.open_run(tmp_path, "last").network


@pytest.mark.parametrize("experiment", ["ckcnn_study", "srml"])
def test_published_protocols_start(tiny, tmp_path, experiment):
    config = settings(
        tiny,
        f"experiment={experiment}",
        "data=tiny",
        "hidden_channels=2",
        "trainer.max_epochs=1",
        "loader.batch_size=4",
    )
    session.start(config, tmp_path)
    steps = run_folder.read_checkpoint(run_folder.checkpoint_path(tmp_path, "last"))["global_step"]
    assert steps == (1 if experiment == "srml" else 2)
    assert config.loss.alpha == (0.01 if experiment == "srml" else 0.1)
    assert config.model.input_scaling == "none"


@pytest.mark.parametrize("model", [["model=ckcnn"], ["model=ckcnn_residual", "model.dropout=0.2"]])
def test_resumed_training_ends_with_the_same_weights(tiny, tmp_path, monkeypatch, model):
    config = settings(tiny, *SMALL, *model)
    session.start(config, tmp_path / "whole")
    training_step = learner.Learner.training_step

    def stop_in_second_epoch(self, *arguments):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return training_step(self, *arguments)

    monkeypatch.setattr(learner.Learner, "training_step", stop_in_second_epoch)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        session.start(config, tmp_path / "cut")
    monkeypatch.setattr(learner.Learner, "training_step", training_step)
    session.resume(tmp_path / "cut")
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_every_epoch_and_process_draws_its_own_numbers():
    def drawn(seed, epoch, rank):
        trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
        RandomnessByEpoch(seed).on_train_batch_start(trainer, None, None, 0)
        return torch.rand(4).tolist()

    places = list(itertools.product(range(2), range(3), range(3)))
    first = [drawn(*place) for place in places]
    assert [drawn(*place) for place in places] == first
    assert len({tuple(numbers) for numbers in first}) == len(places)


def test_validation_f1_is_the_mean_over_lines_at_the_best_threshold():
    rng = np.random.default_rng(0)
    count = (rng.random((5, 300)) < 0.1).astype(np.float32)
    output = count * rng.random(count.shape).astype(np.float32)
    metric = learner.BestF1()
    for part in (slice(3), slice(3, 5)):
        metric.update(torch.from_numpy(output[part]), torch.from_numpy(count[part]))
    f1 = tolerance_sweep(output, count, tolerances=[4]).f1
    assert float(metric.compute()) == pytest.approx(f1.mean(axis=(0, 1)).max())


def process_state():
    loggers = [logging.getLogger(name) for name in ("", "lightning.pytorch", "lightning.fabric")]
    return {
        "threads": torch.get_num_threads(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "python": random.getstate(),
        "warnings": list(warnings.filters),
        "levels": [logger.level for logger in loggers],
    }


@pytest.mark.parametrize("outcome", ["trained", "refused"])
def test_a_training_leaves_the_process_of_its_caller_as_it_was(tiny, tmp_path, outcome):
    config = settings(tiny, *SMALL, "trainer.max_epochs=1")
    if outcome == "refused":
        (tmp_path / "run/checkpoints").mkdir(parents=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    before = process_state()
    try:
        if outcome == "refused":
            with pytest.raises(InputError, match="holds a run"):
                session.start(config, tmp_path / "run")
        else:
            session.start(config, tmp_path / "run")
        assert process_state() == before
    finally:
        torch.set_num_threads(threads)


def test_importing_the_training_changes_nothing_of_the_process():
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    with warnings.catch_warnings():
        warnings.resetwarnings()
        levels = [logger.level for logger in loggers]
        for path in Path(session.__file__).parent.glob("*.py"):
            runpy.run_path(str(path))
        assert warnings.filters == []
        assert [logger.level for logger in loggers] == levels


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loader.batch_size=0", "batch_size"),
        ("kernel=4225", "smaller kernel"),
        ("trainer.precision=transformer-engine", r"trainer: .*transformer.engine"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_training(tiny, tmp_path, override, message):
    with pytest.raises(InputError, match=message):
        session.start(settings(tiny, *SMALL, override), tmp_path / "run")
    assert not (tmp_path / "run").exists()
