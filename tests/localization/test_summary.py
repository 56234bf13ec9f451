"""The page on a recording counts every detection and repeats every warning."""

import h5py
import numpy as np
import pandas as pd
import pytest

from bubbleloc.errors import InputError
from bubbleloc.localization.summary import Counts
from tests.conftest import localize_recording

RATE = 62.5e6


@pytest.fixture
def drawn(monkeypatch):
    """The figures of a page; writing them takes seconds."""
    figures = {}

    def keep(figure, folder, name):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.png").touch()
        figures[name] = figure

    monkeypatch.setattr("bubbleloc.report.document.save_figure", keep)
    return figures


def test_a_page_counts_detections_and_repeats_warnings(tiny, drawn, tmp_path):
    with h5py.File(tiny / "test.h5") as file:
        lines = file["rf"][:]
    lines[1] = 0
    np.save(tmp_path / "a.npy", lines.reshape(2, 2, -1))
    done = localize_recording(
        "bubbleloc:small",
        tmp_path / "a.npy",
        tmp_path / "found.csv",
        sampling_rate_hz=RATE,
        region_mm=(20, 60),
        report=True,
    )
    assert done.page == tmp_path / "found_report" / "report.html"
    page = done.page.read_text(encoding="utf-8")
    table = pd.read_csv(tmp_path / "found.csv")
    assert f"{len(table)} detections in 4 lines" in page
    assert "1 of 4 lines are constant" in page
    assert "samples 1690 to 5067 kept" in page
    assert set(drawn) == {"line", "piece", "spectrum", "rates"}
    file_line, localized = (axes.lines[0] for axes in drawn["line"].axes)
    assert (len(file_line.get_xdata()), len(localized.get_xdata())) == (8446, 3378)
    assert localized.get_xdata()[[0, -1]] == pytest.approx([20, 60], abs=0.02)
    np.testing.assert_allclose(file_line.get_ydata()[1800:5000], localized.get_ydata()[110:3310])
    frames = drawn["rates"].axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(frames, table.groupby("frame").size() / 2)


def test_frames_keep_their_numbers(tiny, drawn, tmp_path):
    with h5py.File(tiny / "test.h5") as file:
        lines = file["rf"][:]
    lines[2] = 0
    np.save(tmp_path / "a.npy", lines[:, None])
    settings = {"sampling_rate_hz": RATE, "run": "bubbleloc:small", "input": tmp_path / "a.npy"}
    localize_recording(**settings, output=tmp_path / "all.csv")
    some = localize_recording(**settings, output=tmp_path / "some.csv", frames=(1, 2), report=True)
    whole, part = (pd.read_csv(tmp_path / name) for name in ("all.csv", "some.csv"))
    expected = whole[whole["frame"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected)
    assert some.doubts[0].startswith("1 of 2 lines are constant, the first of frame 2,")
    assert drawn["rates"].axes[1].lines[0].get_xdata().tolist() == [1, 2]
    with pytest.raises(InputError, match=r"frames=\[1,4\]: .*a.npy has frames 0 to 3"):
        localize_recording(**settings, output=tmp_path / "b.csv", frames=(1, 4))


def test_counts_add_up(tiny, tmp_path):
    done = localize_recording("bubbleloc:small", tiny / "test.h5", tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    counts = Counts.of(done.recording, done.scale)
    for part in (table[:7], table[7:]):
        counts.add(*(part[name].to_numpy() for name in ("frame", "element", "depth_mm")))
    expected, _ = np.histogram(table["depth_mm"], np.arange(len(counts.per_mm) + 1))
    np.testing.assert_array_equal(counts.per_mm, expected)
    assert counts.bubbles == counts.per_element.sum() == len(table) == done.bubbles


def test_a_folder_of_the_user_is_not_replaced_by_a_page(tiny, tmp_path):
    notes = tmp_path / "found_report/notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    with pytest.raises(InputError, match=r"found_report: .* which holds notes\.txt"):
        localize_recording("bubbleloc:small", tiny / "test.h5", tmp_path / "found.csv", report=True)
    assert notes.read_text() == "mine"
    assert not (tmp_path / "found.csv").exists()
