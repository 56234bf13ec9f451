import shutil

import h5py
import numpy as np
import pytest

from bubbleloc.data.dataset import open_split
from bubbleloc.data.noise import Noise
from bubbleloc.errors import InputError
from bubbleloc.evaluation.baselines import CACHE, CLASSICAL, _echo, score_baselines
from bubbleloc.metrics import tolerance_sweep
from bubbleloc.metrics.scores import BASELINES


@pytest.fixture
def splits(tiny, tmp_path):
    for name in ("val", "test"):
        shutil.copy(tiny / f"{name}.h5", tmp_path)
    return open_split(tmp_path, "val", Noise()), open_split(tmp_path, "test", Noise())


def mean_f1(scored):
    """Mean F1 within ±4 samples."""
    return scored.scores.f1[:, 4].mean()


def test_every_baseline_is_scored_on_the_test_lines(splits):
    scored = score_baselines(["matched_filter", "wiener"], *splits, one_to_one=[4])
    assert list(scored) == ["random", "matched_filter", "wiener"]
    for method in scored.values():
        assert method.scores.f1.shape == (4, 10)
        assert list(method.one_to_one["tolerance"]) == [4] * 4
        assert 0 < method.one_to_one["f1"].mean() < 1
    at_4 = {name: mean_f1(method) for name, method in scored.items()}
    assert at_4["random"] < at_4["matched_filter"] < at_4["wiener"]
    counts = np.stack([splits[1].count(i) for i in range(4)])
    f1 = tolerance_sweep(np.random.default_rng(0).random(counts.shape), counts).f1
    assert at_4["random"] == pytest.approx(f1.mean(axis=0)[4].max(), abs=0.05)


def test_the_slow_method_is_kept_beside_the_dataset(splits):
    test = splits[1]
    first = score_baselines(["sparse"], test, test)["sparse"]
    (kept,) = (test.path.parent / CACHE).rglob("*.npz")
    written = kept.stat().st_mtime_ns
    again = score_baselines(["sparse"], test, test)["sparse"]
    assert kept.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.scores.f1, first.scores.f1)
    assert mean_f1(first) > 0.5
    kept.write_bytes(b"damaged")
    mended = score_baselines(["sparse"], test, test)["sparse"]
    np.testing.assert_array_equal(mended.scores.f1, first.scores.f1)


def test_imported_lines_at_another_rate_get_an_echo_of_their_own(splits):
    path = splits[1].path
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = "source: imported"
        file.attrs["sampling_rate_hz"] = 50e6
    test = open_split(path.parent, "test", Noise())
    assert len(score_baselines(["matched_filter"], test, test)["matched_filter"].scores) == 4


def test_the_echo_of_a_longer_waveform_is_longer(splits):
    test = splits[1]
    assert len(_echo(test)) == 400
    with h5py.File(test.path, "r+") as file:
        file.attrs["config"] = "physics: {waveform: luc}"
    assert len(_echo(open_split(test.path.parent, "test", Noise()))) == 1300


def test_unknown_methods_are_named(splits):
    with pytest.raises(InputError, match="no method 'magic'; choose of matched_filter, wiener"):
        score_baselines(["wiener", "magic"], *splits)


def test_every_method_has_a_name_for_figures():
    assert set(BASELINES) == {"random", *CLASSICAL}
