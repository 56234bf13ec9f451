import dataclasses
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from bubbleloc.errors import InputError
from bubbleloc.files import WRITTEN
from bubbleloc.metrics import best_thresholds, scores_at, tolerance_sweep
from bubbleloc.metrics.breakdown import outcomes
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.metrics.one_to_one import one_to_one_scores
from bubbleloc.metrics.scores import score_table
from bubbleloc.physics import Setup
from bubbleloc.report import Evaluation, Example, read_report, write_report
from bubbleloc.report.comparison import write_comparison

SCALE = Setup().scale
N, LENGTH = 8, 600
NOTHING = Detections(np.zeros(0), np.zeros(0))


def evaluation_of(noise=0.2, seed=0, fingerprint="same"):
    """A run on synthetic outputs; `seed` draws its noise, the scenes stay the same."""
    scenes = np.random.default_rng(42)
    count = (scenes.random((2, N, LENGTH)) < 0.04).astype(np.int16)
    rng = np.random.default_rng(seed)
    z = count + noise * rng.standard_normal(count.shape)
    example = Example(
        title="Test signal 0",
        rf=rng.standard_normal(LENGTH),
        prediction=z[1, 0],
        arrival_sample=np.flatnonzero(count[1, 0]).astype(float),
        threshold=0.5,
        detections=pick_peaks(z[1, 0], 0.5),
    )
    selection = tolerance_sweep(z[0], count[0])
    return Evaluation(
        scale=SCALE,
        selection=selection,
        selection_split="val",
        scores=scores_of({"network": z[1], "random": rng.random(z[1].shape)}, count[1], selection),
        test_fingerprint=fingerprint,
        checkpoint="c0ffee",
        facts={"run": "ckcnn <131>", "parameters": "28,392"},
        examples=[example],
    )


def scores_of(outputs, count, selection):
    """Scores of outputs, (n, L), at the thresholds that are best on the selection."""
    thresholds = best_thresholds(selection)
    methods = {
        name: scores_at(tolerance_sweep(z, count), thresholds) for name, z in outputs.items()
    }
    return score_table(methods, count.sum(axis=1), np.linspace(5e3, 250e3, len(count)))


def one_to_one_of(peaks, truth, lines, methods=("network",)):
    """One-to-one scores of equal lines, at a threshold of 0.1, and their outcomes."""
    every = [peaks] * lines, [np.array(truth, float)] * lines
    table = one_to_one_scores(*every, dict.fromkeys(range(1, 10), 0.1), SCALE)
    return {
        "one_to_one": dict.fromkeys(methods, table),
        "outcomes": outcomes(*every, 0.1, 4, SCALE),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "report"
    return write_report(folder, evaluation_of()).parent


def test_report_has_every_file(written):
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    pictures = (
        "f1_violins",
        "f1_heatmap",
        "precision_recall",
        "f1_bubbles",
        "f1_pressure",
        "line_1",
    )
    expected = {f"figures/{name}.{kind}" for name in pictures for kind in ("png", "svg")}
    expected |= {"f1_sweep.csv", "thresholds.csv", "f1_test.csv", "figures/line_1.csv"}
    expected |= {f"summary.{kind}" for kind in ("csv", "md", "tex")}
    assert names == expected | {"report.md", "report.html", "report.json", WRITTEN}


def test_scores_are_those_of_the_thresholds_of_the_selection_split(written):
    evaluation = evaluation_of()
    table = pd.read_csv(written / "f1_test.csv")
    assert list(table.columns[:4]) == ["signal", "tolerance", "threshold", "f1"]
    assert len(table) == N * 10
    wide = table.pivot(index="signal", columns="tolerance", values="f1").to_numpy()
    scores = evaluation.scores
    np.testing.assert_allclose(wide.ravel(), scores["f1"], rtol=1e-7)
    np.testing.assert_array_equal(table["bubbles"], scores["bubbles"])
    np.testing.assert_allclose(table["pressure_pa"], scores["pressure_pa"])
    thresholds = pd.read_csv(written / "thresholds.csv")
    chosen = best_thresholds(evaluation.selection)
    np.testing.assert_allclose(thresholds["threshold"], chosen, rtol=1e-7)
    assert set(thresholds["split"]) == {"val"}
    sweep = pd.read_csv(written / "f1_sweep.csv")
    assert len(sweep) == 250
    np.testing.assert_allclose(sweep["f1"], evaluation.selection.f1.mean(axis=0).ravel(), rtol=1e-7)
    median = np.median(evaluation.selection.f1, axis=0)
    np.testing.assert_allclose(sweep["f1_median"], median.ravel(), rtol=1e-7)


def test_page_stands_alone_and_says_what_was_done(written):
    page = (written / "report.html").read_text()
    assert len(re.findall(r'src="data:image/png;base64,', page)) == 6
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "ckcnn &lt;131&gt;" in page
    assert "Thresholds were chosen on the val split" in page
    assert "28,392" in page


def test_markdown_shows_the_figures_and_random_output(written):
    text = (written / "report.md").read_text()
    for name in re.findall(r"\]\((.+?)\)", text):
        assert (written / name).is_file()
    assert "| random output" in text
    assert "| thresholds chosen on | val split |" in text


def test_report_is_read_back(written, tmp_path):
    report = read_report(written)
    assert report.test_fingerprint == "same"
    assert report.selection_split == "val"
    assert report.facts["parameters"] == "28,392"
    assert report.checkpoint == "c0ffee"
    assert report.scale == SCALE
    assert len(report.scores) == N * 10
    with pytest.raises(InputError, match="evaluate that run first"):
        read_report(tmp_path)


def test_comparison_refuses_other_test_data(written, tmp_path):
    write_report(tmp_path / "other", evaluation_of(fingerprint="other"))
    report = read_report(written)
    with pytest.raises(InputError, match="different test data"):
        write_comparison(tmp_path / "c", {"a": report, "b": read_report(tmp_path / "other")})
    with pytest.raises(InputError, match="two runs"):
        write_comparison(tmp_path / "c", {"a": report})
    with pytest.raises(InputError, match="not scored at tolerance 77"):
        write_comparison(tmp_path / "c", {"a": report, "b": report}, tolerance=77)


def spoil(name, change):
    def spoiled(folder):
        path = folder / name
        path.write_text(change(path.read_text()))

    return spoiled


def without(key):
    return lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != key})


