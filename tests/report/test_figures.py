import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bubbleloc import plot_detections
from bubbleloc.errors import InputError
from bubbleloc.metrics import TOLERANCES, tolerance_sweep
from bubbleloc.metrics.detections import pick_peaks
from bubbleloc.physics import Setup
from bubbleloc.report.figures.line import Example, example_line
from bubbleloc.report.figures.scores import (
    f1_against,
    f1_heatmap,
    f1_violins,
    precision_recall,
    run_violins,
)
from bubbleloc.report.figures.style import save_figure

SCALE = Setup().scale


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    rows = pd.MultiIndex.from_product([["a", "b"], range(12), TOLERANCES])
    frame = rows.to_frame(index=False, name=["run", "signal", "tolerance"])
    frame["f1"] = np.clip(0.4 + 0.05 * frame["tolerance"] + 0.05 * rng.random(len(frame)), 0, 1)
    frame.loc[frame["run"] == "a", "f1"] -= 0.2
    frame["bubbles"] = 80 * (frame["signal"] + 1)
    frame["pressure_pa"] = 2e4 * (frame["signal"] + 1)
    frame["random_f1"] = 0.05 * frame["tolerance"]
    return frame


@pytest.fixture(scope="module")
def sweep():
    rng = np.random.default_rng(1)
    count = rng.random((4, 300)) < 0.05
    return tolerance_sweep(0.6 * count + 0.2 * rng.random((4, 300)), count)


def words(figure):
    """Every text in a figure, drawn once so that tick labels exist."""
    figure.canvas.draw()
    return " | ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_violins_mark_the_median_and_random_output(scores):
    scores = scores[scores["run"] == "b"]
    figure = f1_violins(scores, SCALE)
    axes = figure.axes[0]
    dots = [line for line in axes.lines if line.get_markeredgecolor() != line.get_color()]
    at_4 = scores.query("tolerance == 4")["f1"].median()
    assert dots[4].get_ydata()[0] == pytest.approx(at_4)
    random = next(line for line in axes.lines if "random" in str(line.get_label()))
    np.testing.assert_allclose(random.get_ydata(), 0.05 * np.arange(10))
    text = words(figure)
    assert "tolerance (samples)" in text
    assert "µm, λ = 871 µm" in text


def test_violins_of_identical_scores_can_be_drawn(scores):
    f1_violins(scores.assign(f1=0.5), SCALE).canvas.draw()


def test_heatmap_and_curves_name_both_units(sweep):
    for draw in (f1_heatmap, precision_recall):
        assert "9  (107 µm)" in words(draw(sweep, SCALE))


@pytest.mark.parametrize("column", ["bubbles", "pressure_pa"])
def test_f1_against_a_quantity(scores, column):
    figure = f1_against(scores, column, 4, SCALE)
    assert "±4 samples (47 µm)" in words(figure)
    assert len(figure.axes[0].collections[0].get_offsets()) == 24


def test_example_shows_found_missed_and_false():
    prediction = np.zeros(400)
    prediction[[110, 150]] = 0.9
    true, found = np.array([111.0, 180.0]), pick_peaks(prediction, 0.5)
    example = Example("line", np.sin(np.arange(400)), prediction, true, 0.5, found)
    figure = example_line(example, tolerance=4, scale=SCALE)
    drawn = {str(line.get_label()): line for line in figure.axes[1].lines}
    np.testing.assert_allclose(drawn["bubble, found"].get_xdata(), [111])
    np.testing.assert_allclose(drawn["bubble, missed"].get_xdata(), [180])
    np.testing.assert_allclose(drawn["false detection"].get_xdata(), [150])
    assert "depth (mm)" in words(figure)


def test_runs_are_ordered_by_median(scores):
    figure = run_violins(scores, 4, SCALE)
    figure.canvas.draw()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["b", "a"]


def test_figures_leave_pyplot_and_its_settings_alone(scores):
    before = dict(mpl.rcParams)
    f1_violins(scores, SCALE)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_saved_figures_are_whole_and_repeat_their_bytes(scores, tmp_path):
    png, svg = save_figure(f1_against(scores, "bubbles", 4, SCALE), tmp_path / "a", "f1")
    assert (png.name, svg.name) == ("f1.png", "f1.svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    again = save_figure(f1_against(scores, "bubbles", 4, SCALE), tmp_path / "b", "f1")
    assert [path.read_bytes() for path in (png, svg)] == [path.read_bytes() for path in again]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["f1.png", "f1.svg"]


@pytest.mark.parametrize("counts", [False, True])
def test_detections_are_drawn_where_their_table_says(counts):
    rng = np.random.default_rng(0)
    sample = np.sort(rng.uniform(400, 3000, 40))
    table = pd.DataFrame({"line": 1, "sample": sample, "depth_mm": sample * 0.01184})
    table["probability"], table["height"] = (np.nan, 0.7) if counts else (0.7, np.nan)
    table["sample_sigma"] = np.nan if counts else 0.5
    figure = plot_detections(rng.normal(size=3000), table, start_sample=300)
    figure.canvas.draw()
    top, bottom = figure.axes
    low, high = bottom.get_xlim()
    drawn = bottom.lines[0].get_xdata()
    np.testing.assert_array_equal(drawn, sample[(sample >= low) & (sample <= high + 1)])
    assert bottom.get_ylabel() == ("height" if counts else "probability")
    (depth,) = top.child_axes
    np.testing.assert_allclose(depth.get_xlim(), np.array([low, high]) * 0.01184)
    assert plot_detections(rng.normal(size=900), table.iloc[:0])
    for volts, rows in ((np.ones((2, 900)), table), (np.ones(900), table.assign(line=range(40)))):
        with pytest.raises(InputError, match=r"draws one line, .*: give volts\[0\], table"):
            plot_detections(volts, rows)
