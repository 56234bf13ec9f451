"""The whole way, as commands: simulate, train, resume, evaluate, compare, and the notebook."""

import pandas as pd

from tests.conftest import SMALL_RUN, run


def test_training_simulates_what_is_missing(workplace):
    names = sorted(path.name for path in (workplace / "data/tiny").iterdir())
    assert names == ["test.h5", "train.h5", "val.h5"]


def test_report_holds_tables_and_figures(workplace):
    report = workplace / "outputs/a/report"
    scores = pd.read_csv(report / "f1_test.csv")
    assert len(scores) == 4 * 10
    assert {"signal", "tolerance", "f1", "bubbles", "pressure_pa"} <= set(scores.columns)
    assert scores["f1"].between(0, 1).all()
    assert (report / "report.html").stat().st_size > 10_000
    assert "figures/f1_violins.png" in (report / "report.md").read_text()
    for name in ("f1_violins.png", "f1_violins.svg", "f1_heatmap.png"):
        assert (report / "figures" / name).stat().st_size > 1000
    assert {"f1_sweep.csv", "thresholds.csv"} <= {path.name for path in report.iterdir()}


def test_runs_are_compared(workplace):
    compared = run(workplace, "compare", "runs=[outputs/a,outputs/b]")
    assert compared.returncode == 0, compared.stderr
    assert compared.stdout.strip().endswith("comparison.html")


def test_a_finished_run_resumes_to_nothing_and_is_not_overwritten(workplace):
    assert run(workplace, "train", "resume=outputs/a").returncode == 0
    refused = run(workplace, "train", *SMALL_RUN, "hydra.run.dir=outputs/a")
    assert refused.returncode == 2
    assert "resume=outputs/a" in refused.stderr
