import shutil

import h5py
import numpy as np
import pytest

from bubbleloc.data.noise import Noise
from bubbleloc.data.splits import open_split
from bubbleloc.errors import InputError
from bubbleloc.evaluation.baselines import KEPT, rivals
from bubbleloc.metrics import random_floor


@pytest.fixture
def splits(tiny, tmp_path):
    for name in ("val", "test"):
        shutil.copy(tiny / f"{name}.h5", tmp_path)
    return open_split(tmp_path, "val", Noise()), open_split(tmp_path, "test", Noise())


def test_every_rival_is_scored_on_the_test_lines(splits):
    scored = rivals(["matched_filter", "wiener"], *splits, one_to_one=[4])
    assert list(scored) == ["random", "matched_filter", "wiener"]
    for rival in scored.values():
        assert rival.f1.shape == (4, 10)
        assert list(rival.matched["tolerance"]) == [4]
        assert 0 < rival.matched["f1"].item() < 1
    at_4 = {name: rival.f1[:, 4].mean() for name, rival in scored.items()}
    assert at_4["random"] < at_4["matched_filter"] < at_4["wiener"]
    counts = np.stack([splits[1].count(i) for i in range(4)])
    floor = random_floor(counts)[:, 4].mean()
    assert at_4["random"] == pytest.approx(floor, abs=0.05)


def test_the_slow_method_is_kept_beside_the_dataset(splits):
    test = splits[1]
    first = rivals(["sparse"], test, test)["sparse"]
    (kept,) = (test.path.parent / KEPT).rglob("*.npz")
    written = kept.stat().st_mtime_ns
    again = rivals(["sparse"], test, test)["sparse"]
    assert kept.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.f1, first.f1)
    assert first.f1[:, 4].mean() > 0.5
    kept.write_bytes(b"damaged")
    with pytest.raises(InputError, match="is damaged; remove it"):
        rivals(["sparse"], test, test)


def test_imported_lines_at_another_rate_get_an_echo_of_their_own(splits):
    path = splits[1].path
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = "source: imported"
        file.attrs["sampling_rate_hz"] = 50e6
    test = open_split(path.parent, "test", Noise())
    assert rivals(["matched_filter"], test, test)["matched_filter"].f1.shape == (4, 10)


def test_unknown_methods_are_named(splits):
    with pytest.raises(InputError, match="no method 'magic'; choose of matched_filter, wiener"):
        rivals(["wiener", "magic"], *splits)
