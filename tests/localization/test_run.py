import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.io import loadmat
from scipy.signal import resample_poly

from bubbleloc.console.messages import explain
from bubbleloc.console.settings.using import Localize
from bubbleloc.errors import InputError
from bubbleloc.evaluate import evaluate_run
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats import recording_of_array
from bubbleloc.localization import localize_file, localize_lines
from bubbleloc.localization.finder import BubbleFinder
from bubbleloc.metrics.detections import pick_peaks
from bubbleloc.models.run_folder import checkpoint_path, read_checkpoint
from bubbleloc.models.runs import open_run
from bubbleloc.nn import Localizer
from bubbleloc.nn.scaling import InputScaling
from bubbleloc.training import session
from tests.conftest import localize_recording
from tests.console.test_bad_input import command
from tests.training.test_learner import SMALL, settings

RUN = "bubbleloc:small"
LEVEL = 0.5


@pytest.fixture
def identity(monkeypatch):
    """A network that returns what it is given, so that bubbles are peaks of the RF line."""
    read_out = torch.nn.Conv1d(1, 1, 1, bias=False)
    torch.nn.init.ones_(read_out.weight)
    network = Localizer([read_out], input_scaling="rms")
    monkeypatch.setattr("bubbleloc.models.runs.Run.network", network)


@pytest.fixture(scope="module")
def source(tiny):
    return tiny / "test.h5"


@pytest.fixture
def rf(source):
    with h5py.File(source) as file:
        return file["rf"][:]


def scaled(volts):
    """An RF line as networks are given it."""
    return InputScaling()(torch.from_numpy(volts).view(1, 1, -1)).flatten().numpy()


def test_bubbles_are_the_peaks_of_the_network(rf, source, identity, tmp_path):
    output = tmp_path / "new" / "bubbles.csv"
    done = localize_recording(RUN, source, output, threshold=LEVEL, picture=1, batch_size=3)
    table = pd.read_csv(output)
    assert list(table.columns) == [
        *("frame", "element", "sample", "sample_sigma"),
        *("time_us", "depth_mm", "depth_sigma_mm", "probability", "radius_um", "height"),
    ]
    assert len(table) == done.bubbles > 0
    for line, volts in enumerate(rf):
        peaks = pick_peaks(scaled(volts), LEVEL)
        found = table[table["frame"] == line]
        np.testing.assert_allclose(found["sample"], peaks.sample, atol=1e-3)
        np.testing.assert_allclose(found["height"], peaks.confidence, rtol=1e-4)
    np.testing.assert_allclose(table["time_us"], table["sample"] / 62.5, rtol=1e-6)
    np.testing.assert_allclose(table["depth_mm"], table["sample"] * 0.01184, rtol=1e-6)
    assert done.picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "bubbles.csv",
        "bubbles_line_1.png",
    ]


def test_hdf5_output_says_the_same_and_how_it_was_made(rf, source, identity, tmp_path):
    np.save(tmp_path / "rf.npy", rf)
    for name in ("bubbles.csv", "bubbles.h5"):
        settings = {"threshold": LEVEL, "sampling_rate_hz": 62.5e6}
        done = localize_recording(RUN, tmp_path / "rf.npy", tmp_path / name, **settings)
        assert "speed_of_sound_m_s" not in done.recording.sources
    table = pd.read_csv(tmp_path / "bubbles.csv")
    with h5py.File(tmp_path / "bubbles.h5") as file:
        for name in table:
            np.testing.assert_allclose(file[name][:], table[name], rtol=1e-6)
        assert file.attrs["threshold"] == LEVEL
        assert file.attrs["sampling_rate_hz"] == 62.5e6


def test_a_network_with_emitters_has_no_threshold_until_one_is_asked_for(source, tmp_path, capsys):
    written = {}
    for threshold in (None, 0.5):
        done = localize_recording(RUN, source, tmp_path / "b.h5", threshold=threshold)
        assert done.threshold == threshold
        with h5py.File(tmp_path / "b.h5") as file:
            assert file.attrs.get("threshold") == threshold
            written[threshold] = {name: file[name][:] for name in file}
    kept = written[None]["probability"] > 0.5
    assert 0 < kept.sum() < len(kept)
    for name, column in written[0.5].items():
        np.testing.assert_array_equal(column, written[None][name][kept])
    assert not np.isnan(written[None]["radius_um"]).any()
    assert np.isnan(written[None]["height"]).all()
    command("localize", f"run={RUN}", f"input={source}", f"output={tmp_path / 'b.csv'}")
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"b.csv ({len(kept)})")


