import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.comparison import compare_runs, setting_names, short_names, trained_with
from bubbleloc.files import fingerprint
from bubbleloc.models.runs import open_run


def test_names_are_the_shortest_ends_that_differ():
    folders = [Path("x/a/run"), Path("x/b/run"), Path("x/other")]
    assert short_names(folders) == ["a/run", "b/run", "other"]
    assert short_names([Path("a"), Path("sub/a")])[1] == "sub/a"


def test_runs_of_a_sweep_are_named_after_what_differs():
    trained = [{"kernel": k, "seed": s, "lr": 1} for k in (65, 131) for s in (0, 1)]
    assert setting_names(trained)[3] == "kernel=131, seed=1"
    assert setting_names(trained[::2])[1] == "kernel=131"
    assert setting_names([{"kernel": 1}, {"kernel": 1}]) == ["run 0", "run 1"]


def test_settings_are_those_of_the_network(workplace):
    values = trained_with(open_run(workplace / "outputs/a"))
    assert (values["model"], values["kernel"], values["data.name"]) == ("ckcnn", 31, "tiny")
    assert "data.folder" not in values


@pytest.fixture
def sweep(workplace, tmp_path, monkeypatch):
    """A sweep folder of evaluated runs that claim other settings than they had."""
    monkeypatch.chdir(workplace)
    for i, (source, omega) in enumerate([("a", 10.0), ("a", 20.0), ("b", 30.0)]):
        run = shutil.copytree(workplace / "outputs" / source, tmp_path / "sweep" / str(i))
        config = yaml.safe_load((run / "config.yaml").read_text())
        config["omega_0"] = config["model"]["omega_0"] = omega
        config["model"] = {**config["model"], "name": "ckcnn"}
        config["model"].pop("window_samples", None)
        (run / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path / "sweep"


def test_a_sweep_is_given_whole(sweep, tmp_path):
    page = compare_runs(str(sweep), tmp_path / "out").page
    table = pd.read_csv(tmp_path / "out/sweep.csv")
    assert sorted(table["omega_0"]) == [10, 20, 30]
    assert set(table["run"]) == {f"omega_0={value}" for value in (10.0, 20.0, 30.0)}
    assert (tmp_path / "out/figures/f1_omega_0.svg").is_file()
    assert "What the sweep varied" in page.read_text()


def test_a_run_without_report_is_named_with_the_command(sweep, tmp_path):
    shutil.rmtree(sweep / "1/report")
    with pytest.raises(InputError, match=r"no report in .*/1/report; .* \(1 of 3 runs\): run "):
        compare_runs([sweep], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    compare_runs([sweep], tmp_path / "out", evaluate=True)
    assert (sweep / "1/report/report.html").is_file()


def test_runs_that_differ_in_more_than_numbers_are_no_sweep(workplace, tmp_path):
    runs = [workplace / "outputs/a", workplace / "outputs/b"]
    compare_runs(runs, tmp_path / "out", tolerance="24um")
    assert not (tmp_path / "out/sweep.csv").exists()
    assert "±2 samples (24 µm)" in (tmp_path / "out/comparison.md").read_text()
    scores = pd.read_csv(tmp_path / "out/scores.csv")
    assert set(scores["run"]) == {"a", "b"}


def test_one_run_or_one_twice_is_no_comparison(workplace, tmp_path):
    run = workplace / "outputs/a"
    with pytest.raises(InputError, match=r"1 run to compare: name two or more"):
        compare_runs([run], tmp_path)
    with pytest.raises(InputError, match="is given twice"):
        compare_runs([run, run / "../a"], tmp_path)


@pytest.fixture
def pair(workplace, tmp_path, monkeypatch):
    """Two evaluated runs."""
    monkeypatch.chdir(workplace)
    return [shutil.copytree(workplace / "outputs" / name, tmp_path / name) for name in "ab"]


def test_a_report_of_an_earlier_checkpoint_is_not_compared(pair, tmp_path):
    run, other = pair
    before = json.loads((run / "report/report.json").read_text())
    shutil.copy(other / "checkpoints/best.ckpt", run / "checkpoints/best.ckpt")
    shutil.copy(other / "config.yaml", run / "config.yaml")
    with pytest.raises(InputError, match=r"a/report describes an earlier .*or add evaluate=true"):
        compare_runs(pair, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    compare_runs(pair, tmp_path / "out", evaluate=True)
    scores = pd.read_csv(tmp_path / "out/scores.csv")
    a, b = (scores.loc[scores["run"] == name, "f1"].to_numpy() for name in "ab")
    np.testing.assert_array_equal(a, b)
    report = json.loads((run / "report/report.json").read_text())
    assert (
        report["checkpoint"] == fingerprint(run / "checkpoints/best.ckpt") != before["checkpoint"]
    )


def test_a_damaged_report_is_not_compared(pair, tmp_path):
    (pair[1] / "report/report.json").write_text("{")
    with pytest.raises(InputError, match=r"b/report is damaged .*run=.*/b, or add evaluate=true"):
        compare_runs(pair, tmp_path / "out")


def test_a_report_on_other_data_lies_apart_and_is_compared_when_named(pair, workplace, tmp_path):
    other = shutil.copytree(workplace / "data/tiny", tmp_path / "other")
    shutil.copy(other / "train.h5", other / "test.h5")
    own = (pair[0] / "report/report.json").read_bytes()
    for run in pair:
        page = evaluate_run(run, folder=other, baselines=[]).page
        assert page == run / "report-other/report.html"
    assert (pair[0] / "report/report.json").read_bytes() == own
    signals = {}
    for name, folder in (("own", None), ("told", other)):
        compare_runs(pair, tmp_path / name, folder=folder)
        signals[name] = pd.read_csv(tmp_path / name / "scores.csv")["signal"].nunique()
    assert signals == {"own": 4, "told": 8}
    shutil.rmtree(pair[0] / "report")
    shutil.copytree(pair[0] / "report-other", pair[0] / "report")  # as earlier versions did
    with pytest.raises(InputError, match="a/report describes other test data than the run's"):
        compare_runs(pair, tmp_path / "mixed")
