"""The commands as Python functions, in a process without Hydra, and as one console script."""

import subprocess
import sys

import pytest
import yaml
from hydra.core.hydra_config import HydraConfig

import bubbleloc
from bubbleloc.console.settings import COMMANDS, STUDIES
from bubbleloc.errors import InputError
from tests.processes import imported

SMALL = {"hidden_channels": 2, "trainer": {"max_epochs": 1, "accelerator": "cpu"}}


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)  # whatever other tests left there
    return tmp_path


def test_importing_the_package_imports_nothing_else(tmp_path):
    code = (
        "import sys, importlib, typing\n"
        "before = set(sys.modules)\n"
        "import bubbleloc\n"
        "assert set(sys.modules) - before == {'bubbleloc'}\n"
        "assert {'train_network', 'localize_lines'} <= set(dir(bubbleloc))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_every_function_is_there_with_types_and_a_docstring():
    for name in set(bubbleloc.__all__) - {"__version__"}:
        function = getattr(bubbleloc, name)
        assert function.__name__ == name
        assert function.__doc__
        assert "return" in function.__annotations__
    with pytest.raises(AttributeError, match="train_networks"):
        _ = bubbleloc.train_networks


def test_data_and_a_network_are_made_and_a_run_is_continued(workplace):
    folder = bubbleloc.simulate_dataset("tiny", folder="x", seed=3, workers=1, splits=["val"])
    assert [path.name for path in folder.iterdir()] == ["val.h5"]
    bubbleloc.simulate_dataset("tiny", folder="x", seed=3, workers=1)
    given = {"data": "tiny", "data.folder": "x", "data.seed": 3} | SMALL
    run = bubbleloc.train_network("ckcnn", 15, seed=1, **given)
    assert run.parent.name == "train"
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert (config["kernel"], config["seed"], config["model"]["kernel"]) == (15, 1, 15)
    assert (run / "checkpoints/best.ckpt").is_file()
    with pytest.raises(InputError, match=f"go on with resume={run}"):
        bubbleloc.train_network("ckcnn", 15, folder=run, **given)
    instead = f"kernel=17: a resumed run keeps its own settings; .* in a new run: start_from={run}"
    with pytest.raises(InputError, match=instead):
        bubbleloc.train_network(kernel=17, resume=run)
    with pytest.warns(UserWarning, match=f"is finished; to train on, .*: start_from={run}"):
        assert bubbleloc.train_network(resume=run) == run
    assert len(yaml.safe_load((run / "run.yaml").read_text())["sessions"]) == 2
    assert sorted(path.name for path in workplace.iterdir()) == ["outputs", "x"]


def test_bad_arguments_are_refused_without_a_trace(workplace):
    with pytest.raises(InputError, match=r"unknown setting 'trainer\.max_epoch', did you mean"):
        bubbleloc.train_network(trainer={"max_epoch": 3})
    with pytest.raises(InputError, match="workers=0: give a whole number"):
        bubbleloc.simulate_dataset("tiny", workers=0)
    assert not any(workplace.iterdir())


def script(cwd, *arguments):
    command = [sys.executable, "-m", "bubbleloc", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_script_lists_the_commands(tmp_path):
    for arguments in ([], ["--help"]):
        lines = script(tmp_path, *arguments).stdout.splitlines()
        studies = lines.index("Studies:")
        names = [
            [line.split()[0] for line in part if line]
            for part in (lines[2:studies], lines[studies + 1 :])
        ]
        assert names == [[name for name in COMMANDS if name not in STUDIES], list(STUDIES)]
    refused = script(tmp_path, "trian")
    assert refused.returncode == 2
    assert "unknown command 'trian'; choose one of simulate, train" in refused.stderr


def test_the_script_runs_commands(tmp_path):
    shown = script(tmp_path, "smnist", "--help")
    assert "plateau.patience=20" in shown.stdout
    assert not {"torch", "lightning"} & imported(tmp_path, "bubbleloc", "smnist", "--help")
    made = script(tmp_path, "simulate", "data=tiny", "splits=val", "data.signals.val=1")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == "dataset: data/tiny"
    refused = script(tmp_path, "evaluate", "run=nowhere", "selection=test")
    assert refused.returncode == 2
    assert refused.stderr == "error: selection=test: choose one of val, train\n"
