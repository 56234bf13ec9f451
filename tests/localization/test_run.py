import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample_poly

from bubbleloc.errors import InputError
from bubbleloc.localization import localize_file
from bubbleloc.metrics.detections import pick_peaks
from bubbleloc.nn import Localizer

RUN = "outputs/a"
LEVEL = 0.5


@pytest.fixture
def identity(monkeypatch):
    """A network that returns what it is given, so that bubbles are peaks of the RF line."""
    network = Localizer([], receptive_field=1, input_scaling="rms")
    monkeypatch.setattr("bubbleloc.training.runs.load_network", lambda *_: network)


@pytest.fixture
def rf(workplace, monkeypatch):
    """RF lines of the tiny test split; the working directory is where its runs are."""
    monkeypatch.chdir(workplace)
    with h5py.File("data/tiny/test.h5") as file:
        return file["rf"][:]


def test_bubbles_are_the_peaks_of_the_network(rf, identity, tmp_path):
    output = tmp_path / "new" / "bubbles.csv"
    done = localize_file(RUN, "data/tiny/test.h5", output, threshold=LEVEL, picture=1, batch_size=3)
    table = pd.read_csv(output)
    assert list(table.columns) == ["line", "sample", "time_us", "depth_mm", "confidence"]
    assert len(table) == done.bubbles > 0
    for line, volts in enumerate(rf):
        peaks = pick_peaks(volts / np.sqrt(np.mean(volts**2)), LEVEL)
        found = table[table["line"] == line]
        np.testing.assert_allclose(found["sample"], peaks.sample, atol=1e-3)
        np.testing.assert_allclose(found["confidence"], peaks.confidence, rtol=1e-4)
    np.testing.assert_allclose(table["time_us"], table["sample"] / 62.5, rtol=1e-6)
    np.testing.assert_allclose(table["depth_mm"], table["sample"] * 0.01184, rtol=1e-6)
    assert done.picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "bubbles.csv",
        "bubbles_line_1.png",
    ]


def test_hdf5_output_says_the_same_and_how_it_was_made(rf, identity, tmp_path):
    np.save(tmp_path / "rf.npy", rf)
    for name in ("bubbles.csv", "bubbles.h5"):
        done = localize_file(RUN, tmp_path / "rf.npy", tmp_path / name, threshold=LEVEL)
        assert done.rate_is_assumed
    table = pd.read_csv(tmp_path / "bubbles.csv")
    with h5py.File(tmp_path / "bubbles.h5") as file:
        for name in table:
            np.testing.assert_allclose(file[name][:], table[name], rtol=1e-6)
        assert file.attrs["threshold"] == LEVEL
        assert file.attrs["sampling_rate_hz"] == 62.5e6


def test_threshold_is_that_of_the_report(rf, workplace, tmp_path):
    thresholds = pd.read_csv(workplace / RUN / "report/thresholds.csv").set_index("tolerance")
    for tolerance in (4, 7):
        done = localize_file(RUN, "data/tiny/test.h5", tmp_path / "b.csv", tolerance=tolerance)
        assert done.threshold == pytest.approx(thresholds.loc[tolerance, "threshold"])
    with pytest.raises(InputError, match="give threshold=, or run python"):
        localize_file(RUN, "data/tiny/test.h5", tmp_path / "b.csv", tolerance=77)
    bare = tmp_path / "bare"
    shutil.copytree(workplace / RUN, bare, ignore=shutil.ignore_patterns("report"))
    with pytest.raises(InputError, match="bare has no report"):
        localize_file(str(bare), "data/tiny/test.h5", tmp_path / "b.csv")
    assert localize_file(str(bare), "data/tiny/test.h5", tmp_path / "b.csv", threshold=1).lines == 4


def test_another_rate_is_resampled_on_request_only(rf, identity, tmp_path):
    with h5py.File(tmp_path / "slow.h5", "w") as file:
        file["rf"] = resample_poly(rf, 4, 5, axis=1)
        file["rf"].attrs["sampling_rate_hz"] = 50e6
    at_rate, slow = tmp_path / "rate.csv", tmp_path / "slow.csv"
    with pytest.raises(InputError, match=r"sampled at 50 MHz, the network wants 62\.5 MHz"):
        localize_file(RUN, tmp_path / "slow.h5", slow, threshold=LEVEL)
    assert not slow.exists()
    localize_file(RUN, tmp_path / "slow.h5", slow, threshold=LEVEL, resample=True)
    localize_file(RUN, "data/tiny/test.h5", at_rate, threshold=LEVEL)
    expected, found = pd.read_csv(at_rate), pd.read_csv(slow)
    expected, found = expected[expected["line"] == 0], found[found["line"] == 0]
    assert len(found) == len(expected) > 20
    nearest = np.abs(
        np.subtract.outer(expected["time_us"].to_numpy(), found["time_us"].to_numpy())
    ).min(axis=1)
    assert nearest.max() < 0.016  # a sample
    np.testing.assert_allclose(found["time_us"], found["sample"] / 50, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (lambda rf: rf.__setitem__((2, 7), np.nan), {}, "line 2 is NaN or infinite at sample 7"),
        (lambda rf: rf.__setitem__((3, 0), np.inf), {}, "line 3 is NaN or infinite at sample 0"),
        (None, {"transpose": True}, "8446 lines of 4 samples, shorter than .* transpose=true"),
        (None, {"picture": 9}, "has lines 0 to 3"),
        (None, {"sampling_rate_hz": -1}, "sampling_rate_hz=-1: give the rate in Hz"),
        (None, {"sampling_rate_hz": 62.5, "resample": True}, "give the rate in Hz"),
    ],
)
def test_bad_input_leaves_no_output(change, settings, message, rf, tmp_path):
    if change:
        change(rf)
    np.save(tmp_path / "rf.npy", rf)
    settings = {"threshold": 0.5, **settings}
    with pytest.raises(InputError, match=message):
        localize_file(RUN, tmp_path / "rf.npy", tmp_path / "b.csv", **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["rf.npy"]


def test_output_must_be_another_file_of_a_known_format(rf, tmp_path):
    with pytest.raises(InputError, match=r"ends with \.csv, \.h5"):
        localize_file(RUN, "data/tiny/test.h5", tmp_path / "bubbles.xlsx")
    with pytest.raises(InputError, match="overwrite the input"):
        localize_file(RUN, "data/tiny/test.h5", "data/tiny/../tiny/test.h5")
    with pytest.raises(InputError, match="no run directory"):
        localize_file("nowhere", "data/tiny/test.h5", tmp_path / "b.csv")


def test_the_network_of_the_package_needs_no_training(rf, tmp_path):
    done = localize_file("bubbleloc:small", "data/tiny/test.h5", tmp_path / "b.csv")
    with h5py.File("data/tiny/test.h5") as file:
        bubbles = len(file["bubbles/depth_m"])
    assert 0.3 * bubbles < done.bubbles < bubbles
    with pytest.raises(InputError, match="no released network 'huge'; choose one of small"):
        localize_file("bubbleloc:huge", "data/tiny/test.h5", tmp_path / "b.csv")
