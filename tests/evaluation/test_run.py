import shutil
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from bubbleloc.data.dataset import open_split
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.noise import Noise
from bubbleloc.data.store import open_dataset
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.scoring import predict, score_method
from bubbleloc.models.runs import find_runs, open_run
from tests.conftest import planned


@pytest.fixture
def run(workplace, tmp_path, monkeypatch):
    """A run of its own for every test; the working directory is where its data is."""
    monkeypatch.chdir(workplace)
    ignore = shutil.ignore_patterns("report")
    return shutil.copytree(workplace / "outputs/a", tmp_path / "run", ignore=ignore)


def test_report_stands_beside_classical_methods(run):
    text = evaluate_run(run).page.with_suffix(".md").read_text()
    scores = pd.read_csv(run / "report/f1_test.csv")
    assert {"random_f1", "matched_filter_f1", "wiener_f1"} <= set(scores.columns)
    beside = pd.read_csv(run / "report/matched_floor.csv").set_index("method")
    assert set(beside.index) == {"network", "random output", "matched filter", "Wiener"}
    matched = pd.read_csv(run / "report/matched.csv").set_index("tolerance")
    assert beside.loc["network", "f1"] == pytest.approx(matched.loc[4, "f1"])
    assert "| kernel | 31 samples |" in text
    assert "Thresholds were chosen on the val split" in text
    for title in ("One-to-one scores", "Localization error, depth and density"):
        assert f"## {title}" in text


def test_scores_are_those_of_the_network_at_thresholds_of_the_other_split(run):
    evaluate_run(run, selection="train", baselines=[])
    network = open_run(run).network
    train, test = (open_split(Path("data/tiny"), name, Noise()) for name in ("train", "test"))
    expected = score_method(partial(predict, network=network), train, test).scores
    table = pd.read_csv(run / "report/f1_test.csv")
    np.testing.assert_allclose(table["f1"], expected.f1.ravel(), rtol=1e-6)
    assert set(pd.read_csv(run / "report/thresholds.csv")["split"]) == {"train"}
    assert "chosen on the train split" in (run / "report/report.md").read_text()


def test_a_list_of_noise_levels_adds_f1_against_noise(run):
    evaluate_run(run, noise=[0.32, 0, 0.04], baselines=["matched_filter"])
    noise = pd.read_csv(run / "report/noise.csv")
    assert list(noise["noise"].unique()) == [0, 0.04, 0.32]
    assert len(noise) == 30
    assert {"median", "mean_low", "random_mean", "matched_filter_mean"} <= set(noise.columns)
    scores = pd.read_csv(run / "report/f1_test.csv")
    at_run_level = pd.read_csv(run / "report/f1_noise.csv").query("noise == 0")
    np.testing.assert_array_equal(at_run_level["f1"], scores["f1"])
    assert (run / "report/figures/f1_noise.svg").is_file()
    assert "## F1 against noise" in (run / "report/report.md").read_text()
    evaluate_run(run, noise=0.04, baselines=[])
    assert "noise | 0.04 (standard deviation 0.386 V)" in (run / "report/report.md").read_text()
    assert not (run / "report/noise.csv").exists()  # nothing stays that the page does not show
    assert not (run / "report/figures/f1_noise.png").exists()


def test_kernels_are_resampled_for_lines_of_another_rate(run, tmp_path):
    few = ("data.signals.val=2", "data.signals.test=2")
    faster = planned(tmp_path / "fast", *few, "data.physics.sampling_rate_hz=125e6")
    faster = faster.only(["val", "test"])
    ensure_dataset(faster, workers=1)
    with pytest.raises(InputError, match=r"at 125 MHz.* trained at 62\.5 MHz; add resample=true"):
        evaluate_run(run, folder=faster.folder, baselines=[])
    page = evaluate_run(run, folder=faster.folder, baselines=[], resample=True).page
    assert page == run / "report-fast/report.html"
    assert "resampled from 62.5 to 125 MHz" in page.with_suffix(".md").read_text()
    network = open_run(run).network.at_sampling_rate(125e6)
    val, test = (open_split(faster.folder, name, Noise()) for name in ("val", "test"))
    expected = score_method(partial(predict, network=network), val, test).scores
    table = pd.read_csv(run / "report-fast/f1_test.csv")
    np.testing.assert_allclose(table["f1"], expected.f1.ravel(), rtol=1e-6)
    assert not (run / "report").exists()


