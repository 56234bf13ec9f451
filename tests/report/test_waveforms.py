"""The report of a sweep over waveforms, on made-up scores."""

import numpy as np
import pandas as pd
import pytest

from bubbleloc.errors import InputError
from bubbleloc.report.studies import noise_table, write_waveforms
from bubbleloc.units import Scale

SCALE = Scale(62.5e6, 1480, None)
F1 = {"ref": 0.8, "luc": 0.6, "dpt": 0.7}


@pytest.fixture
def scores():
    """Scores of three waveforms, two seeds each; noise costs, and tolerance helps."""
    rng = np.random.default_rng(0)
    bubbles, pressure_pa = rng.integers(10, 1000, 16), rng.uniform(5e3, 250e3, 16)
    rows = [
        {
            "run": run,
            "seed": seed,
            "noise": noise,
            "signal": signal,
            "tolerance": tolerance,
            "precision": rng.random(),  # differs between seeds, as other columns do
            "f1": f1 - 0.2 * noise + 0.01 * tolerance + 0.01 * rng.standard_normal(),
            "bubbles": bubbles[signal],
            "pressure_pa": pressure_pa[signal],
        }
        for run, f1 in F1.items()
        for seed in (0, 1)
        for noise in (0.0, 0.64)
        for signal in range(16)
        for tolerance in (0, 2, 4, 9)
    ]
    return pd.DataFrame(rows)


def test_the_best_waveform_comes_first(scores, tmp_path):
    page = write_waveforms(tmp_path / "study", scores, SCALE)
    text = page.with_suffix(".md").read_text()
    assert "by ref" in text
    assert text.index("| ref") < text.index("| dpt") < text.index("| luc")
    assert (tmp_path / "study/figures/conditions.png").is_file()
    summary = pd.read_csv(tmp_path / "study/summary.csv")
    assert len(summary) == 3 * 2 * 4
    assert (summary["signals"] == 16).all()  # whatever the number of seeds
    noisy = summary[(summary["run"] == "luc") & (summary["noise"] == 0.64)]
    assert noisy["mean"].to_numpy() == pytest.approx(
        0.6 - 0.128 + 0.01 * noisy["tolerance"].to_numpy(), abs=0.01
    )


def test_differences_of_waveforms_are_judged_by_those_of_seeds(scores):
    means = scores[scores["tolerance"] == 4].groupby(["noise", "run", "seed"])["f1"].mean()
    table = noise_table(scores, list(F1)).set_index("run")
    low, high = sorted(means[0.0]["ref"])
    assert table.loc["ref", "noise 0"] == f"{(low + high) / 2:.3f} ({low:.3f}–{high:.3f})"
    squares = means[0.64].unstack().diff(axis=1)[1] ** 2 / 2  # variance of each pair of seeds
    assert float(table.loc["least difference", "noise 0.64"]) == pytest.approx(
        3.182 * np.sqrt(squares.mean()), abs=6e-4
    )  # t of three degrees of freedom; √(2/n) is 1 for two seeds


def test_runs_of_one_seed_have_no_spread(scores):
    once = noise_table(scores[scores["seed"] == 0], ["luc", "dpt", "ref"])
    assert list(once["run"]) == ["luc", "dpt", "ref"]
    assert "(" not in "".join(once["noise 0"])
    mixed = noise_table(scores[(scores["seed"] == 0) | (scores["run"] != "luc")], list(F1))
    spread = mixed.set_index("run")["noise 0"].str.contains("(", regex=False)
    assert spread.to_dict() == {"ref": True, "luc": False, "dpt": True, "least difference": False}


def test_other_scenes_are_refused(scores, tmp_path):
    scores.loc[(scores["run"] == "luc") & (scores["signal"] == 3), "bubbles"] += 1
    with pytest.raises(InputError, match="different scenes"):
        write_waveforms(tmp_path / "study", scores, SCALE)
