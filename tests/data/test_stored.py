"""A dataset that was simulated before is taken as it is, with the settings that its files hold."""

from pathlib import Path

import h5py
import pytest
import yaml

from bubbleloc import simulate_dataset, train_network
from bubbleloc.console.composition import checked_settings, composed, typed_names
from bubbleloc.console.settings import Train
from bubbleloc.data import store
from bubbleloc.data.plan import DatasetPlan
from bubbleloc.data.stored import as_stored
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.models.runs import open_run

SIMULATED = {
    "data.name": "my5",
    "seed": 3,
    "bubbles": "radii.txt",
    "data.count": [5, 20],
    "data.count_power": 2.0,
    "data.waveform": "s2.5",
    "data.pressure_pa": [1e4, 1e5],
    "data.physics.depth_m": 0.02,
    "data.physics.shell": "marmottant",
    "data.physics.medium.density_kg_m3": 1000.0,
    "data.signals": {"train": 6, "val": 3, "test": 2},
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder in which data/my5 was simulated from radii that are gone."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("radii.txt").write_text("1.5\n2.5\n")
        simulate_dataset("tiny", workers=1, **SIMULATED)
        Path("radii.txt").unlink()
    return folder


@pytest.fixture(autouse=True)
def in_workplace(workplace, monkeypatch):
    monkeypatch.chdir(workplace)


def taken(*overrides: str) -> DatasetPlan:
    """What ``bubbleloc train …`` takes for its data."""
    config, _ = composed("train", list(overrides))
    plan = DatasetPlan(checked_settings(Train, config).data)
    return as_stored(plan, typed_names(overrides))


@pytest.mark.parametrize("where", ["data.folder=data/my5", "data.name=my5"])
def test_the_files_tell_their_settings(where, caplog):
    caplog.set_level("INFO")
    settings = taken(where).settings
    assert (settings.name, settings.seed, settings.bubbles) == ("my5", 3, "radii.txt")
    assert (settings.count, settings.count_power, settings.waveform) == ((5, 20), 2, "s2.5")
    assert settings.pressure_pa == (1e4, 1e5)
    assert dict(settings.signals) == {"train": 6, "val": 3, "test": 2}
    physics = settings.physics
    assert (physics.depth_m, physics.shell) == (0.02, "marmottant")
    assert physics.medium.density_kg_m3 == 1000
    [line] = caplog.messages
    assert line.startswith("data/my5 is taken as it is: ")
    assert "data.signals.train=6" in line
    assert "data.physics.depth_m=0.02" in line


@pytest.mark.parametrize(
    "agreeing",
    [
        "data.seed=3",
        "data.count=[5,20]",
        "data.waveform=S2.5",
        "data.physics.depth_m=0.02",
        "data.signals={train: 6}",
        "data.physics={shell: marmottant}",
        "data.physics.medium.density_kg_m3=1000",
        "data.stream=false",
        "noise=0.1",
    ],
)
def test_a_setting_that_agrees_may_be_typed(agreeing):
    plan = taken("data.folder=data/my5", agreeing)
    assert plan.content("train") == taken("data.folder=data/my5").content("train")


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("data.seed=4", "data.seed=3, not 4"),
        ("data=study", "data.name=my5, not study"),
        ("data.name=other", "data.name=my5, not other"),
        ("data.bubbles=polydisperse", "data.bubbles=radii.txt, not polydisperse"),
        ("data.count=null", r"data.count=\[5, 20\], not null"),
        ("data.deepest_m=0.01", "data.deepest_m=null, not 0.01"),
        ("data.radius_um=[1.5,0.1]", r"data.radius_um=null, not \[1.5, 0.1\]"),
        ("data.waveform=l2.5", "data.waveform=s2.5, not l2.5"),
        ("data.signals={train: 7}", "data.signals.train=6, not 7"),
        ("data.physics.depth_m=0.03", "data.physics.depth_m=0.02, not 0.03"),
        ("data.physics={cycles: 2}", "data.physics.cycles=1, not 2"),
        (
            "data.physics.medium.density_kg_m3=900",
            "data.physics.medium.density_kg_m3=1000.0, not 900",
        ),
    ],
)
def test_a_setting_that_contradicts_a_file_is_refused(typed, values):
    with pytest.raises(InputError, match=f"made with {values}; give that, or choose another"):
        taken("data.folder=data/my5", typed)


