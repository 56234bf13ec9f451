"""A damaged config.yaml of a run is refused in one line that names the file."""

import copy
from collections.abc import Iterator

import pytest
import yaml

from bubbleloc import __version__
from bubbleloc.console.composition import settings_from_python
from bubbleloc.console.settings import Train, check
from bubbleloc.errors import InputError
from bubbleloc.models import runs

REMOVED = object()
VALUES = [None, [1], {}, {7: 1}, "x", 1, -1, True, [[]], float("nan"), 10**400, b"x", REMOVED]


@pytest.fixture(scope="module")
def settings():
    return settings_from_python(Train, {"data": "tiny"})[0].plain()


def places(values: dict, above=()) -> Iterator[tuple]:
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


def damaged(settings, place, value):
    """Return settings with another value at one place, or without it."""
    changed = copy.deepcopy(settings)
    group = changed
    for key in place[:-1]:
        group = group[key]
    group[place[-1]] = value
    if value is REMOVED:
        del group[place[-1]]
    return changed


def refusal(settings):
    try:
        check(Train, settings)
    except InputError as error:
        return str(error)
    return ""


def test_any_value_at_any_place_is_accepted_or_refused_in_one_line(settings):
    refused = [
        line
        for place in places(settings)
        for value in VALUES
        if (line := refusal(damaged(settings, place, value)))
    ]
    assert len(refused) > 400
    assert max(map(len, refused)) < 250
    assert "\n" not in "".join(refused)


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        (("data", "physics", "medium"), [1], "data.physics.medium=[1]: give settings, such as {…}"),
        (("data", "physics", "medium", "density_kg_m3"), "x", "kg_m3=x: give a number"),
        (("data", "physics", "elements"), 10**400, "00...: give 1 to 4096"),
        (("data", "folder"), REMOVED, "data.folder=… is missing"),
        (("data",), REMOVED, "is not the configuration of a training run (no data)"),
        (("model", "name"), [1], "model.name=[1]: give a word"),
        (("model",), {"name": "ckcnn", 7: 1}, "unknown setting model.7; remove it"),
        (("trainer",), None, "trainer=null: give settings"),
        (("noise",), 5, "noise=5: give a number, 0 or more, up to 2.56"),
        (("zzz",), 1, "unknown setting zzz; remove it"),
    ],
)
def test_the_file_and_the_setting_are_named(tmp_path, settings, place, value, line):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(damaged(settings, place, value)))
    with pytest.raises(InputError) as refused:
        _ = runs.open_run(tmp_path).config
    assert str(path) in str(refused.value)
    assert line in str(refused.value)


def test_the_version_that_wrote_a_setting_is_told(tmp_path, settings):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(damaged(settings, ("zzz",), 1)))
    for version, told in (("9.9", " (written by bubbleloc 9.9, this is "), (__version__, "")):
        (tmp_path / "run.yaml").write_text(
            yaml.safe_dump({"dataset": {}, "sessions": [{"bubbleloc": version}]})
        )
        with pytest.raises(InputError) as refused:
            _ = runs.open_run(tmp_path).config
        assert str(refused.value).partition("remove it")[2].startswith(told)
        assert ("written by" in str(refused.value)) == bool(told)


@pytest.mark.parametrize(
    "text", ["{", "", "7", "[]", "a: *b", "\x00", "- " * 5000, "!!python/none"]
)
def test_what_holds_no_settings_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(InputError, match=r"config\.yaml") as refused:
        _ = runs.open_run(tmp_path).config
    assert "\n" not in str(refused.value)
