import dataclasses
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from bubbleloc.errors import InputError
from bubbleloc.files import WRITTEN
from bubbleloc.physics import Setup
from bubbleloc.report import Report
from bubbleloc.report.comparison import (
    sweep_heatmap,
    sweep_lines,
    varied_parameters,
    write_comparison,
)

SCALE = Setup().scale


def report_of(level, fingerprint="same", signals=20, scale=SCALE):
    rng = np.random.default_rng(0)
    rows = [
        {"signal": i, "tolerance": t, "f1": level + 0.05 * rng.random(), "random_f1": 0.2}
        for i in range(signals)
        for t in (0, 4)
    ]
    return Report(
        scores=pd.DataFrame(rows),
        test_fingerprint=fingerprint,
        selection_split="val",
        checkpoint="c0ffee",
        scale=scale,
        facts={},
    )


SWEEP = {
    f"kernel={kernel},omega_0={omega}": {"kernel": kernel, "omega_0": omega, "model": "ckcnn"}
    for kernel in (65, 131, 1055)
    for omega in (10, 20.5)
}
REPORTS = {name: report_of(0.9 - run["kernel"] / 2000) for name, run in SWEEP.items()}


def test_comparison_writes_tables_figures_and_page(tmp_path):
    page = write_comparison(tmp_path, {"good": report_of(0.8), "worse": report_of(0.5)})
    assert "by good" in page.read_text()
    names = {path.name for path in tmp_path.iterdir()}
    tables = {f"{name}.{kind}" for name in ("summary", "pairs") for kind in ("csv", "md", "tex")}
    assert names == tables | {
        *("scores.csv", "figures", "comparison.md", "comparison.html", WRITTEN)
    }
    summary = pd.read_csv(tmp_path / "summary.csv").set_index(["run", "tolerance"])
    assert summary.loc[("random output", 4), "median"] == 0.2
    pairs = pd.read_csv(tmp_path / "pairs.csv").set_index("tolerance")
    assert pairs.loc[4, "median_difference"] == pytest.approx(0.3)
    assert pairs.loc[4, "effect"] == 1


def test_sweep_is_drawn_against_what_it_varied(tmp_path):
    write_comparison(tmp_path, REPORTS, parameters=SWEEP)
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert drawn == {"violins", "f1_kernel", "f1_omega_0", "f1_kernel_omega_0"}
    assert "F1 against kernel" in (tmp_path / "comparison.md").read_text()
    table = pd.read_csv(tmp_path / "sweep.csv")
    assert list(table.columns[:2]) == ["kernel", "omega_0"]
    assert len(table) == 6


def test_tolerances_in_um_follow_the_scale_of_the_data(tmp_path):
    scale = dataclasses.replace(SCALE, sampling_rate_hz=50e6, speed_of_sound_m_s=1550)
    runs = {"a": report_of(0.8, scale=scale), "b": report_of(0.7, scale=scale)}
    page = write_comparison(tmp_path, runs).with_suffix(".md").read_text()
    assert "±4 samples (62 µm)" in page
    drawn = (tmp_path / "figures/violins.svg").read_text()
    assert "±4 samples (62 µm)" in drawn
    assert "47 µm" not in page + drawn
    with pytest.raises(InputError, match="b and a were scored on different test data"):
        write_comparison(tmp_path / "mixed", {"a": report_of(0.8), "b": runs["b"]})


def files_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_comparison_cut_short_leaves_the_one_before(tmp_path, monkeypatch):
    def cut(*_):
        raise KeyboardInterrupt

    (tmp_path / "there").mkdir()
    link = tmp_path / "out"
    link.symlink_to(tmp_path / "there")
    page = write_comparison(link, {"a": report_of(0.8), "b": report_of(0.7)})
    before = files_of(tmp_path)
    others = {"a": report_of(0.5), "b": report_of(0.4)}
    with monkeypatch.context() as patch:
        patch.setattr("bubbleloc.report.comparison.run_violins", cut)
        with pytest.raises(KeyboardInterrupt):
            write_comparison(link, others)
    assert files_of(tmp_path) == before
    assert write_comparison(link, others) == page
    after = files_of(tmp_path)
    assert after.keys() == before.keys()
    assert after != before
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["notes.txt", "runs/a/config.yaml", ".git/HEAD", "summary.docx"])
def test_a_folder_with_other_files_is_not_replaced(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    refusal = f"replaces its folder, which holds {name.split('/')[0]}; choose another folder"
    with pytest.raises(InputError, match=refusal):
        write_comparison(tmp_path, {"a": report_of(0.8), "b": report_of(0.7)})
    assert files_of(tmp_path) == {tmp_path / name: b"mine"}


def test_the_working_folder_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"output=\.: .* is the working folder"):
        write_comparison(Path(), {"a": report_of(0.8), "b": report_of(0.7)})


def test_runs_that_differ_in_no_number_have_no_sweep(tmp_path):
    parameters = {"a": {"model": "ckcnn", "seed": 1}, "b": {"model": "dilated_cnn", "seed": 2}}
    runs = {"a": report_of(0.8), "b": report_of(0.7)}
    write_comparison(tmp_path, runs, parameters=parameters)
    assert not (tmp_path / "sweep.csv").exists()


def test_varied_parameters_are_shared_and_differ():
    runs = {"a": {"kernel": 3, "seed": 1, "x": 1, "only": 1}, "b": {"kernel": 5, "seed": 2, "x": 1}}
    assert varied_parameters(runs) == ["kernel"]


@pytest.fixture(scope="module")
def table():
    rows = [
        {"kernel": k, "omega_0": w, "median": m, "median_low": m - 0.1, "median_high": m, "mean": m}
        for (k, w, m) in [(65, 10, 0.8), (65, 10, 0.6), (131, 10, 0.5), (1055, 20, 0.3)]
    ]
    return pd.DataFrame(rows)


def test_lines_average_repetitions_and_show_every_value(table):
    figure = sweep_lines(table, "kernel", ["omega_0"], "F1")
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.containers[0].lines[0].get_ydata(orig=False), [0.7, 0.5])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["65", "131", "1055"]
    assert axes.get_xscale() == "log"
    assert sweep_lines(table, "omega_0", [], "F1").axes[0].get_xscale() == "linear"


def test_heatmap_writes_the_numbers_and_leaves_gaps(table):
    figure = sweep_heatmap(table, "kernel", "omega_0")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["0.700", "0.500", "0.300"]
    assert isinstance(figure, mpl.figure.Figure)
