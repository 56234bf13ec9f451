"""Importing the published formats, and training on what was imported."""

import h5py
import numpy as np
import pytest

from bubbleloc.data.dataset import RFDataset
from bubbleloc.data.importing import import_folder
from bubbleloc.errors import InputError
from bubbleloc.units import Scale
from tests.conftest import SMALL_RUN, run
from tests.published import signal, write_mat5, write_mat73, write_text


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def content(path):
    with h5py.File(path) as file:
        return {
            name: file[name][:]
            for name in (
                "rf",
                "pressure_pa",
                "done",
                *(f"bubbles/{f}" for f in ("offset", "arrival_sample", "depth_m", "lateral_m")),
                "bubbles/radius_m",
            )
        }


def test_text_files_are_imported_sample_for_sample(source, tmp_path):
    made = [signal(seed, bubbles=seed) for seed in (0, 5, 12)]
    for number, one in enumerate(made):
        write_text(source / f"RFDATA{number:05d}.txt", one)
    (source / "notes.md").write_text("not a signal")
    report = import_folder(source, tmp_path / "x/train.h5")
    assert (report.imported, report.reasons()) == (3, [])
    lines = RFDataset(tmp_path / "x/train.h5")
    for index, one in enumerate(made):
        np.testing.assert_allclose(lines.volts(index), one["volts"], rtol=1e-6)
        np.testing.assert_array_equal(lines.count(index), one["count"])
    stored = content(lines.path)
    np.testing.assert_array_equal(stored["pressure_pa"], [1e5] * 3)
    np.testing.assert_array_equal(stored["bubbles/arrival_sample"] % 1, 0)
    depth = stored["bubbles/arrival_sample"] / 62.5e6 * 1480 / 2
    np.testing.assert_allclose(stored["bubbles/depth_m"], depth)
    assert not stored["bubbles/lateral_m"].any()
    assert np.isnan(stored["bubbles/radius_m"]).all()
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["train.h5"]


@pytest.mark.parametrize("write", [write_mat5, write_mat73])
def test_matlab_results_keep_positions_and_radii(source, tmp_path, write):
    made = [signal(seed, bubbles=bubbles) for seed, bubbles in enumerate((1, 9))]
    for number, one in enumerate(made):
        write(source / f"RFDATA{number:05d}.mat", one)
    assert import_folder(source, tmp_path / "train.h5").imported == 2
    stored = content(tmp_path / "train.h5")
    np.testing.assert_array_equal(stored["bubbles/offset"], [0, 1, 10])
    np.testing.assert_array_equal(stored["pressure_pa"], [1e5, 1e5])
    for index, one in enumerate(made):
        rows = slice(*stored["bubbles/offset"][index : index + 2])
        np.testing.assert_array_equal(stored["rf"][index], one["volts"].astype(np.float32))
        for name, field in (
            ("arrival_sample", "arrival"),
            ("depth_m", "z"),
            ("lateral_m", "x"),
            ("radius_m", "radius"),
        ):
            np.testing.assert_allclose(stored[f"bubbles/{name}"][rows], one[field], rtol=1e-12)


@pytest.mark.parametrize("frequency_hz", [1.7e6, None])
def test_the_frequency_of_the_pulse_is_known_where_it_was_given(source, tmp_path, frequency_hz):
    write_text(source / "a.txt", signal())
    scale = Scale(50e6, 1540.0, frequency_hz)
    import_folder(source, tmp_path / "train.h5", scale)
    assert RFDataset(tmp_path / "train.h5").scale == scale


def test_all_formats_of_one_signal_agree(source, tmp_path):
    for write, suffix in ((write_text, "txt"), (write_mat5, "mat"), (write_mat73, "mat")):
        folder = source / write.__name__
        folder.mkdir()
        write(folder / f"a.{suffix}", signal())
        import_folder(folder, tmp_path / f"{write.__name__}.h5")
    counts = [RFDataset(path).count(0) for path in sorted(tmp_path.glob("*.h5"))]
    assert len(counts) == 3
    assert all(np.array_equal(count, signal()["count"]) for count in counts)


def test_what_cannot_be_used_is_skipped_and_counted(source, tmp_path):
    def changed(name, **changes):
        write_text(source / name, {**signal(3), **changes})

    nan = signal(3)["volts"].copy()
    nan[5] = np.nan
    changed("a.txt")
    changed("b.txt", volts=nan)
    changed("c.txt", field=signal(3)["field"] * np.nan)
    write_text(source / "d.txt", signal(3, samples=8000))
    write_text(source / "e.txt", signal(3, samples=8001))
    write_text(source / "f.txt", signal(3), header=["one line only"])
    (source / "g.txt").write_text("a\nb\nc\nd\n1,2\n3,4\n")
    (source / "h.txt").write_text("a\nb\nc\nd\n")
    (source / "i.txt").write_text("a\nb\nc\nd\n0.5,1,1\n0,1,1\n")
    (source / "j.mat").write_bytes(b"no MATLAB file")
    write_mat5(source / "k.mat", signal(), rate=31.25e6)
    write_mat73(source / "l.mat", signal(), sound=1540.0)
    write_mat5(source / "m.mat", signal())
    write_text(source / "m.txt", signal())
    report = import_folder(source, tmp_path / "train.h5")
    assert report.imported == 2
    reasons = "\n".join(report.reasons())
    for reason in (
        "2 × NaN or infinite values (b.txt, c.txt)",
        "1 × 8000 samples, not 8446 (d.txt)",
        "1 × 8001 samples, not 8446 (e.txt)",
        "not three columns: bubble count, voltage, pressure field (g.txt, h.txt)",
        "bubble counts that are not small whole numbers (i.txt)",
        "not a readable MATLAB file (j.mat)",
        "sampled at 3.125e+07 Hz, not 6.25e+07 (k.mat)",
        "speed of sound 1540 m/s, not 1480 (l.mat)",
        "the same signal is there as .mat (m.txt)",
    ):
        assert reason in reasons
    assert "f.txt" in reasons


