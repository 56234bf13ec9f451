"""Settings typed once: their checks, their help, their table in the docs, and Python arguments."""

from pathlib import Path

import pytest
from hydra import initialize_config_dir

from bubbleloc.console import config_folder
from bubbleloc.console.composition import overrides_of, settings_from_python
from bubbleloc.console.help import help_text, markdown
from bubbleloc.console.settings import (
    COMMANDS,
    Evaluate,
    Simulate,
    Train,
    catalogue,
    check,
    default_values,
)
from bubbleloc.errors import InputError

EVALUATE = {"run": "a", "checkpoint": "best", "baselines": "wiener", "noise": 1}


def test_values_stay_as_given_but_for_lists_and_names():
    checked = check(Evaluate, EVALUATE | {"run": 7})
    assert checked.plain() == EVALUATE | {"run": "7", "baselines": ["wiener"]}
    assert isinstance(checked.noise, int)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"noise": True}, "noise=True: give a number, 0 or more"),
        ({"noise": [0.1, float("nan")]}, "noise=.*: give a number, 0 or more"),
        ({"selection": "test"}, "selection=test: choose one of val, train"),
        ({"sellection": "val"}, "unknown setting sellection, did you mean 'selection'"),
        ({"run": None}, "run=null: give the name of a file or folder"),
        ({"checkpoint": "x" * 999}, r"checkpoint=x+\.\.\.: choose one of"),
    ],
)
def test_the_first_bad_value_is_named(values, message):
    with pytest.raises(InputError, match=f"^{message}") as refused:
        check(Evaluate, EVALUATE | values)
    assert len(str(refused.value)) < 200


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="run=… is missing"):
        check(Evaluate, {})
    with pytest.raises(InputError, match=r"data\.name=… is missing"):
        check(Simulate, {"data": {}})


def test_defaults_pass_their_own_checks():
    for command, model in COMMANDS.items():
        values = {k: v for k, v in default_values(model).items() if "$" not in str(v)}
        given = {k: "a" if v == "???" else v for k, v in values.items()}
        if command not in ("simulate", "train"):  # whose groups are in conf/
            assert check(model, given).plain().keys() == given.keys()


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("noise", (0, 2.56), (-0.1, 2.57, 5)),  # 2.57 is 24.8 V
        ("data.physics.sampling_rate_hz", (1e5, 62.5e6, 1e10), (62.5, 99e3, 1.1e10)),
        ("data.physics.frequency_hz", (1e4, 1.7e6, 1e9), (1.7, 1.1e9)),
        ("data.physics.medium.speed_of_sound_m_s", (100, 1480.0, 10_000), (-1480, 1.48, 1.48e6)),
    ],
)
def test_ranges_catch_values_in_another_unit(name, inside, outside):
    group, key = name.split(".")[:-1], name.split(".")[-1]
    settings = values = settings_from_python(Train, {"data": "tiny"})[0].plain()
    for part in group:
        values = values[part]
    for values[key] in inside:
        assert check(Train, settings).plain() == settings
    for values[key] in outside:
        with pytest.raises(InputError, match=f"^{name}=.*: give a "):
            check(Train, settings)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_gives_every_setting_a_line_with_its_meaning(command):
    lines = help_text(command).splitlines()
    for name, setting in catalogue(command).items():
        assert setting.description
        shown = [line for line in lines if line.startswith(f"  {name}=")]
        assert len(shown) <= 1
        assert all(setting.description in line for line in shown)
    assert max(map(len, lines)) <= 160
    groups = {"simulate": {"data"}, "train": {"data", "model", "loss", "optimizer", "trainer"}}
    shown = {line.split()[0] for line in lines if line.startswith("  ")}
    every = {path.name for path in config_folder().iterdir() if path.is_dir()}
    extra = {"budget", "experiment"} if command == "train" else set()
    assert shown & every == groups.get(command, set()) | extra


def test_help_shows_the_settings_of_the_model_that_is_chosen():
    assert "model.levels=6" in help_text("train", ["model=tcn"])
    assert "model.levels" not in help_text("train")


def test_the_docs_are_current():
    page = Path(__file__).resolve().parents[2] / "docs/settings.md"
    assert page.read_text(encoding="utf-8") == markdown(), (
        "run python -m bubbleloc.console.settings > docs/settings.md"
    )


def test_keyword_arguments_are_overrides():
    given = {"kernel": 131, "seed": None, "trainer": {"max_epochs": 2}, "noise": 0.5}
    assert overrides_of(given) == ["kernel=131", "trainer.max_epochs=2", "noise=0.5"]
    assert overrides_of({"loader": {"crop": None}, "runs": ["a b", "c"]}) == [
        "loader.crop=null",
        'runs=["a b", "c"]',
    ]


def test_python_composes_the_same_settings_as_the_command_line():
    settings, folder = settings_from_python(
        Train, {"model": "tcn", "data": "tiny", "data.folder": Path("a, b"), "kernel": 9}
    )
    assert settings.model.levels == 6
    assert settings.model.kernel == 9
    assert settings.data.folder == "a, b"
    assert folder.parent == Path("outputs/train")
    assert folder.name.split("-")[-2] == "tcn"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kernl": 3}, "unknown setting 'kernl', did you mean 'kernel'?"),
        ({"model": "resnet"}, "unknown model 'resnet'; choose one of ckcnn"),
        ({"kernel": 1.5}, "kernel=1.5: give 1 to"),
    ],
)
def test_python_refuses_as_the_command_line_does(given, message):
    with pytest.raises(InputError, match=message):
        settings_from_python(Train, given)


def test_settings_are_composed_within_a_command_too():
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        inside, _ = settings_from_python(Simulate, {"data": "tiny"})
    assert inside == settings_from_python(Simulate, {"data": "tiny"})[0]
