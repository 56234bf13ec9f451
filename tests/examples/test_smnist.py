"""``bubbleloc smnist``: it learns, repeats itself, and refuses in one line."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from bubbleloc.console.settings import Smnist, check, default_values
from bubbleloc.errors import InputError
from bubbleloc.examples import classification
from bubbleloc.examples.classification import (
    Classification,
    accuracy,
    build_classifier,
    fit,
    load_classifier,
)
from bubbleloc.examples.images import Part, SequentialImages
from bubbleloc.models import run_folder
from tests.conftest import run
from tests.examples.test_images import write_mnist

SMALL = {
    "blocks": 1,
    "hidden_channels": 4,
    "omega_0": 10.0,
    "hidden_features": 8,
    "init": "balanced",
    "norm": "channels",
    "levels": 2,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "epochs": 6,
    "batch_size": 16,
    "lr": 1e-2,
    "plateau": {"factor": 5, "patience": 1},
    "accelerator": "cpu",
}


def settings(**changes):
    """Settings of a small training; nested groups are given as a whole."""
    return check(Smnist, {**default_values(Smnist), **SMALL, **changes})


def pulses():
    """Sequences of ten classes that differ in where a pulse comes."""
    rng = np.random.default_rng(0)

    def part(count):
        labels = np.arange(count) % 10
        sequences = 0.1 * rng.standard_normal((count, 20)).astype(np.float32)
        sequences[np.arange(count), 2 * labels] += 3
        return Part(sequences, labels)

    return SequentialImages("pulses", part(320), part(40), part(40))


@pytest.mark.parametrize("network", ["ckcnn", "tcn"])
def test_both_networks_learn_and_keep_their_best_epoch(tmp_path, network):
    constant_rate = {"epochs": 12, "plateau": {"factor": 5, "patience": 12}}
    chosen, data = settings(**constant_rate, network=network), pulses()
    torch.manual_seed(0)
    classifier = build_classifier(chosen, data.samples)
    before = accuracy(classifier.eval(), data.test)
    fit(classifier.train(), data, chosen, tmp_path)
    assert before < 0.4
    assert accuracy(classifier, data.test) > 0.7
    assert accuracy(load_classifier(tmp_path, data.samples), data.test) > 0.7
    log = (tmp_path / "logs/version_0/metrics.csv").read_text().splitlines()
    column = log[0].split(",").index("val_accuracy")
    best = max(float(row.split(",")[column] or 0) for row in log[1:])
    assert accuracy(classifier, data.val) == pytest.approx(best)


def test_the_rate_is_divided_on_a_plateau():
    learner = Classification(build_classifier(settings(), 20), settings())
    (adam,), (plan,) = learner.configure_optimizers()
    for _ in range(3):
        plan["scheduler"].step(0.5)
    assert adam.param_groups[0]["lr"] == pytest.approx(1e-2 / 5)


def test_published_settings_are_the_defaults():
    published = check(Smnist, default_values(Smnist))
    assert (published.batch_size, published.epochs, published.lr) == (64, 200, 1e-3)
    network = build_classifier(published, samples=784)
    assert sum(p.numel() for p in network.parameters()) == 98_286


def weights(folder):
    return run_folder.read_checkpoint(folder / "checkpoints/best.ckpt")["state_dict"]


def test_a_run_repeats_itself(tmp_path):
    data = pulses()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        chosen = settings(epochs=2, seed=seed, dropout=0.2)
        classification.run(chosen, data, tmp_path / name)
    first, second, other = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    with pytest.raises(InputError, match="holds a run"):
        classification.run(settings(), data, tmp_path / "a")


def test_the_command_trains_and_says_what_came_out_even_if_stderr_is_closed(tmp_path):
    write_mnist(tmp_path / "set")
    small = ("folder=set", "epochs=2", "hidden_channels=2", "blocks=1", "accelerator=cpu")
    command = [sys.executable, "-m", "bubbleloc", "smnist", *small, "hydra.run.dir=a"]
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    done = subprocess.run(closed, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[0] == "MNIST: 54 training, 6 validation and 30 test sequences of 20 pixels"
    assert said[-1] == "run: a"
    result = yaml.safe_load((tmp_path / "a/result.yaml").read_text())
    assert said[-3] == f"test accuracy: {100 * result['test_accuracy']:.2f} % of MNIST"


def test_a_training_that_diverges_is_stopped(tmp_path):
    data = pulses()
    data.train.sequences[7] = np.nan
    with pytest.raises(InputError, match="diverged in epoch 0; lower lr"):
        fit(build_classifier(settings(), data.samples), data, settings(), tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is no run directory"), ("blocks: [", "is not readable"), ("- 1", "no folder")],
)
def test_folders_without_a_run_are_refused(tmp_path, content, message):
    if content:
        (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(InputError, match=message):
        load_classifier(tmp_path, 20)


def test_settings_that_the_network_refuses_are_bad_input():
    with pytest.raises(InputError, match="kernel=4 must be odd and positive; try 5"):
        build_classifier(settings().model_copy(update={"kernel": 4}), 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plateau.factor=1"], "plateau.factor=1: give a number above 1"),
        (["omega=3"], "unknown setting 'omega'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, message):
    refused = run(tmp_path, "examples.smnist", *arguments)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.slow
def test_digits_are_learned(tmp_path):
    pytest.importorskip("sklearn", reason="pip install bubbleloc[examples]")
    short = ("init=balanced", "epochs=20", "accelerator=cpu", "hydra.run.dir=digits")
    done = run(tmp_path, "examples.smnist", *short)
    assert done.returncode == 0, done.stderr
    result = yaml.safe_load((tmp_path / "digits/result.yaml").read_text())
    assert result["test_accuracy"] > 0.95
