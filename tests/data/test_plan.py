"""Settings of a dataset: every switch of the simulator, and what defines a file's content."""

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from scipy.io import savemat

from bubbleloc.console.settings import catalogue
from bubbleloc.console.settings.data import Data
from bubbleloc.data import store
from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.generate import ensure_dataset, simulate_missing
from bubbleloc.errors import InputError
from bubbleloc.physics import P4_1, Gas, Medium, Physics, Setup, simulate_rf
from tests.conftest import planned


def test_every_switch_has_a_setting():
    probe = {"transmit", "receive", "center_hz", "fractional_bandwidth", "aperture_m"}
    plain = {field.name for field in dataclasses.fields(Setup)} | probe
    assert "waveform" in Data.model_fields
    assert plain - {"waveform"} == Physics.model_fields.keys()
    known = catalogue("simulate")
    for group in (Medium, Gas):
        for field in dataclasses.fields(group):
            assert known[f"data.physics.{group.__name__.lower()}.{field.name}"].description


def test_defaults_are_the_published_setup():
    plan = planned("data/tiny")
    assert plan.setup() == Setup()
    assert plan.physics == {"shell": "segers", "thermal": "prosperetti"}  # null changes no file


def test_a_default_may_be_named_or_left_out(tmp_path):
    """Files that name it, as older ones may, are gone on with; other values are refused."""
    few = (tmp_path, "data.signals.val=2")
    plain = planned(*few).only(["val"])
    named = [f"data.physics.{name}" for name in ("cycles=1", "transducer=p4-1", "shell=null")]
    named += ["data.physics.medium.density_kg_m3=998.0", "data.physics.gas.density_kg_m3=null"]
    assert planned(*few, *named).config("val") == plain.config("val")
    ensure_dataset(plain, workers=1)

    def store_physics(physics):
        with h5py.File(plain.path("val"), "r+") as file:
            content = yaml.safe_load(file.attrs["config"]) | {"physics": physics}
            file.attrs["config"] = yaml.safe_dump(content)

    store_physics({"cycles": 1, "medium": {"density_kg_m3": 998}})
    ensure_dataset(plain, workers=1)
    store_physics({"cycles": 2})
    with pytest.raises(InputError, match=r"made with data.physics.cycles=2, not 1;"):
        ensure_dataset(plain, workers=1)


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("shell=none", "shell", "none"),
        ("thermal=isothermal", "thermal", "isothermal"),
        ("frequency_hz=2.5e6", "frequency_hz", 2.5e6),
        ("cycles=2", "cycles", 2),
        ("depth_m=0.05", "depth_m", 0.05),
        ("sampling_rate_hz=125e6", "sampling_rate_hz", 125e6),
        ("drive=[0.0,1.0,-1.0]", "drive", (0.0, 1.0, -1.0)),
    ],
)
def test_switches_reach_the_simulator(setting, field, value):
    assert getattr(planned("data/tiny", f"data.physics.{setting}").setup(), field) == value


@pytest.mark.parametrize(("name", "frequency_hz"), [("S2.5", 2.5e6), ("luc", 2.6e6)])
def test_the_waveform_reaches_simulator_file_and_scale(tmp_path, name, frequency_hz):
    plan = planned(tmp_path, f"data.waveform={name}", "data.signals.val=1")
    assert plan.setup() == Setup(waveform=name.lower())
    ensure_dataset(plan.only(["val"]), workers=1)
    assert RFDataset(plan.path("val")).scale.frequency_hz == frequency_hz
    assert store.waveform_name(plan.path("val")) == name.lower()
    with pytest.raises(InputError, match=f"data.waveform={name.lower()}, not tristate"):
        ensure_dataset(planned(tmp_path, "data.signals.val=1").only(["val"]))


def test_a_dataset_tells_the_frequency_of_a_waveform_of_your_own(tmp_path):
    drive = np.sin(2 * np.pi * 2.5e6 * np.arange(500) / 250e6)
    file = tmp_path / "own.npy"
    np.save(file, drive)
    plan = planned(tmp_path / "x", f"data.waveform={file}", "data.signals.val=1").only(["val"])
    ensure_dataset(plan, workers=1)
    assert RFDataset(plan.path("val")).scale.frequency_hz == pytest.approx(2.5e6, rel=0.02)
    np.save(file, -drive)
    with pytest.raises(InputError, match="made with a file of waveform that has changed since"):
        ensure_dataset(plan, workers=1)


