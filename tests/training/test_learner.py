import itertools
from types import SimpleNamespace

import pytest
import torch

from bubbleloc.console.composition import checked_settings, composed
from bubbleloc.errors import InputError
from bubbleloc.models import runs
from bubbleloc.nn.models import MODELS
from bubbleloc.training import learner, session
from bubbleloc.training.randomness import RandomnessByEpoch


def settings(tiny, *overrides):
    place = [f"data.folder={tiny}", "trainer.accelerator=cpu"]
    config, _ = composed("train", [*place, *overrides, *PUBLISHED])
    checked = checked_settings("train", config)
    checked.pop("resume")
    return checked


PUBLISHED = ("data.physics.shell=null", "data.physics.thermal=null")  # as in the fixture
SMALL = ("data=tiny", "hidden_channels=3", "kernel=15", "trainer.max_epochs=2")


def weights(folder, which="last"):
    return runs.read_checkpoint(runs.checkpoint_path(folder, which))["state_dict"]


def test_training_lowers_the_loss_and_leaves_a_run(tiny, tmp_path):
    whole_lines = ("loader.crop=null", "optimizer.schedule=constant")  # comparable epochs
    config = settings(tiny, *SMALL, "trainer.max_epochs=8", *whole_lines)
    session.start(config, tmp_path)
    log = (tmp_path / "logs/version_0/metrics.csv").read_text().splitlines()
    column = log[0].split(",").index("train_loss")
    losses = [float(v) for v in (row.split(",")[column] for row in log[1:]) if v]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]
    network = runs.load_network(tmp_path)
    assert not network.training
    assert runs.read_config(tmp_path) == config


@pytest.mark.parametrize("model", list(MODELS))
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
    assert runs.load_network(tmp_path, "last")


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
    steps = runs.read_checkpoint(runs.checkpoint_path(tmp_path, "last"))["global_step"]
    assert steps == (1 if experiment == "srml" else 2)
    assert config["loss"]["alpha"] == (0.01 if experiment == "srml" else 0.1)
    assert config["model"]["input_scaling"] == "none"


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


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loader.batch_size=0", "batch_size"),
        ("kernel=4225", "smaller kernel"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_training(tiny, tmp_path, override, message):
    with pytest.raises(InputError, match=message):
        session.start(settings(tiny, *SMALL, override), tmp_path / "run")
    assert not (tmp_path / "run").exists()
