"""Bad input to every command: one line that names the value and the remedy, and no files."""

import contextlib
import importlib
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from bubbleloc.console import config_folder
from bubbleloc.console.arguments import typed_values
from bubbleloc.console.composition import (
    checked_settings,
    composed,
    is_composed,
    known_settings,
)
from bubbleloc.console.messages import explain
from bubbleloc.console.settings import COMMANDS, catalogue, check
from bubbleloc.errors import InputError
from bubbleloc.evaluation.baselines import CLASSICAL
from bubbleloc.training import session
from tests.conftest import run
from tests.training.test_learner import SMALL
from tests.training.test_learner import settings as train_settings


def command(name: str, *overrides: str) -> None:
    """Run a command in this process, up to the point where its errors are printed."""
    main = importlib.import_module(f"bubbleloc.{name}").main.__wrapped__
    if not is_composed(name):
        main(check(COMMANDS[name], typed_values(name, overrides)))
        return
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose(name, list(overrides), return_hydra_config=True)
    with open_dict(config):
        config.hydra.runtime.output_dir = str(Path.cwd() / "outputs/new")
        config.hydra.mode = "RUN"
        config.hydra.job.name = name
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    main(checked_settings(COMMANDS[name], config, overrides))


def spoil(path: Path, key: str, values: object) -> None:
    """Put other values into a dataset file."""
    with h5py.File(path, "r+") as file:
        if key in file:
            del file[key]
        file[key] = values


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory):
    """A folder with a trained run and files of all sorts, none of which any command accepts."""
    folder = tmp_path_factory.mktemp("place")
    session.start(train_settings(tiny, *SMALL, "trainer.max_epochs=1"), folder / "run")
    source = (tiny / "train.h5").read_bytes()
    for name in ("whole", "nan", "nokey", "schema", "cut", "rate", "offset", "empty", "words"):
        (folder / name).mkdir()
        for split in ("train", "val", "test"):
            (folder / name / f"{split}.h5").write_bytes(source)
        path = folder / name / "train.h5"
        match name:
            case "nan":
                for split in ("train", "val", "test"):
                    with h5py.File(folder / name / f"{split}.h5", "r+") as file:
                        file["rf"][:, 5000] = np.nan
            case "nokey":
                with h5py.File(path, "r+") as file:
                    del file["bubbles/depth_m"]
            case "schema":
                with h5py.File(path, "r+") as file:
                    file.attrs["schema_version"] = 7
            case "cut":
                path.write_bytes(source[: len(source) // 2])
            case "rate":
                with h5py.File(path, "r+") as file:
                    file.attrs["sampling_rate_hz"] = -1.0
            case "offset":
                with h5py.File(path, "r+") as file:
                    file["bubbles/offset"][1] = 10**9
            case "empty":
                path.write_bytes(b"")
            case "words":
                spoil(path, "rf", np.full((8, 8446), b"volt"))
        for split in ("train", "val", "test"):
            declare_imported(folder / name / f"{split}.h5")
    line = np.sin(np.arange(8446.0))
    np.save(folder / "good.npy", line)
    np.save(folder / "short.npy", line[:20])
    np.save(folder / "nan.npy", np.where(line > 0.999, np.nan, line))
    np.save(folder / "pickle.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(folder / "complex.npy", line * 1j)
    (folder / "words.csv").write_text("a,b\nc,d\n")
    (folder / "empty.csv").write_text("")
    (folder / "noise.mat").write_bytes(bytes(range(256)))
    (folder / "texts").mkdir()
    (folder / "texts/1.txt").write_text("not\na\nsignal\nat all\nreally")
    (folder / "nothing").mkdir()
    (folder / "file").write_text("a file where a folder is wanted")
    return folder


def declare_imported(path: Path) -> None:
    if h5py.is_hdf5(path):
        with contextlib.suppress(OSError), h5py.File(path, "r+") as file:  # one is cut in half
            file.attrs["config"] = "source: imported"


TRAIN = ["data=tiny", "hidden_channels=3", "kernel=15", "trainer.max_epochs=1"]
WHOLE = [*TRAIN, "data.folder=whole"]
LOCALIZE = ["run=run", "threshold=0.5", "output=found.csv", "sampling_rate_hz=62.5e6"]

CASES = [
    # simulate
    (
        "simulate",
        ["data=tiny", "data.signals.train=0"],
        "data.signals.train=0: give a whole number, 1 or more",
    ),
    ("simulate", ["data=huge"], "unknown data 'huge'; choose one of"),
    ("simulate", ["data=tiny", "data.signals=5"], "data.signals=5: give settings"),
    ("simulate", ["data=tiny", "seed=-1"], "seed=-1: give 0 to"),
    ("simulate", ["data=tiny", "seed=one"], "seed=one: give 0 to"),
    ("simulate", ["data=tiny", "workers=0"], "workers=0: give a whole number, 1 or more"),
    ("simulate", ["data=tiny", "splits=[]"], "splits=.*choose one of train, val, test"),
    ("simulate", ["data=tiny", "splits=[trian]"], "splits=.*trian.*choose one of train, val, test"),
    ("simulate", ["data=tiny", "executor=threads"], "executor='threads'; choose one of"),
    ("simulate", ["data=tiny", "bubbles=plastic"], "plastic"),
    ("simulate", ["data=tiny", "data.physics.depth_m=-0.1"], "depth_m=-0.1"),
    ("simulate", ["data=tiny", "data.physics.sampling_rate_hz=0"], "sampling_rate_hz"),
    ("simulate", ["data=tiny", "data.physics.transducer=nowhere.mat"], "nowhere.mat"),
    ("simulate", ["data=tiny", "data.physics.medium.density_kg_m3=nan"], "density"),
    ("simulate", ["data=tiny", "data.physics.sampling_rate_hz=62.5"], "62.5: give a rate in Hz"),
    ("simulate", ["data=tiny", "data.physics.frequency_hz=1.7"], "1.7: give a frequency in Hz"),
    ("simulate", ["data=tiny", "data.physics.medium.speed_of_sound_m_s=1.54"], "give a speed in"),
    ("simulate", ["data=tiny", "data.radius_um=[1.5e-6,1e-7]"], "give a mean of 0.05 to 50 µm"),
    ("simulate", ["data=tiny", "data.radius_um=1.5"], "give a mean and a standard deviation"),
    ("simulate", ["data=tiny", "data.pressure_pa=[5,250]"], "give Pa, such as \\[5e3, 250e3\\]"),
    ("simulate", ["data=tiny", "bubbles=none", "preview=true"], "have no radii; choose other"),
    ("simulate", ["data=tiny", "data.folder=file"], "file.*[Nn]ot a directory|cannot write"),
    ("simulate", ["data=tiny", "+signals=5"], r"\+signals=5: write signals=… without '\+'"),
    # train: settings
    ("train", [*TRAIN, "kernel=130"], "kernel=130 must be odd and positive; try 131"),
    ("train", [*TRAIN, "kernel=1.5"], "kernel=1.5: give 1 to"),
    ("train", [*TRAIN, "kernel=9999999"], "kernel=9999999: give 1 to"),
    ("train", [*TRAIN, "kernel=8001"], "kernel=8001: .*choose a smaller kernel"),
    ("train", [*TRAIN, "hidden_channels=0"], "hidden_channels=0: give 1 to"),
    ("train", [*TRAIN, "omega_0=0"], "omega_0=0: give a number above 0"),
    ("train", [*TRAIN, "omega_0=thirty"], "omega_0=thirty: give a number above 0"),
    ("train", [*TRAIN, "optimizer.lr=-1e-3"], "optimizer.lr=-0.001: give a number above 0"),
    ("train", [*TRAIN, "optimizer.milestones=[0]"], r"optimizer.milestones=\[0\]: give a whole"),
    ("train", [*TRAIN, "optimizer.schedule=cosine"], "schedule=cosine: choose one of one_cycle"),
    ("train", [*TRAIN, "loss.alpha=-1"], "loss.alpha=-1: give a number above 0"),
    ("train", [*TRAIN, "loss.dice_weight=inf"], "loss.dice_weight=inf: give a number"),
    ("train", [*TRAIN, "logger=comet"], "logger=comet: choose one of csv, tensorboard, mlflow"),
    ("train", [*TRAIN, "trainer.max_epochs=0"], "trainer.max_epochs=0: give a whole number"),
    ("train", [*TRAIN, "trainer.precision=7"], "trainer: .*7"),
    ("train", [*TRAIN, "trainer.precision=transformer-engine"], "trainer: .*transformer_engine"),
    ("train", [*TRAIN, "snr_db=1e6"], "snr_db=1000000.0 must be a number of decibels, such as 20"),
    ("train", [*TRAIN, "trainer.accelerator=tpux"], "trainer: .*tpux"),
    ("train", [*TRAIN, "trainer.accelerator=cuda", "trainer.devices=64"], "trainer: "),
    pytest.param(
        *("train", [*TRAIN, "trainer.accelerator=gpu"], "use trainer.accelerator=cpu, or auto"),
        marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
    ),
    ("train", [*TRAIN, "trainer.devices=0"], "trainer: "),
    ("train", [*TRAIN, "+trainer.max_epoch=3"], "trainer: .*max_epoch"),
    ("train", [*TRAIN, "trainer.check_val_every_n_epoch=2"], "at most trainer.max_epochs=1"),
    ("train", [*TRAIN, "trainer=ddp", "trainer.accelerator=cpu", "loader.batch_size=5"], "shared"),
    ("train", [*TRAIN, "noise=nan"], "noise=nan: give a number, 0 or more"),
    ("train", [*TRAIN, "noise=-0.1"], "noise=-0.1: give a number, 0 or more"),
    ("train", [*TRAIN, "noise=5"], "noise=5: give a number, 0 or more, up to 2.56"),
    ("train", [*WHOLE, "loader.crop=500", "loader.shortest_crop=600"], "longest crops have 500"),
    ("train", [*TRAIN, "noise=0.1", "snr_db=20"], "noise=0.1 and snr_db=20: choose one"),
    ("train", [*TRAIN, "seed=4294967296"], "seed=4294967296: give 0 to 4294967295"),
    ("train", [*TRAIN, "loader.batch_size=0"], "loader.batch_size=0: give a whole number"),
    ("train", [*TRAIN, "loader.workers=-1"], "loader.workers=-1: give a whole number"),
    ("train", [*TRAIN, "model.init=random"], "model.init=random: choose one of balanced"),
    ("train", [*TRAIN, "model=tcn", "model.levels=two"], "model.levels=two: give a whole number"),
    ("train", [*TRAIN, "model=tcn", "model.levels=13"], "levels=13 must be 1 to 12"),
    ("train", [*TRAIN, "model.levels=6"], "unknown setting 'model.levels'"),
    ("train", [*TRAIN, "model=resnet"], "unknown model 'resnet'; choose one of ckcnn"),
    ("train", [*TRAIN, "kernl=3"], "unknown setting 'kernl', did you mean 'kernel'?"),
    ("train", [*TRAIN, "+foo=1"], "unknown setting 'foo'"),
    ("train", [*TRAIN, "~seed"], "~seed: write seed=… without '~'"),
    ("train", ["resume=nothing"], "nothing is no run directory"),
    ("train", ["resume=run", "kernel=3"], "kernel=3: a resumed run keeps its own settings"),
    # train: datasets
    ("train", [*TRAIN, "data.folder=nan"], "signal . has NaN or infinite volts"),
    ("train", [*TRAIN, "data.folder=nokey"], "'bubbles/depth_m' is missing"),
    ("train", [*TRAIN, "data.folder=schema"], "schema version 7 is not 1"),
    ("train", [*TRAIN, "data.folder=cut"], "not a readable HDF5 file"),
    ("train", [*TRAIN, "data.folder=rate"], "sampling_rate_hz=-1: give the rate in Hz"),
    ("train", [*TRAIN, "data.folder=offset"], "bubbles/offset"),
    ("train", [*TRAIN, "data.folder=empty"], "not a readable HDF5 file"),
    ("train", [*TRAIN, "data.folder=words"], "rf holds"),
    # evaluate
    ("evaluate", ["run=nothing"], "nothing is no run directory"),
    ("evaluate", ["run=run", "checkpoint=worst"], "checkpoint=worst: choose one of best, last"),
    ("evaluate", ["run=run", "selection=test"], "selection=test: choose one of val, train"),
    ("evaluate", ["run=run", "snr_db=1e6"], "snr_db=1000000.0 must be a number of decibels"),
    ("evaluate", ["run=run", "noise=[0.1,5]"], "noise=.*: give a number, 0 or more, up to 2.56"),
    ("evaluate", ["run=run", "noise=[0.1,-1]"], "noise=.*: give a number, 0 or more"),
    ("evaluate", ["run=run", "baselines=[oracle]"], "baselines=.*oracle.*choose one of matched"),
    ("evaluate", ["run=run", "batch_size=0"], "batch_size=0: give a whole number, 1 or more"),
    ("evaluate", ["run=run", "folder=nowhere"], "no dataset at nowhere"),
    ("evaluate", ["run=run", "folder=nan"], "NaN or infinite volts"),
    # compare
    ("compare", ["runs=[run]"], "1 run to compare: name two or more"),
    ("compare", ["runs=[run,run]"], "run is given twice"),
    ("compare", ["runs=[run,nothing]"], "nothing is no run directory"),
    ("compare", ["runs=[run,run]", "tolerance=-1"], "tolerance=-1: give a whole number"),
    ("compare", ["runs=[run,run]", "tolerance=4mm"], "or a depth in micrometres such as 47um"),
    ("compare", ["runs=[run,run]", "evaluate=maybe"], "evaluate=maybe: give true or false"),
    # localize
    ("localize", [*LOCALIZE, "input=nowhere.npy"], "no file nowhere.npy"),
    ("localize", [*LOCALIZE, "input=file"], "cannot read a file without suffix"),
    ("localize", [*LOCALIZE, "input=short.npy"], "shorter than the"),
    ("localize", [*LOCALIZE, "input=nan.npy"], "NaN or infinite at sample"),
    ("localize", [*LOCALIZE, "input=pickle.npy"], "pickle.npy"),
    ("localize", [*LOCALIZE, "input=complex.npy"], "holds complex samples"),
    ("localize", [*LOCALIZE, "input=words.csv"], "not a table of numbers|words.csv"),
    ("localize", [*LOCALIZE, "input=empty.csv"], "empty.csv is empty"),
    ("localize", [*LOCALIZE, "input=noise.mat"], "noise.mat"),
    ("localize", [*LOCALIZE, "input=good.npy", "threshold=nan"], "threshold=nan: give a number"),
    ("localize", [*LOCALIZE, "run=robust", "input=good.npy", "threshold=2"], "give 0 to 1"),
    ("localize", [*LOCALIZE, "input=good.npy", "sampling_rate_hz=-1"], "sampling_rate_hz=-1: give"),
    ("localize", [*LOCALIZE, "input=good.npy", "sampling_rate_hz=50e6"], "resample=true"),
    ("localize", [*LOCALIZE, "input=good.npy", "sampling_rate_hz=62.5"], "62.5: give a rate in Hz"),
    ("localize", [*LOCALIZE, "input=good.npy", "speed_of_sound_m_s=1.54"], "1.54: give a speed"),
    ("localize", [*LOCALIZE, "input=good.npy", "picture=9"], "picture=9"),
    ("localize", [*LOCALIZE, "input=good.npy", "frames=[5,2]"], "smaller number first"),
    ("localize", [*LOCALIZE, "input=good.npy", "frames=[0,99]"], "has frames 0 to "),
    ("localize", [*LOCALIZE, "input=good.npy", "calibrate=-20"], "calibrate=-20: give a number"),
    ("localize", [*LOCALIZE, "input=good.npy", "calibrate=9000"], "no echo stands out within 3 mm"),
    (
        "localize",
        [*LOCALIZE, "input=good.npy", "band_mhz=[0,4]"],
        "band_mhz.*: give (a|two) number",
    ),
    ("localize", [*LOCALIZE, "input=good.npy", "band_mhz=[1,40]"], "must end below half the"),
    ("localize", [*LOCALIZE, "input=good.npy", "region_mm=[900,950]"], "lies outside of"),
    ("localize", [*LOCALIZE, "input=good.npy", "region_mm=[9,9.1]"], "shorter than the"),
    ("localize", [*LOCALIZE, "input=good.npy", "output=found.xls"], "output=found.xls: choose"),
    (
        "localize",
        [*LOCALIZE, "input=good.npy", "output=file/found.csv"],
        "cannot write file/found.csv",
    ),
    ("localize", [*LOCALIZE, "input=good.npy", "+keys=rf"], "unknown setting .*keys"),
    # convert and export
    ("convert", ["source=nowhere", "output=x/train.h5"], "source=nowhere is no folder"),
    ("convert", ["source=nothing", "output=x/train.h5"], "nothing holds no .txt or .mat"),
    ("convert", ["source=texts", "output=x/train.h5"], "nothing to import"),
    ("convert", ["source=texts", "output=x/train.csv"], "must end in .h5"),
    ("convert", ["source=texts", "output=x.h5", "speed_of_sound_m_s=1.48"], "1.48: give a speed"),
    ("convert", ["source=texts", "output=x.h5", "sampling_rate_hz=0"], "sampling_rate_hz=0: give"),
    ("export", ["run=run", "output=net.zip"], "output=net.zip: the name must end in"),
    ("export", ["run=nothing", "output=net.pt2"], "nothing is no run directory"),
]


@pytest.mark.parametrize(
    ("name", "overrides", "message"), CASES, ids=[f"{c[0]} {c[1][-1]}" for c in CASES]
)
def test_bad_input_is_refused_in_one_line(place, monkeypatch, name, overrides, message):
    monkeypatch.chdir(place)
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    with pytest.raises((InputError, OSError, HydraException, OmegaConfBaseException)) as refused:
        command(name, *overrides)
    line = explain(refused.value, known_settings(name))
    assert line is not None
    assert "\n" not in line
    assert re.search(message, line), line
    after = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    unfinished = {path for path in after.keys() - before.keys() if "outputs/new" not in str(path)}
    assert not unfinished
    assert all(after.get(path) == time for path, time in before.items())


SUBPROCESSES = [
    ("simulate", ["data=tiny", "data.physics.shell=lipid"], "lipid"),
    ("simulate", ["data=tiny", "data.physics.bubble=round"], "choose one of nonlinear, linear"),
    ("simulate", ["data=tiny", "data.waveform=sine"], "sine: no such file"),
    ("simulate", ["data=tiny", "data.waveform=luc", "data.physics.cycles=2"], "leave out cycles"),
    ("simulate", ["data=tiny", "data.physics.transducer=gaussian"], "give center_hz and"),
    ("simulate", ["data=tiny", "data.physics.cycles=999"], "longer than the record"),
    ("simulate", ["data=tiny", "data.deepest_m=0.1"], "deepest_m=0.1: give at most 0.0963"),
    ("train", [*TRAIN, "+foo=1"], "unknown setting 'foo'"),
    ("train", [*TRAIN, "hydra.run.dir=/proc/run"], "/proc"),
    ("evaluate", [], "run=… is missing, such as in: bubbleloc evaluate run=outputs/train/<run>"),
    ("localize", ["rate_hz=5e7"], "unknown setting 'rate_hz', did you mean 'sampling_rate_hz'?"),
    ("train", ["data=nope"], "unknown data 'nope'; choose one of demo, paper"),
    ("compare", ["runs=[nowhere,elsewhere]"], "nowhere is no run directory"),
    ("map", ["phantom=pair", "angles_deg=[]"], "angles_deg=[]"),
    ("convert", ["source=nowhere", "output=x/train.h5"], "source=nowhere is no folder"),
]


@pytest.mark.parametrize(("name", "overrides", "message"), SUBPROCESSES)
def test_users_see_one_line_and_exit_code_2(tmp_path, name, overrides, message):
    refused = run(tmp_path, name, *overrides)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_every_setting_has_a_type_and_every_type_a_setting():
    """A type for a setting that was renamed would silently check nothing."""
    models = [yaml.safe_load(p.read_text()) for p in (config_folder() / "model").glob("*.yaml")]
    in_models = {f"model.{key}" for model in models for key in model}
    for command in COMMANDS:
        typed = catalogue(command)
        if not is_composed(command):
            continue
        config, _ = composed(command, [])
        found = set(names(OmegaConf.to_container(config))) - {"budget", "experiment"}
        assert found | (in_models if "model" in typed else set()) == set(typed), command
    assert catalogue("evaluate")["baselines"].values == f"one of {', '.join(CLASSICAL)}"


def names(values, above=""):
    for key, value in values.items():
        yield above + key
        if isinstance(value, dict):
            yield from names(value, f"{above}{key}.")