def test_files_of_the_user_in_the_folder_of_a_report_are_kept(run):
    evaluate_run(run, baselines=[])
    (run / "report/notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"report: .* which holds notes\.txt; .*move it away"):
        evaluate_run(run, baselines=[])
    assert (run / "report/notes.txt").read_text() == "mine"


def test_evaluating_twice_gives_the_same_bytes(run):
    evaluate_run(run, noise=[0.1])
    before = {path: path.read_bytes() for path in (run / "report").rglob("*") if path.is_file()}
    evaluate_run(run, noise=[0.1])
    after = {path: path.read_bytes() for path in (run / "report").rglob("*") if path.is_file()}
    assert before == after


def test_imported_data_needs_neither_radius_nor_place_nor_pressure(run, workplace, tmp_path):
    folder = shutil.copytree(workplace / "data/tiny", tmp_path / "imported")
    for path in folder.glob("*.h5"):
        with open_dataset(path, "r+") as file:
            file.attrs["config"] = "source: imported"
            file["bubbles/radius_m"][:] = np.nan
            file["bubbles/lateral_m"][:] = 0
            file["pressure_pa"][:] = np.nan
    report = evaluate_run(run, folder=folder).page.parent
    assert (report / "figures/rates_depth.png").is_file()
    assert not (report / "figures/f1_pressure.png").exists()
    with h5py.File(folder / "test.h5") as file:
        assert np.isnan(file["pressure_pa"][:]).all()


def test_without_val_the_signals_held_out_of_training_choose_thresholds(run, workplace, tmp_path):
    folder = tmp_path / "imported"
    folder.mkdir()
    for name in ("train.h5", "test.h5"):
        with open_dataset(Path(shutil.copy(workplace / "data/tiny" / name, folder)), "r+") as file:
            file.attrs["config"] = "source: imported"
    text = (
        evaluate_run(run, folder=folder, baselines=["wiener"]).page.with_suffix(".md").read_text()
    )
    assert "train.h5, 2 of 8 signals" in text
    sizes = [len(open_split(folder, name, Noise())) for name in ("train", "val", "test")]
    assert sizes == [6, 2, 4]


def test_noise_may_be_given_as_a_ratio(run):
    evaluate_run(run, snr_db=10, baselines=[])
    text = (run / "report/report.md").read_text()
    assert "test signals with noise of a signal-to-noise ratio of 10 dB. Random" in text
    evaluate_run(run, baselines=[])
    assert "4 test signals. Random" in (run / "report/report.md").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"selection": "test"}, "selection=test: choose one of val, train"),
        ({"noise": -1}, "noise=-1: give a number, 0 or more"),
        ({"noise": 0.1, "snr_db": 20}, "choose one"),
        ({"baselines": ["magic"]}, r"baselines=.*magic.*: choose one of matched_filter"),
        ({"checkpoint": "first"}, "checkpoint=first: choose one of best, last"),
    ],
)
def test_bad_settings_are_refused(run, settings, message):
    with pytest.raises(InputError, match=message):
        evaluate_run(run, **settings)
    assert not (run / "report").exists()


def test_runs_of_a_sweep_are_found_in_their_order(tmp_path):
    for name in ("10", "2", "0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("model: {}")
    (tmp_path / "multirun.yaml").write_text("")
    assert [run.folder.name for run in find_runs(tmp_path)] == ["0", "2", "10"]
    assert [run.folder for run in find_runs(tmp_path / "2")] == [tmp_path / "2"]
    with pytest.raises(InputError, match="no run directory"):
        find_runs(tmp_path / "elsewhere")
