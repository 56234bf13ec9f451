from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bubbleloc.console.settings import Evaluate
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.conditions import (
    CONDITIONS,
    EMPTY_LINES,
    SPECIALISTS,
    empty_lines,
    evaluate_conditions,
)
from bubbleloc.models.runs import open_run


@pytest.fixture(scope="module")
def page(workplace):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        datasets = ("tiny", "tiny")
        settings = Evaluate(run="outputs/a", baselines=[])
        return evaluate_conditions(open_run("outputs/a"), settings, datasets).resolve()


def test_every_condition_stands_beside_its_specialist(page):
    table = pd.read_csv(page.parent / "conditions.csv")
    assert list(table["condition"].unique()) == list(CONDITIONS) == list(SPECIALISTS)
    assert list(table["tolerance"]) == 8 * list(range(10))
    for condition, published in SPECIALISTS.items():
        at = table[table["condition"] == condition]
        np.testing.assert_allclose(at["specialist"], published)
    assert (table["f1_low"] <= table["f1"]).all()
    assert table.loc[table["tolerance"] > 0, "one to one"].notna().all()
    assert (page.parent / "figures/conditions.png").stat().st_size > 10_000


def test_a_condition_is_scored_as_evaluate_scores_it(page, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    table = pd.read_csv(page.parent / "conditions.csv").set_index(["condition", "tolerance"])
    evaluate_run(Path("outputs/b"), baselines=[])  # leaves the report of outputs/a alone
    summary = pd.read_csv("outputs/a/report/summary.csv").set_index("tolerance")
    np.testing.assert_allclose(table.loc["clean", "f1"], summary["mean"], rtol=1e-6)


def test_empty_lines_are_zeros_a_constant_and_noise(page):
    table = pd.read_csv(page.parent / "empty_lines.csv").set_index("line")
    assert list(table["lines"]) == [1, 1, EMPTY_LINES]
    assert table.loc["zeros", "detections per line"] == 0
    assert table.loc["constant", "detections per line"] == 0


def test_detections_in_empty_lines_are_those_of_localize(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    trained = open_run("outputs/a")
    few = empty_lines(trained, 2000).set_index("line")["detections per line"]
    trained.card.thresholds[4] = 1e9
    assert not empty_lines(trained, 2000)["detections per line"].any()
    assert few["noise alone, 1–32 %"] >= 0


@pytest.mark.parametrize("setting", ["folder", "noise", "snr_db", "selection", "resample"])
def test_a_setting_that_the_conditions_decide_is_refused(workplace, monkeypatch, setting):
    monkeypatch.chdir(workplace)
    values = {"folder": "data/x", "noise": 0.1, "snr_db": 10, "selection": "train"}
    settings = Evaluate(run="outputs/a", **{setting: values.get(setting, True)})
    with pytest.raises(InputError, match=f"{setting}=.*: the conditions decide it"):
        evaluate_conditions(open_run("outputs/a"), settings, ("tiny", "tiny"))
