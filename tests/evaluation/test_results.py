"""What `evaluate_run` and `compare_runs` return: pages that can be opened, and their tables."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from bubbleloc import compare_runs, evaluate_run
from bubbleloc.errors import InputError
from tests.test_nothing_stale import Facts, _no_pictures, make_run  # noqa: F401 (a fixture)


def test_a_report_and_a_comparison_give_their_tables(tmp_path):
    run = make_run(tmp_path, Facts())
    report = evaluate_run(str(run), baselines=[])
    assert report.page == Path(report) == Path(str(report)) == run / "report/report.html"
    with open(report, encoding="utf-8") as page:  # noqa: PTH123 (as users open it)
        assert "F1 report" in page.read()
    for table, name in (
        (report.scores, "f1_test"),
        (report.summary, "summary"),
        (report.table("figures/errors"), "figures/errors"),
    ):
        assert_frame_equal(table, pd.read_csv(run / f"report/{name}.csv"))
    assert {"f1_test", "thresholds", "matched"} <= set(report.names)
    with pytest.raises(InputError, match=r"report has no table 'threshold'; it has .*'thresholds'"):
        report.table("threshold")
    other = Path(shutil.copytree(run, tmp_path / "other"))
    compared = compare_runs([run, other], tmp_path / "compared")
    assert set(compared.scores["run"]) == {"run", "other"}
    assert set(compared.summary["run"]) == {"run", "other", "random output"}


def test_an_evaluation_shows_what_it_does(tmp_path, capsys):
    run = make_run(tmp_path, Facts())
    evaluate_run(run)
    shown = capsys.readouterr().err
    for words in ("predict ", "random output ", "matched filter ", "Wiener ", "draw report.html"):
        assert words in shown


def test_conditions_are_evaluated_from_python_too(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "bubbleloc.evaluation.conditions.evaluate_conditions",
        lambda run, settings: asked.append(settings.conditions) or tmp_path / "page.html",
    )
    assert evaluate_run("small", conditions="all").page == tmp_path / "page.html"
    assert asked == ["all"]