@pytest.mark.parametrize(
    "damage",
    [
        spoil("report.json", lambda text: "{"),
        spoil("report.json", lambda text: "[1]"),
        spoil("report.json", lambda text: "\0"),
        spoil("report.json", lambda text: '{"test_fingerprint": "same"}'),
        *(spoil("report.json", without(key)) for key in ("scale", "checkpoint", "facts")),
        spoil("report.json", lambda text: text.replace("62500000.0", "NaN")),
        spoil("report.json", lambda text: text.replace("62500000.0", '"fast"')),
        spoil("f1_test.csv", lambda text: ""),
        spoil("f1_test.csv", lambda text: text.replace("f1,", "F,")),
        spoil("f1_test.csv", lambda text: text[:1000]),
        spoil("f1_test.csv", lambda text: text.replace(",0.", ",0.1")),
    ],
)
def test_a_damaged_report_asks_for_another_evaluation(written, tmp_path, damage):
    folder = shutil.copytree(written, tmp_path / "report")
    damage(folder)
    with pytest.raises(InputError, match="report is damaged or of an earlier version; evaluate"):
        read_report(folder)


def test_a_report_is_replaced_as_a_whole(written, tmp_path, monkeypatch):
    folder = shutil.copytree(written, tmp_path / "report")
    (folder / "noise.csv").write_text("of an earlier report")
    with (folder / WRITTEN).open("a") as names:
        names.write("noise.csv\n")
    before = (folder / "f1_test.csv").read_bytes()

    def cut(_, figures, name):
        assert figures.with_name("f1_test.csv").read_bytes() != before
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("bubbleloc.report.document.save_figure", cut)
        with pytest.raises(KeyboardInterrupt):
            write_report(folder, evaluation_of(seed=1))
    assert (folder / "f1_test.csv").read_bytes() == before
    assert (folder / "noise.csv").exists()
    write_report(folder, evaluation_of(seed=1))
    assert (folder / "f1_test.csv").read_bytes() != before
    assert not (folder / "noise.csv").exists()  # nothing stays that the page does not show
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_the_next_command_tidies_up_after_a_killed_one(written, tmp_path):
    folder = tmp_path / "report"
    shutil.copytree(written, tmp_path / ".report.old")  # killed between the two renames
    shutil.copytree(written / "figures", tmp_path / ".report.new")
    assert read_report(folder).checkpoint == "c0ffee"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_report_with_baselines_and_one_to_one_scores(tmp_path):
    peaks = Detections(np.array([10.4, 50]), np.array([0.9, 0.4]))
    evaluation = evaluation_of()
    evaluation = dataclasses.replace(
        evaluation,
        scores=evaluation.scores.assign(matched_filter_f1=0.3),
        **one_to_one_of(peaks, [10, 52, 300], N, methods=("network", "wiener")),
    )
    write_report(tmp_path, evaluation)
    scores = pd.read_csv(tmp_path / "f1_test.csv")
    assert (scores["matched_filter_f1"] == 0.3).all()
    matched = pd.read_csv(tmp_path / "matched.csv").set_index("tolerance")
    assert matched.loc[4, "recall"] == pytest.approx(2 / 3)
    assert matched.loc[4, "bias_um"] == pytest.approx(-0.8 * 11.84)
    assert 0 not in matched.index
    assert len(pd.read_csv(tmp_path / "matched_test.csv")) == 9 * N
    text = (tmp_path / "report.md").read_text()
    assert list(pd.read_csv(tmp_path / "matched_floor.csv")["method"]) == ["network", "Wiener"]
    assert "## One-to-one scores" in text
    assert "matched filter" in text
    for name in ("rates_depth", "rates_density", "errors"):
        assert (tmp_path / "figures" / f"{name}.svg").is_file()
        assert (tmp_path / "figures" / f"{name}.csv").is_file()


def test_nothing_to_find_and_nothing_found_still_makes_a_report(tmp_path):
    silence = np.zeros((3, 500))
    sweep = tolerance_sweep(silence, silence)
    for folder, truth in (("nothing", []), ("missed", [5.0])):
        evaluation = Evaluation(
            scale=SCALE,
            selection=sweep,
            selection_split="train",
            scores=scores_of({"network": silence, "random": silence}, silence, sweep),
            test_fingerprint="silence",
            facts={},
            examples=[Example("silence", silence[0], silence[0], np.array(truth), 0.5, NOTHING)],
            **one_to_one_of(NOTHING, truth, 3),
        )
        assert "on the train split" in write_report(tmp_path / folder, evaluation).read_text()