def test_bfloat16_finds_nearly_the_same_bubbles(source, tmp_path):
    tables = {}
    for precision in ("float32", "bf16"):
        localize_recording(RUN, source, tmp_path / "b.csv", precision=precision)
        tables[precision] = pd.read_csv(tmp_path / "b.csv")
    exact, rounded = (table[table["probability"] > 0.8] for table in tables.values())
    gap = np.abs(np.subtract.outer(exact["time_us"].to_numpy(), rounded["time_us"].to_numpy()))
    assert np.median(gap.min(axis=1)) < 0.1 / 62.5
    assert not np.array_equal(tables["float32"]["sample"][:50], tables["bf16"]["sample"][:50])


def test_parquet_says_the_same(source, identity, tmp_path):
    pytest.importorskip("pyarrow", reason="pip install 'bubbleloc[parquet]'")
    for name in ("bubbles.csv", "bubbles.parquet"):
        localize_recording(RUN, source, tmp_path / name, threshold=LEVEL, batch_size=2)
    table = pd.read_parquet(tmp_path / "bubbles.parquet")
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), pd.read_csv(tmp_path / "bubbles.csv")
    )


def test_matlab_says_the_same_in_columns(source, identity, tmp_path):
    for name in ("bubbles.csv", "bubbles.mat"):
        localize_recording(RUN, source, tmp_path / name, threshold=LEVEL, batch_size=2)
    table, file = pd.read_csv(tmp_path / "bubbles.csv"), loadmat(tmp_path / "bubbles.mat")
    assert {*table.columns, "sampling_rate_hz"} <= file.keys()
    for name, column in table.items():
        assert file[name].dtype == np.float64
        np.testing.assert_allclose(file[name], column.to_numpy()[:, None], rtol=1e-6)
    assert file["sampling_rate_hz"].item() == 62.5e6


def test_parquet_needs_its_library(source, tmp_path, monkeypatch):
    monkeypatch.setattr("bubbleloc.localization.output.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install 'bubbleloc\[parquet\]'"):
        localize_recording(RUN, source, tmp_path / "bubbles.parquet")


def test_threshold_is_that_of_the_run(workplace, monkeypatch, tmp_path):
    monkeypatch.chdir(workplace)
    source = workplace / "data/tiny/test.h5"
    thresholds = pd.read_csv("outputs/a/report/matched.csv").set_index("tolerance")
    for tolerance, given in ((4, 4), (7, 7), (4, "47um"), (2, "25.5um")):
        done = localize_recording("outputs/a", source, tmp_path / "b.csv", tolerance=given)
        assert done.threshold == pytest.approx(thresholds.loc[tolerance, "threshold"])
    with pytest.raises(InputError, match=r"no threshold for tolerance 77 .*: give threshold=, or"):
        localize_recording("outputs/a", source, tmp_path / "b.csv", tolerance=77)
    bare = shutil.copytree("outputs/a", tmp_path / "bare")
    shutil.rmtree(bare / "report")
    again = localize_recording(str(bare), source, tmp_path / "b.csv", tolerance=7)
    assert again.threshold == done.threshold
    (bare / "card.yaml").unlink()
    with pytest.raises(InputError, match="bare has no threshold"):
        localize_recording(str(bare), source, tmp_path / "b.csv")
    assert (
        localize_recording(str(bare), source, tmp_path / "b.csv", threshold=1).recording.lines == 4
    )