def test_medium_and_gas_reach_the_simulator():
    setup = planned(
        "data/tiny",
        "data.physics.shell=marmottant",
        "data.physics.medium.speed_of_sound_m_s=1540",
        "data.physics.gas.heat_capacity_ratio=1.4",
    ).setup()
    assert setup.medium.speed_of_sound_m_s == 1540
    assert setup.gas.heat_capacity_ratio == 1.4


@pytest.fixture
def response(tmp_path):
    frequency = np.arange(0, 125e6, 20e3)
    file = tmp_path / "response.mat"
    values = {"Tfit": P4_1.transmit(frequency), "Hfit": 2 * P4_1.receive(frequency)}
    savemat(file, {"f": frequency, **values})
    return file


def test_a_measured_transducer_makes_a_dataset(tiny_plan, tmp_path, response):
    probe = f"data.physics.transducer={response}"
    plan = planned(tmp_path / "measured", probe).only(["val"])
    ensure_dataset(plan, workers=1)
    measured, compact = RFDataset(plan.path("val")), RFDataset(tiny_plan.path("val"))
    np.testing.assert_allclose(measured.volts(0), 2 * compact.volts(0), atol=1e-3 * 255)
    np.testing.assert_array_equal(measured.count(0), compact.count(0))


def test_a_changed_input_file_is_noticed(tmp_path):
    radii = tmp_path / "radii.txt"
    radii.write_text("1.5\n2.5\n")
    sizes = (f"data.bubbles={radii}", "data.signals.train=2")
    plan = planned(tmp_path / "sizes", *sizes).only(["train"])
    ensure_dataset(plan, workers=1)
    with store.open_dataset(plan.path("train")) as file:
        np.testing.assert_allclose(np.unique(file["bubbles/radius_m"]), [1.5e-6, 2.5e-6])
        arrived = file["rf"][1]
    np.testing.assert_array_equal(arrived, simulate_rf(plan.scene("train", 1)).volts)
    ensure_dataset(plan, workers=1)
    radii.write_text("1.5\n2.6\n")
    with pytest.raises(InputError, match="made with a file of bubbles that has changed since"):
        ensure_dataset(plan, workers=1)
    radii.unlink()
    with pytest.raises(InputError, match=r"bubbles=.*radii.txt: no such file"):
        ensure_dataset(plan, workers=1)
    with pytest.raises(InputError, match=r"bubbles=.*radii.txt: no such file"):
        ensure_dataset(planned(tmp_path / "new", *sizes), workers=1)
    assert not (tmp_path / "new").exists()


