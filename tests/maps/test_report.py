"""The report of a mapping holds the numbers of every method, and a viewer of each."""

import re

import numpy as np
import pandas as pd
import pytest

from bubbleloc.imaging.positions import POSITION_COLUMNS
from bubbleloc.maps.report import summary, track_statistics, write_map_report
from bubbleloc.maps.results import MapResult
from tests.maps.synthetic import grids_of, tree_tracks


def result(name, seed, **scores):
    tracks = tree_tracks(seed, count=60, frames=200)
    positions = tracks[["frame", "x_mm", "z_mm"]].reindex(columns=POSITION_COLUMNS)
    time_s = np.linspace(0, 0.4, 20)
    curve = pd.DataFrame({"time_s": time_s, "share": 1 - np.exp(-time_s * seed)})
    per_mm = np.linspace(0.1, 25, 60)
    frc = pd.DataFrame({"per_mm": per_mm, "correlation": np.exp(-per_mm / 10), "threshold": 1 / 7})
    return MapResult(name, positions, tracks, grids_of(tracks), scores, curve, frc, 12.5)


@pytest.fixture(scope="module")
def results():
    learned = result("learned", 9, f1=0.93, random_f1=0.04, resolution_um=51.0, filled_s=0.3)
    conventional = result("conventional", 4, f1=0.55, random_f1=0.03, resolution_um=88.0)
    nothing = MapResult("wiener", *empty_like(conventional), {"f1": 0.0})
    return [conventional, learned, nothing]


def empty_like(full):
    return full.positions[:0], full.tracks[:0], full.grids


@pytest.fixture(scope="module")
def page(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    facts = {"recording": "<i>tree</i>.h5"}
    return write_map_report(folder, "Map of tree", results, facts, vessels_known=True)


def test_a_row_per_method_with_its_numbers(page, results):
    table = pd.read_csv(page.parent / "methods.csv").set_index("method")
    assert list(table.index) == ["conventional", "learned", "wiener"]
    assert table.loc["learned", "tracks"] == results[1].tracks["track"].nunique()
    assert table.loc["learned", "positions"] == len(results[1].tracks)
    assert table.loc["learned", "f1"] == 0.93
    assert table.loc["wiener", "tracks"] == 0
    assert np.isnan(table.loc["conventional", "filled_s"])
    assert "recall" not in table
    text = page.read_text(encoding="utf-8")
    assert "The method learned has the highest F1" in text
    assert "down to 51 µm" in text
    assert "which are known here" in text


def test_viewers_of_methods_with_tracks_are_linked(page):
    links = re.findall(r'<a href="([^"]+)">', page.read_text(encoding="utf-8"))
    assert links == ["viewer_conventional.html", "viewer_learned.html"]
    assert all((page.parent / link).is_file() for link in links)
    assert "](viewer_learned.html)" in page.with_suffix(".md").read_text(encoding="utf-8")
    assert "<i>tree" not in page.read_text(encoding="utf-8")


def test_figures_and_curves_of_all_methods_lie_beside_the_page(page):
    drawn = {path.stem for path in (page.parent / "figures").glob("*.png")}
    maps = {f"map_{name}" for name in ("conventional", "learned", "wiener")}
    assert drawn == maps | {"methods", "saturation", "frc", "tracks"}
    for name in ("saturation", "frc"):
        table = pd.read_csv(page.parent / f"{name}.csv")
        assert set(table["method"]) == {"conventional", "learned"}


def test_what_was_not_measured_is_left_out(results, tmp_path):
    plain = MapResult(results[1].name, results[1].positions, results[1].tracks, results[1].grids)
    page = write_map_report(tmp_path, "Map", [plain], {}, vessels_known=False)
    text = page.with_suffix(".md").read_text(encoding="utf-8")
    assert "Saturation" not in text
    assert "Resolution" not in text
    assert "F1" not in text
    assert summary([plain]).startswith("The method learned found ")


def test_statistics_of_tracks_that_are_known():
    first = {"track": 4, "x_mm": [0, 3.0, 3.0], "z_mm": [0, 4.0, 5.0], "vx_mm_s": [3.0, 3, 3]}
    second = {"track": 7, "x_mm": [0, 0.0], "z_mm": [0, 2.0], "vx_mm_s": [0.0, 0.0]}
    table = pd.concat([pd.DataFrame(first), pd.DataFrame(second)]).assign(vz_mm_s=4.0)
    found = track_statistics(table)
    assert found == {
        "tracks": 2,
        "median_frames": 2.5,
        "median_way_mm": 4.0,
        "median_speed_mm_s": 5.0,
        "fastest_mm_s": 5.0,
    }