def test_lines_of_an_array_give_the_same_bubbles_as_those_of_a_file(rf, source, tmp_path):
    localize_recording(RUN, source, tmp_path / "b.csv", batch_size=3)
    expected = pd.read_csv(tmp_path / "b.csv")
    columns = ["line", "sample", "sample_sigma", "depth_mm", "probability", "radius_um", "height"]
    for model in ("small", RUN):
        found = localize_lines(rf, model=model)
        assert list(found.columns) == columns
        np.testing.assert_array_equal(found["line"], expected["frame"])
        for name in columns[1:]:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4)
    one = localize_lines(rf[1], model=RUN, speed_of_sound_m_s=740.0)
    np.testing.assert_allclose(one["depth_mm"], one["sample"] * 0.01184 / 2)
    assert set(one["line"]) == {0}
    assert len(one) == (expected["frame"] == 1).sum()


def test_silent_lines_have_no_bubbles():
    with pytest.warns(UserWarning, match="2 of 2 lines are constant"):
        found = localize_lines(np.zeros((2, 900)))
    assert found.empty
    assert found["line"].dtype == np.int64


@pytest.mark.parametrize(
    ("volts", "settings", "message"),
    [
        (np.full((2, 900), np.nan), {}, "volts: line 0 is NaN or infinite at sample 0"),
        (np.ones((2, 3, 900)), {}, r"volts is an array of shape \(2, 3, 900\): name its axes"),
        (np.ones(900) * 1j, {}, "give modulation_hz="),
        (np.ones((900, 2)), {}, "volts holds 900 lines of 2 samples, shorter"),
        (np.ones(900), {"sampling_rate_hz": 50e6}, "volts is sampled at 50 MHz, the network wants"),
        (np.ones(900), {"sampling_rate_hz": 62.5}, "give a rate in Hz"),
        (np.ones(900), {"speed_of_sound_m_s": 1.54}, "give a speed in m/s"),
        (np.ones(1), {}, "volts holds 1 line of 1 samples, shorter"),
        (
            np.ma.masked_equal([np.arange(900)], 7),
            {},
            r"volts is masked at \(0, 7\): fill the gaps",
        ),
        ([np.ma.masked_equal(np.arange(900), 7)] * 2, {}, r"volts is masked at \(0, 7\)"),
        (np.full(900, 1e20), {}, r"volts: line 0 reaches 1e\+20; give volts or counts"),
        (np.ones(900), {"model": "huge"}, "huge is no run directory"),
        (np.ones(900), {"tolerance": 77}, "no threshold for tolerance 77"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(volts, settings, message):
    with pytest.raises(InputError, match=message):
        localize_lines(volts, **settings)


def test_another_rate_is_resampled_on_request_only(rf, source, identity, tmp_path):
    with h5py.File(tmp_path / "slow.h5", "w") as file:
        file["rf"] = resample_poly(rf, 4, 5, axis=1)
        file["rf"].attrs["sampling_rate_hz"] = 50e6
    at_rate, slow = tmp_path / "rate.csv", tmp_path / "slow.csv"
    with pytest.raises(InputError, match=r"sampled at 50 MHz, the network wants 62\.5 MHz"):
        localize_recording(RUN, tmp_path / "slow.h5", slow, threshold=LEVEL)
    assert not slow.exists()
    localize_recording(RUN, tmp_path / "slow.h5", slow, threshold=LEVEL, resample=True)
    localize_recording(RUN, source, at_rate, threshold=LEVEL)
    expected, found = pd.read_csv(at_rate), pd.read_csv(slow)
    expected, found = expected[expected["frame"] == 0], found[found["element"] == 0]
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
        (None, {"picture": 9}, "has lines 0 to 3$"),
        (None, {"picture": 9, "frames": [0, 0]}, "has lines 0 to 3, counted from the first of"),
        (None, {"sampling_rate_hz": -1}, "sampling_rate_hz=-1: give a rate in Hz"),
        (None, {"sampling_rate_hz": 62.5, "resample": True}, "sampling_rate_hz=62.5: give a rate"),
        (
            None,
            {"sampling_rate_hz": 62.5e4, "resample": True},
            r"rf\.npy is sampled at 0\.625 MHz, too far .*, in the file or as sampling_rate_hz=",
        ),
        (None, {"sampling_rate_hz": None}, r"rf\.npy does not say its sampling rate"),
        (None, {"speed_of_sound_m_s": 1.54}, "speed_of_sound_m_s=1.54: give a speed in m/s"),
    ],
)
def test_bad_input_leaves_no_output(change, settings, message, rf, tmp_path):
    if change:
        change(rf)
    np.save(tmp_path / "rf.npy", rf)
    settings = {"threshold": 0.5, "sampling_rate_hz": 62.5e6, **settings}
    with pytest.raises(InputError, match=message):
        localize_recording(RUN, tmp_path / "rf.npy", tmp_path / "b.csv", **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["rf.npy"]


def test_a_file_that_tells_another_unit_is_named(rf, tmp_path):
    for facts, message in (
        ({"fs": 62.5}, "sampling_rate_hz=62.5: give the rate in Hz"),
        ({"fs": 62.5e6, "speed_of_sound_m_s": 1.54}, "=1.54: give the speed of sound"),
    ):
        np.savez(tmp_path / "rf.npz", rf=rf, **facts)
        with pytest.raises(InputError, match=rf"rf\.npz: .*{message}"):
            localize_recording(RUN, tmp_path / "rf.npz", tmp_path / "b.csv", resample=True)


def test_output_must_be_another_file_of_a_known_format(source, tmp_path):
    with pytest.raises(InputError, match=r"ends with \.csv, \.parquet, \.h5"):
        localize_recording(RUN, source, tmp_path / "bubbles.xlsx")
    with pytest.raises(InputError, match="overwrite the input"):
        localize_recording(RUN, source, source.parent / ".." / source.parent.name / "test.h5")
    with pytest.raises(InputError, match="no run directory"):
        localize_recording("nowhere", source, tmp_path / "b.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    for name, why in (("folder.csv", "it is a folder"), ("file/b.csv", "no folder that you may")):
        with pytest.raises(InputError, match=f"cannot write .*{name}: .*{why}"):
            localize_recording(RUN, tmp_path / "not even read", tmp_path / name)


@pytest.fixture(scope="module")
def slow_run(tiny, tmp_path_factory):
    """A run trained on imported lines of 50 MHz and 1540 m/s, and the folder of these lines."""
    folder = tmp_path_factory.mktemp("slow")
    shutil.copytree(tiny, folder / "data")
    for path in (folder / "data").glob("*.h5"):
        with h5py.File(path, "r+") as file:
            file.attrs["sampling_rate_hz"], file.attrs["speed_of_sound_m_s"] = 50e6, 1540.0
            file.attrs["config"] = "source: imported"
    session.start(settings(folder / "data", *SMALL, "trainer.max_epochs=1"), folder / "run")
    return folder / "run", folder / "data"


def no_figure(figure, folder, name):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.png").touch()


def test_a_run_keeps_the_scale_it_was_trained_at(slow_run, tiny, rf, monkeypatch, tmp_path):
    monkeypatch.setattr("bubbleloc.report.document.save_figure", no_figure)  # they take long
    run, own = slow_run
    np.savez(tmp_path / "bare.npz", rf=rf, fs=50e6)  # the speed of sound is the network's

    def localized():
        done = localize_recording(str(run), tmp_path / "bare.npz", tmp_path / "b.csv", threshold=0)
        assert (done.scale.sampling_rate_hz, done.scale.speed_of_sound_m_s) == (50e6, 1540)
        assert "speed_of_sound_m_s" not in done.recording.sources
        assert localize_recording(str(run), own / "test.h5", tmp_path / "own.csv").bubbles >= 0
        with pytest.raises(InputError, match=r"at 62\.5 MHz, the network wants 50 MHz"):
            localize_recording(str(run), tiny / "test.h5", tmp_path / "c.csv")
        return pd.read_csv(tmp_path / "b.csv")

    before = localized()
    np.testing.assert_allclose(before["depth_mm"], before["sample"] * 0.0154, rtol=1e-6)
    evaluate_run(run, folder=tiny, resample=True, baselines=[])
    pd.testing.assert_frame_equal(localized(), before)


def test_thresholds_of_other_weights_are_not_used(slow_run, tmp_path):
    run, own = slow_run
    changed = Path(shutil.copytree(run, tmp_path / "changed"))
    path = checkpoint_path(changed, "best")
    torch.save({**read_checkpoint(path), "epoch": 99}, path)
    with pytest.raises(InputError, match="changed has no threshold for tolerance 4"):
        localize_recording(str(changed), own / "test.h5", tmp_path / "b.csv")
    localize_recording(str(changed), own / "test.h5", tmp_path / "b.csv", checkpoint="last")
    localize_recording(str(changed), own / "test.h5", tmp_path / "b.csv", threshold=0.5)


def test_names_of_files_cannot_write_into_the_terminal_or_a_picture(rf, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    name = "$\\frac$\n\x1b[31m\u202e.npz"
    np.savez(name, rf=rf[:2], fs=62.5e6)
    asked = Localize(run=RUN, input="typed.npz", output="b.csv", picture=0)
    done = localize_file(asked.model_copy(update={"input": name}))  # no setting holds such a name
    assert done.picture.is_file()
    with pytest.raises(InputError) as error:
        localize_file(asked.model_copy(update={"input": name, "picture": 7}))
    assert r"\n\x1b[31m\u202e.npz has lines 0 to 1" in explain(error.value)


def test_a_picture_calls_what_was_found_detections(monkeypatch, source, tmp_path):
    figures = []
    monkeypatch.setattr("bubbleloc.localization.run.save_picture", lambda f, _: figures.append(f))
    localize_recording(RUN, source, tmp_path / "b.csv", picture=1)
    (legend,) = figures[0].legends
    assert [text.get_text() for text in legend.get_texts()][-1] == "detection"
    assert figures[0].axes[0].get_title(loc="left").endswith("detections")


@pytest.mark.parametrize("rate_hz", [62.5e6, 50e6])
def test_a_picture_has_the_axis_of_the_table(rate_hz, rf, monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr("bubbleloc.localization.run.save_picture", lambda f, _: figures.append(f))
    np.save(tmp_path / "volts.npy", rf)
    np.save(tmp_path / "counts.npy", np.rint(rf / np.abs(rf).max() * 32767))
    facts = {"sampling_rate_hz": rate_hz, "resample": True, "start_s": 8e-6, "picture": 1}
    for name, unit in (("volts", "V"), ("counts", "counts")):
        localize_recording(RUN, tmp_path / f"{name}.npy", tmp_path / "b.csv", **facts)
        table = pd.read_csv(tmp_path / "b.csv")
        of_line = table[table["element"] == 1]
        figure = figures.pop()
        figure.draw_without_rendering()  # sets the limits of the axis of depth
        top, bottom = figure.axes
        (dots,) = (line for line in bottom.lines if line.get_label() == "detection")
        low, high = bottom.get_xlim()
        shown = of_line[of_line["sample"].between(low, high)]
        drawn = dots.get_xdata()
        drawn = drawn[(drawn >= low) & (drawn <= high)]
        np.testing.assert_allclose(drawn, shown["sample"], rtol=1e-6)
        assert len(drawn) > 10
        assert bottom.get_xlabel() == f"sample (at {rate_hz / 1e6:g} MHz)"
        assert top.get_ylabel() == f"RF ({unit})"
        (depth,) = top.child_axes
        shallow, deep = depth.get_xlim()
        assert shown["depth_mm"].between(shallow, deep).all()
        assert deep - shallow == pytest.approx(500 * 0.01184, rel=0.01)


def test_batches_of_long_lines_are_smaller(monkeypatch, identity):
    sizes = []

    def silent(_, rf):
        sizes.append(len(rf))
        return np.zeros((len(rf), 1, 10), np.float32)

    monkeypatch.setattr("bubbleloc.localization.finder.field", silent)
    lines = recording_of_array("a", np.zeros((5, MOST_SAMPLES // 2)), facts={"fs": 62.5e6})
    list(BubbleFinder.for_recording(lines, open_run(RUN)).tables(lines, 16))
    assert sizes == [2, 2, 1]


def test_the_network_of_the_package_needs_no_training(source, tmp_path):
    done = localize_recording("bubbleloc:small", source, tmp_path / "b.csv")
    with h5py.File(source) as file:
        bubbles = len(file["bubbles/depth_m"])
    assert 0.8 * bubbles < done.bubbles < 1.2 * bubbles
    with pytest.raises(InputError, match="no released network 'huge'; choose one of small"):
        localize_recording("bubbleloc:huge", source, tmp_path / "b.csv")