def test_a_file_of_radii_that_was_typed_must_be_that_of_the_dataset():
    try:
        Path("radii.txt").write_text("1.5\n2.5\n")
        assert taken("data.folder=data/my5", "data.bubbles=radii.txt").settings.seed == 3
        Path("radii.txt").write_text("3.5\n")
        with pytest.raises(InputError, match="a file of bubbles that has changed since"):
            taken("data.folder=data/my5", "data.bubbles=radii.txt")
        assert taken("data.folder=data/my5").settings.bubbles == "radii.txt"
    finally:
        Path("radii.txt").unlink()


def test_files_of_two_datasets_are_no_dataset(tiny, tmp_path):
    for split in ("train", "val"):
        (tmp_path / f"{split}.h5").write_bytes((tiny / f"{split}.h5").read_bytes())
    with h5py.File(tmp_path / "val.h5", "r+") as file:
        content = yaml.safe_load(file.attrs["config"]) | {"seed": 9}
        file.attrs["config"] = yaml.safe_dump(content)
    with pytest.raises(InputError, match=r"val.h5 was made with data.seed=9, not 0"):
        taken(f"data.folder={tmp_path}")


@pytest.mark.parametrize(
    ("setting", "message"), [({"seed": "abc"}, "data.seed='abc'"), ({"tilt": 3}, "data.tilt=3")]
)
def test_settings_that_make_no_sense_are_named(tiny, tmp_path, setting, message):
    (tmp_path / "train.h5").write_bytes((tiny / "train.h5").read_bytes())
    with h5py.File(tmp_path / "train.h5", "r+") as file:
        content = yaml.safe_load(file.attrs["config"]) | setting
        file.attrs["config"] = yaml.safe_dump(content)
    with pytest.raises(InputError, match=message):
        taken(f"data.folder={tmp_path}")


def test_nothing_is_said_of_a_dataset_as_planned(tiny, caplog):
    caplog.set_level("INFO")
    taken("data=tiny", f"data.folder={tiny}")
    assert not caplog.messages


def test_a_dataset_that_was_made_elsewhere_is_taken_without_settings(tiny, tmp_path):
    for split in ("train", "val"):
        (tmp_path / f"{split}.h5").write_bytes((tiny / f"{split}.h5").read_bytes())
        with h5py.File(tmp_path / f"{split}.h5", "r+") as file:
            file.attrs["config"] = "source: imported"
    assert taken(f"data.folder={tmp_path}", "data.seed=5").settings.seed == 5


def test_a_network_is_trained_and_evaluated_on_what_was_simulated(no_pictures, caplog):
    """The folder is all that one types, and short lines are no matter."""
    caplog.set_level("INFO")
    network = {"model": "ckcnn_local", "kernel": 15, "hidden_channels": 3}
    where = {"data.folder": "data/my5", "trainer.max_epochs": 1, "trainer.accelerator": "cpu"}
    before = store.fingerprint(Path("data/my5/train.h5"))
    run = train_network(**network, **where, folder="outputs/mine")
    assert run == Path("outputs/mine")
    crop = "loader.crop=2048: lines have 1690 samples and are taken whole"
    assert [line for line in caplog.messages if line.startswith("loader")] == [crop]
    data = open_run(run).config.data
    assert (data.name, data.seed, data.signals.train) == ("my5", 3, 6)
    assert data.physics.depth_m == 0.02
    assert evaluate_run(run, baselines=[]).page.is_file()
    assert evaluate_run("bubbleloc:small", folder="data/my5", baselines=[]).page.is_file()
    assert train_network(resume=run) == run
    assert store.fingerprint(Path("data/my5/train.h5")) == before