def test_only_the_usual_folder_is_simulated_unasked(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    few = ("data.name=x", "data.signals.train=2", "data.signals.val=1", "data.signals.test=1")
    plan = planned("data/x", *few)
    named = planned("data/nothere", *few)
    with pytest.raises(InputError, match=r"data.folder=data/nothere: no dataset there"):
        simulate_missing(named, workers=1)
    assert not any(tmp_path.iterdir())
    simulate_missing(plan, workers=1)
    sizes = "2 signals of train, 1 signals of val, 1 signals of test"
    said = f"data/x lacks {sizes}; simulating them first"
    assert caplog.messages[0] == said
    Path("data/x/val.h5").unlink()
    Path("data/x").rename("data/y")
    simulate_missing(planned("data/y", *few), workers=1)
    assert store.open_dataset(Path("data/y/val.h5"))


def test_scenes_fill_the_depth_and_width_they_are_given():
    shallow = planned("x", "data.physics.depth_m=0.03")
    scene = shallow.scene("train", 0)
    assert 0.02 < scene.depth_m.max() <= 0.03 - 0.0037
    assert abs(scene.lateral_m).max() <= 0.014
    arrivals = (scene.depth_m + np.hypot(scene.depth_m, scene.lateral_m)) / 1480 * 62.5e6
    assert arrivals.max() < shallow.setup().samples


def test_bubbles_can_leave_room_for_long_echoes(tiny_plan):
    plan = planned("x", "data.deepest_m=0.085")
    depths = np.concatenate([plan.scene("train", i).depth_m for i in range(4)])
    assert 0.08 < depths.max() <= 0.085
    assert depths.min() >= 0.0037
    assert "deepest_m: 0.085" in plan.config("train")
    assert "deepest_m" not in tiny_plan.config("train")
    with pytest.raises(InputError, match=r"deepest_m=0.098: give at most 0.0963"):
        planned("x", "data.deepest_m=0.098").setup()


def test_the_power_of_counts_defines_a_dataset_where_it_is_not_1(tiny_plan):
    plan = planned("x", "data.count_power=2.0")
    assert "count_power: 2.0" in plan.config("train")
    assert "count_power" not in tiny_plan.config("train")
    assert len(plan.scene("train", 0)) < len(tiny_plan.scene("train", 0))


def test_a_mean_radius_and_its_spread_define_a_dataset(tiny_plan):
    plan = planned("x", "data.radius_um=[1.5,0.15]")
    radii = np.concatenate([plan.scene("train", i).radius_m for i in range(4)])
    assert radii.mean() == pytest.approx(1.5e-6, rel=0.02)
    assert radii.std() == pytest.approx(0.15e-6, rel=0.1)
    assert "radius_um:\n- 1.5\n- 0.15\n" in plan.config("train")
    assert "radius_um" not in tiny_plan.config("train")
    shares = "data.bubbles={monodisperse: 0.5, none: 0.5}"
    mixed = planned("x", shares, "data.radius_um=[1.5,0]")
    radii = np.concatenate([mixed.scene("train", i).radius_m for i in range(8)])
    assert set(radii) == {1.5e-6}
    other = planned("x", "data.radius_um=[1.5,0.15]", "data.bubbles=polydisperse")
    with pytest.raises(
        InputError, match=r"radius_um=\[1.5, 0.15\]: bubbles=polydisperse have radii"
    ):
        other.setup()


def test_large_radii_are_warned_of_once(tmp_path, recwarn):
    (tmp_path / "radii.txt").write_text("7\n")
    plan = planned(tmp_path / "x", f"data.bubbles={tmp_path / 'radii.txt'}").only(["val"])
    ensure_dataset(plan, workers=1)
    assert [str(said.message) for said in recwarn if "6 µm" in str(said.message)] == [
        "radii above 6 µm: the shell's viscosity is known for smaller bubbles only"
    ]


@pytest.mark.parametrize(
    ("physics", "message"),
    [
        ("elements=96", "elements=96: datasets hold one receive element"),
        ("depth_m=0.01", "depth_m=0.01: .* give at least 0.014"),
        ("shell=lipid", "lipid"),
        ("transducer=nowhere.mat", "nowhere.mat: no such file"),
        ("medium.density_kg_m3=-1", "density"),
    ],
)
def test_physics_that_makes_no_dataset_is_refused(tmp_path, physics, message):
    with pytest.raises(InputError, match=message):
        ensure_dataset(planned(tmp_path / "x", f"data.physics.{physics}"))
    assert not any(tmp_path.iterdir())


def test_a_split_alone_has_the_same_content(tiny_plan):
    assert tiny_plan.only(["val"]).config("val") == tiny_plan.config("val")
    assert tiny_plan.only(["val"]).signals == {"val": 4}


def test_making_a_file_takes_memory_for_a_block_of_scenes_only(tmp_path, monkeypatch):
    """Ten times the signals, hardly more memory."""
    import tracemalloc

    from bubbleloc.data import generate

    monkeypatch.setattr(generate, "SCENES_AT_A_TIME", 32)
    peaks = []
    for signals in (64, 640):
        plan = planned(tmp_path / str(signals), f"data.signals.train={signals}")
        plan.folder.mkdir()
        tracemalloc.start()
        generate._create(plan, "train", plan.setup())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
