"""``bubbleloc map``: from frames to maps, and on after an interruption."""

import h5py
import pandas as pd
import pytest
import tifffile

from bubbleloc.console.settings import Map, check
from bubbleloc.data.phantom import truth_of
from bubbleloc.errors import InputError
from bubbleloc.imaging.positions import POSITION_COLUMNS
from bubbleloc.maps.blocks import FRAMES
from bubbleloc.maps.run import map_vessels
from bubbleloc.tracking.tracks import TRACK_COLUMNS

SMALL = {
    "phantom": "pair",
    "density_mm2": 8,
    "duration_s": 0.05,
    "elements": 32,
    "lateral_mm": [-1.5, 1.5],
    "depth_mm": [30, 36],
    "run": "bubbleloc:robust-small",
    "workers": 1,
}


def mapped(folder, **settings):
    return map_vessels(check(Map, {"output": str(folder), **settings}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    return folder, mapped(folder, **SMALL)


def test_every_method_leaves_positions_tracks_and_maps(made):
    folder, results = made
    assert [result.name for result in results.results] == ["conventional", "learned"]
    for result in results.results:
        own = folder / result.name
        positions, tracks = (pd.read_csv(own / f"{n}.csv") for n in ("positions", "tracks"))
        assert list(positions) == POSITION_COLUMNS
        assert list(tracks) == TRACK_COLUMNS
        density = tifffile.imread(own / "density.tif")
        assert density.shape == result.grids.density.shape
        assert density.max() >= 1
    echo = pd.read_csv(folder / "learned" / "echo.csv")
    assert list(echo) == ["time_us", "volts"]


def test_scores_are_those_of_the_truth(made):
    folder, results = made
    conventional, learned = (result.scores for result in results.results)
    assert learned["f1"] > 0.9 > conventional["f1"]
    assert learned["f1"] > 10 * learned["random_f1"]
    assert learned["links"] > 0.95
    learned_table = pd.read_csv(folder / "learned" / "positions.csv")
    true = len(truth_of(folder / "phantom.h5"))
    assert learned["precision"] * len(learned_table) == pytest.approx(learned["recall"] * true)


def test_the_report_shows_all_methods(made):
    folder, results = made
    page = results.page.read_text(encoding="utf-8")
    assert results.page == folder / "report.html"
    for name in ("conventional", "learned"):
        assert f"viewer_{name}.html" in page
        assert (folder / f"viewer_{name}.html").is_file()
    methods = pd.read_csv(folder / "methods.csv")
    assert set(methods["method"]) == {"conventional", "learned"}


def test_an_interrupted_mapping_ends_with_the_same_files(made):
    folder, _ = made
    names = [f"learned/{name}" for name in ("positions.csv", "tracks.csv", "density.tif")]
    before = {name: (folder / name).read_bytes() for name in names}
    (block,) = (folder / "learned").glob(f"frames-*/{FRAMES:07d}.npy")
    kept = block.with_name(f"{0:07d}.npy").stat().st_mtime_ns
    block.unlink()
    mapped(folder, **SMALL)
    assert {name: (folder / name).read_bytes() for name in names} == before
    assert block.with_name(f"{0:07d}.npy").stat().st_mtime_ns == kept


def test_a_recording_gives_the_positions_of_its_phantom(made, tmp_path):
    folder, _ = made
    recording = tmp_path / "array.h5"
    recording.write_bytes((folder / "phantom.h5").read_bytes())
    with h5py.File(recording, "r+") as file:
        del file.attrs["phantom"]
    told = {name: SMALL[name] for name in ("lateral_mm", "depth_mm", "run", "workers")}
    told |= {"input": str(recording), "method": ["learned"]}
    with pytest.raises(InputError, match="frame_rate_hz=… is missing"):
        mapped(tmp_path / "map", **told)
    results = mapped(tmp_path / "map", **told, frame_rate_hz=500).results
    pd.testing.assert_frame_equal(
        results[0].positions, pd.read_csv(folder / "learned" / "positions.csv"), rtol=1e-6
    )
    assert "f1" not in results[0].scores


@pytest.mark.slow
def test_a_cluster_makes_the_same_maps(made, tmp_path):
    distributed = pytest.importorskip("distributed")
    folder, _ = made
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**workers, dashboard_address=None) as cluster:
        where = {"executor": "dask", "address": cluster.scheduler_address}
        mapped(tmp_path, **SMALL, **where, method=["conventional"])
    for name in ("positions.csv", "tracks.csv", "density.tif"):
        one, many = (place / "conventional" / name for place in (folder, tmp_path))
        assert one.read_bytes() == many.read_bytes()


@pytest.mark.parametrize("settings", [{}, {"phantom": "pair", "input": "array.h5"}])
def test_either_a_phantom_or_a_recording_is_mapped(tmp_path, settings):
    with pytest.raises(InputError, match="give phantom=pair, tree or crossing, or input="):
        mapped(tmp_path, **settings)


def test_some_frames_are_scored_by_their_own_bubbles(made, tmp_path):
    folder, _ = made
    told = {"input": str(folder / "phantom.h5"), "frames": [5, 14], "method": ["conventional"]}
    told |= {name: SMALL[name] for name in ("run", "workers")}
    (result,) = mapped(tmp_path, **told).results
    assert set(result.positions["frame"]) <= set(range(5, 15))
    truth = truth_of(folder / "phantom.h5")
    there = truth[truth["frame"].between(5, 14)]
    paired = result.scores["precision"] * len(result.positions)
    assert paired == pytest.approx(result.scores["recall"] * len(there))


def test_depths_that_were_not_recorded_are_refused_before_the_work(made, tmp_path):
    folder, _ = made
    told = {"input": str(folder / "phantom.h5"), "depth_mm": [80, 90], "run": SMALL["run"]}
    with pytest.raises(InputError, match="nothing was recorded of depths of 80 to 90 mm"):
        mapped(tmp_path, **told)
