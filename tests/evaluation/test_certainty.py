"""A network with a head of emitters, from its training to its report."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bubbleloc.data.dataset import open_split
from bubbleloc.data.generate import ensure_dataset
from bubbleloc.data.noise import REFERENCE_V, Noise
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.evaluation.certainty import arrival_bound, errors_and_bounds, single_echo
from bubbleloc.evaluation.run import at_rate_of
from bubbleloc.localization.run import localize_lines
from bubbleloc.metrics.certainty import pair_table
from bubbleloc.metrics.detections import EmitterDetections
from bubbleloc.metrics.matching import match_detections
from bubbleloc.models import runs
from bubbleloc.models.answers import answer
from bubbleloc.nn import build_model
from bubbleloc.nn.heads import UNCALIBRATED
from bubbleloc.nn.localizer import NETWORKS
from bubbleloc.physics import Setup
from bubbleloc.training import session
from tests.conftest import planned
from tests.training.test_learner import SMALL, settings


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emitters")
    longer = ("trainer.max_epochs=20", "optimizer.lr=1e-2", "hidden_channels=8", "kernel=65")
    config = settings(tiny, *SMALL, "model=ckcnn_multirate", "model.head=emitters", *longer)
    session.start(config, folder)
    return folder


def test_a_training_learns_to_expect_bubbles_and_calibrates(run, tiny):
    trained = runs.open_run(run)
    assert trained.network.head.calibration == trained.card.calibration != UNCALIBRATED
    assert set(trained.card.thresholds.values()) == {0.0}
    val = open_split(tiny, "val")
    table = localize_lines(np.stack([val.volts(i) for i in range(len(val))]), model=run)
    assert len(table) > 10
    assert table["probability"].between(0, 1).all()
    assert table["sample_sigma"].between(0.01, 20).all()
    assert table["radius_um"].between(0.5, 6).all()
    assert table["line"].is_monotonic_increasing


def test_the_report_tells_of_certainty(run):
    page = evaluate_run(run, baselines=[]).page.with_suffix(".md").read_text()
    assert "## Certainty" in page
    scores = pd.read_csv(run / "report/certainty.csv").iloc[0]
    assert 0 <= scores["calibration_error"] < 0.5
    assert 0 < scores["within_1_sigma"] <= scores["within_2_sigma"] <= 1
    bins = pd.read_csv(run / "report/reliability.csv")
    pairs = pd.read_csv(run / "report/matched_test.csv").query("tolerance == 4")
    assert bins["bubbles"].sum() == pytest.approx((pairs["matched"] / pairs["precision"]).sum())
    for name in ("reliability", "risk_coverage", "bounds"):
        assert (run / f"report/figures/{name}.png").is_file()


@pytest.mark.parametrize(("rate_hz", "model"), [(50e6, "small"), (125e6, "robust-small")])
def test_lines_of_another_rate_are_scored_as_localize_reports_them(
    rate_hz, model, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    plan = planned("lines", f"data.physics.sampling_rate_hz={rate_hz}", "data.signals.test=2")
    ensure_dataset(plan.only(["val", "test"]), workers=1)
    page = evaluate_run(model, folder="lines", resample=True, noise=0, baselines=[]).page
    scores = pd.read_csv(page.with_name("matched_test.csv")).query("tolerance == 4")
    test = open_split(plan.folder, "test")
    lines = np.stack([test.volts(i) for i in range(len(test))])
    table = localize_lines(lines, rate_hz, model=model, resample=True)
    found = [table["sample"][table["line"] == i].to_numpy() for i in range(len(test))]
    arrivals = [test.bubbles(i).arrival_sample for i in range(len(test))]
    expected = [match_detections(*pair, 4).f1 for pair in zip(found, arrivals, strict=True)]
    assert scores["f1"].tolist() == pytest.approx(expected, abs=1e-7)
    assert min(expected) > 0.7
    certainty = pd.read_csv(page.with_name("certainty.csv")).iloc[0]
    assert certainty["median_sigma"] == pytest.approx(table["sample_sigma"].median())
    said = page.with_suffix(".md").read_text()
    assert f"| lines | resampled from {rate_hz / 1e6:g} to 62.5 MHz |" in said


def test_every_network_with_emitters_answers_lines_of_another_rate():
    for name in NETWORKS:
        network = build_model(name, hidden_channels=4, head="emitters").eval()
        for ratio in (Fraction(5, 4), Fraction(1, 2)):
            answered = answer(network, np.ones((2, 9000), np.float32), ratio)
            assert answered.output.shape == (2, 9000)
            assert len(answered.detections()) == 2
            bubbles = answered.emitters[:, 0].sum(axis=1)
            assert answered.expected == pytest.approx(bubbles, rel=0.02)


def test_lines_too_short_for_a_network_are_refused(tmp_path):
    plan = planned(tmp_path / "lines", "data.physics.depth_m=0.02").only(["test"])
    ensure_dataset(plan, workers=1)
    released = runs.open_run("small")
    long = SimpleNamespace(
        name="long",
        card=released.card,
        network=build_model("dilated_cnn"),
        knowing_its_pulse=released.knowing_its_pulse,
    )
    with pytest.raises(InputError, match="has lines of 1690 samples, shorter than the 4096 that"):
        at_rate_of(plan.folder, long, resample=False)


def test_nothing_reported_on_the_test_split_is_no_error(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ensure_dataset(planned("none", "data.bubbles=none").only(["val", "test"]), workers=1)
    page = evaluate_run("small", folder="none", baselines=[]).page
    scores = pd.read_csv(page.with_name("certainty.csv")).iloc[0]
    assert scores.isna().all()
    assert "## Certainty" in page.with_suffix(".md").read_text()


def test_a_training_goes_on_from_a_network_that_counts(tiny, tmp_path):
    counts = settings(tiny, *SMALL, "model=ckcnn_multirate")
    session.start(counts, tmp_path / "counts")
    more = ("model=ckcnn_multirate", "model.head=emitters", "model.line_mean=true")
    start = f"start_from={tmp_path / 'counts'}"
    config = settings(tiny, *SMALL, *more, start, "optimizer.lr=1e-12")
    session.start(config, tmp_path / "emitters")
    old, new = (runs.open_run(tmp_path / name).network for name in ("counts", "emitters"))
    read_out, new = f"model.{len(new.model) - 1}.", new.state_dict()
    for name, value in old.state_dict().items():
        if name.startswith(read_out):
            assert len(new[name]) == 4 * len(value)
        elif value.is_floating_point() and "running" not in name:
            np.testing.assert_allclose(new[name], value, atol=1e-6)


def test_bounds_stand_beside_the_errors_of_the_same_bubbles(tiny):
    test = open_split(tiny, "test", Noise(0.04))
    found = [test.bubbles(i).arrival_sample + 0.5 for i in range(len(test))]
    sure = [EmitterDetections(at, *np.ones((4, at.size))) for at in found]
    pairs = pair_table(sure, [at - 0.5 for at in found])
    table = errors_and_bounds(pairs, test)
    assert table["pairs"].sum() == len(pairs)
    filled = table[table["pairs"] > 0]
    np.testing.assert_allclose(filled["rmse"], 0.5, atol=0.3)  # crowded ones may swap
    assert (filled["bound"] > 0).all()
    quiet = errors_and_bounds(pairs, open_split(tiny, "test"))
    assert quiet["bound"].isna().all()


def test_bounds_are_those_of_single_bubbles(tiny):
    test = open_split(tiny, "test", Noise(0.04))
    scene = test.bubbles(0).scene(test.pressure_pa[0])
    echo = single_echo(scene, 3, Setup())
    assert arrival_bound(echo, 0.04 * REFERENCE_V) > 0
    assert abs(int(np.argmax(np.abs(echo))) - test.bubbles(0).arrival_sample[3]) < 300
