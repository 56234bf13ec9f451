import h5py
import numpy as np
import pytest

from bubbleloc.data import generate
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.errors import InputError
from bubbleloc.physics import simulate_rf
from bubbleloc.physics.scene import BUBBLE_FIELDS
from tests.conftest import changed


def content(path):
    with h5py.File(path) as file:
        names = ["rf", "pressure_pa", "done", "bubbles/offset"]
        names += [f"bubbles/{field}" for field in BUBBLE_FIELDS]
        return {name: file[name][:] for name in names}


def assert_same_content(path, other):
    for name, values in content(path).items():
        np.testing.assert_array_equal(values, content(other)[name], err_msg=name)


def test_signals_do_not_depend_on_the_number_of_workers(tiny_plan, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "SIGNALS_AT_A_TIME", 3)
    plan = changed(tiny_plan, folder=str(tmp_path))
    ensure_dataset(plan.only(["val"]), workers=2)
    assert_same_content(plan.path("val"), tiny_plan.path("val"))


@pytest.mark.parametrize("suffix", ["", ".partial"])
def test_an_interrupted_file_is_finished_to_the_same_arrays(tiny_plan, tmp_path, suffix):
    plan = changed(tiny_plan, folder=str(tmp_path))
    interrupted = tmp_path / f"train.h5{suffix}"
    interrupted.write_bytes(tiny_plan.path("train").read_bytes())
    with h5py.File(interrupted, "r+") as file:
        file["rf"][3:6] = 0
        file["done"][3:6] = False
    ensure_dataset(plan.only(["train"]), workers=1)
    assert_same_content(plan.path("train"), tiny_plan.path("train"))
    assert [path.name for path in tmp_path.iterdir()] == ["train.h5"]


def test_signal_is_the_simulation_of_its_scene(tiny_plan):
    volts = simulate_rf(tiny_plan.scene("test", 2)).volts
    np.testing.assert_array_equal(content(tiny_plan.path("test"))["rf"][2], volts)


def test_splits_and_seeds_differ(tiny_plan):
    scenes = [
        tiny_plan.scene("train", 0),
        tiny_plan.scene("val", 0),
        changed(tiny_plan, seed=1).scene("train", 0),
    ]
    assert len({scene.pressure_pa for scene in scenes}) == 3


def test_a_file_of_other_settings_is_kept_and_refused(tiny_plan):
    before = tiny_plan.path("train").read_bytes()
    with pytest.raises(InputError, match="seed=0, not 1"):
        ensure_dataset(changed(tiny_plan, seed=1))
    assert tiny_plan.path("train").read_bytes() == before
