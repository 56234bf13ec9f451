"""Files, read by the packages that others read them with."""

import csv

import numpy as np
import pandas as pd
import pytest
import tifffile

from bubbleloc.imaging.array import Region
from bubbleloc.maps.grids import FlowMap
from bubbleloc.maps.output import MAPS, write_display_tracks, write_tiffs
from tests.maps.drawn import track

PIXEL_M = 87e-6


@pytest.fixture
def tracks():
    return pd.concat([track(4, [-0.9, 0.7], [30.1, 30.8], 40.0, 30.0), track(7, [0.5], [31.0])])


@pytest.fixture
def grids(tracks):
    flow = FlowMap.empty(Region((-1e-3, 1e-3), (30e-3, 32e-3)), PIXEL_M)
    flow.draw(tracks)
    return flow.shown


def test_tiffs_hold_the_maps_and_their_pixel_size(grids, tmp_path):
    for path, name in zip(write_tiffs(grids, tmp_path), MAPS, strict=True):
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            np.testing.assert_array_equal(page.asarray(), getattr(grids, name).astype(np.float32))
            assert page.dtype == np.float32
            assert page.resolution == pytest.approx((1 / 87, 1 / 87))
            assert file.imagej_metadata["unit"] == "um"


def test_tiffs_of_equal_maps_are_equal(grids, tmp_path):
    first, second = (write_tiffs(grids, tmp_path / name)[0] for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_tracks_lie_on_the_pixels_that_they_cross(grids, tracks, tmp_path):
    """As napari and TrackMate count: pixel n has its middle at n times its size."""
    path = write_display_tracks([tracks], grids, tmp_path / "tracks.csv")
    table = pd.read_csv(path)
    assert list(table) == ["track", "t", "y", "x", "speed_mm_s"]
    rows, columns = np.rint(table[["y", "x"]].to_numpy() / 87).astype(int).T
    assert (grids.density[rows, columns] > 0).all()
    assert table["speed_mm_s"].tolist() == [50, 50, 0]


def test_numbers_of_tracks_and_frames_are_whole_in_the_text(grids, tracks, tmp_path):
    """TrackMate parses them as integers, and leaves out rows that say 3.0."""
    path = write_display_tracks([tracks, tracks.assign(track=9)], grids, tmp_path / "tracks.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert [int(row["track"]) for row in rows] == [4, 4, 7, 9, 9, 9]
    assert [int(row["t"]) for row in rows] == [0, 1, 0, 0, 1, 0]