def test_names_of_files_cannot_write_to_a_terminal(source, tmp_path):
    write_text(source / "a.txt", signal())
    (source / "b\n\x1b[31mc.txt").write_text("")
    (line,) = import_folder(source, tmp_path / "train.h5").reasons()
    assert line.endswith(r"(b\n\x1b[31mc.txt)")


def test_matlab_files_that_lack_something(source, tmp_path):
    write_mat73(source / "a.mat", signal(bubbles=3))
    write_mat73(source / "b.mat", signal(bubbles=3))
    with h5py.File(source / "b.mat", "r+") as file:
        del file["pfield"]
    write_mat73(source / "c.mat", signal(bubbles=3))
    with h5py.File(source / "c.mat", "r+") as file:
        file["bubble/z"][0, 0] = file["RF/V"].ref
    (source / "d.mat").write_bytes((source / "a.mat").read_bytes()[:4000])
    report = import_folder(source, tmp_path / "train.h5")
    assert report.imported == 1
    assert sum(len(names) for names in report.skipped.values()) == 3


def test_other_rates_are_named_by_the_user(source, tmp_path):
    write_mat5(source / "a.mat", signal(), rate=60e6)
    with pytest.raises(InputError, match=r"nothing to import.*sampled at 6e\+07 Hz"):
        import_folder(source, tmp_path / "train.h5")
    assert import_folder(source, tmp_path / "train.h5", Scale(60e6, 1480, None)).imported == 1
    assert RFDataset(tmp_path / "train.h5").scale.sampling_rate_hz == 60e6


def test_refusals_are_one_line_and_leave_nothing(source, tmp_path):
    refused = run(tmp_path, "convert", f"source={source}", "output=x/train.h5")
    assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1)
    assert "holds no .txt or .mat files" in refused.stderr
    (source / "a.txt").write_text("nothing here")
    for output, message in (
        ("train.h5", "nothing to import"),
        ("train.csv", "must end in .h5"),
    ):
        with pytest.raises(InputError, match=message):
            import_folder(source, tmp_path / "y" / output)
    with pytest.raises(InputError, match="no folder"):
        import_folder(source / "a.txt", tmp_path / "y/train.h5")
    (tmp_path / "there.h5").touch()
    with pytest.raises(InputError, match="exists"):
        import_folder(source, tmp_path / "there.h5")
    assert not any(path.suffix != ".h5" for path in tmp_path.glob("*/*") if path.parent != source)


def test_import_keeps_one_signal_in_memory(source, tmp_path):
    """Forty signals take hardly more memory than four: they are never all there."""
    peaks = []
    for files in (4, 40):
        folder = source / str(files)
        folder.mkdir()
        for number in range(files):
            write_text(folder / f"{number:03d}.txt", signal(number, samples=40_000))
        peaks.append(_peak_bytes(lambda f=folder: import_folder(f, tmp_path / f"{f.name}.h5")))
    assert peaks[1] < 1.5 * peaks[0]


def _peak_bytes(work):
    import tracemalloc

    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_an_imported_folder_trains_with_a_fifth_held_out(source, tmp_path):
    for number in range(10):
        write_text(source / f"{number}.txt", signal(number))
    (source / "broken.txt").write_text("")
    converted = run(tmp_path, "convert", f"source={source}", "output=data/x/train.h5")
    assert converted.returncode == 0, converted.stderr
    assert converted.stdout.splitlines() == [
        "skipped 1 × not three columns: bubble count, voltage, pressure field (broken.txt)",
        "imported 10 signals: data/x/train.h5",
    ]
    small = [*SMALL_RUN[1:-1], "trainer.max_epochs=1", "loader.crops_per_signal=1"]
    trained = run(tmp_path, "train", "data.folder=data/x", *small, "hydra.run.dir=outputs/x")
    assert trained.returncode == 0, trained.stderr
    assert "no val.h5 in data/x: 2 signals of train.h5 validate" in trained.stdout
    evaluated = run(tmp_path, "evaluate", "run=outputs/x", "selection=train")
    assert evaluated.returncode == 2
    assert "no dataset at data/x/test.h5" in evaluated.stderr
