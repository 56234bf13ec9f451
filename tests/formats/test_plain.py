import tracemalloc

import h5py
import numpy as np
import pytest
import scipy.io

from bubbleloc import formats
from bubbleloc.errors import InputError
from bubbleloc.formats import Hints, recording_of_array
from bubbleloc.units import Scale

LINES = np.random.default_rng(0).standard_normal((5, 30)).astype(np.float32)


def read(path, size=2, **hints):
    """All lines of a file, read in blocks of `size`, and what it says."""
    lines = formats.read(path, **hints)
    blocks = list(lines.blocks(size))
    assert all(block.dtype == np.float32 and len(block) <= size for block in blocks)
    assert lines.lines == sum(map(len, blocks))
    assert {block.shape[1] for block in blocks} == {lines.samples}
    return np.concatenate(blocks), lines


def write_h5(path, array):
    with h5py.File(path, "w") as file:
        file["rf"], file["other"] = array, np.zeros((2, 2))
        file.attrs["sampling_rate_hz"] = 40e6


def write_v73(path, array):
    with h5py.File(path, "w") as file:  # MATLAB writes its arrays the other way round
        file["volts"], file["fs"] = array.T, np.array([[40e6]])


WRITERS = {
    "a.h5": write_h5,
    "v73.mat": write_v73,
    "v5.mat": lambda path, array: scipy.io.savemat(path, {"volts": array, "fs": 40e6}),
    "a.npz": lambda path, array: np.savez(path, rf=array, sampling_rate_hz=40e6),
    "a.npy": np.save,
    "a.csv": lambda path, array: np.savetxt(path, array, delimiter=",", header="RF in volts"),
    "b.csv": lambda path, array: np.savetxt(path, array, delimiter=";"),
    "a.txt": np.savetxt,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("transpose", [False, True])
def test_lines_are_read_from_every_format(name, transpose, tmp_path):
    path = tmp_path / name
    WRITERS[name](path, LINES.T if transpose else LINES)
    found, lines = read(path, transpose=transpose)
    np.testing.assert_allclose(found, LINES, rtol=1e-6)
    binary = path.suffix in (".h5", ".mat", ".npz")
    assert lines.sampling_rate_hz == (40e6 if binary else None)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("shape", [(1, 30), (30, 1)])
def test_a_single_row_or_column_is_one_line(name, shape, tmp_path):
    WRITERS[name](tmp_path / name, LINES[0].reshape(shape))
    np.testing.assert_allclose(read(tmp_path / name)[0], LINES[:1], rtol=1e-6)


def test_a_heading_and_one_dimension_are_understood(tmp_path):
    (tmp_path / "a.csv").write_text("first,second,third\n1,2,3\n4,5,6\n")
    np.testing.assert_array_equal(read(tmp_path / "a.csv")[0], [[1, 2, 3], [4, 5, 6]])
    np.save(tmp_path / "a.npy", np.arange(7))
    np.testing.assert_array_equal(read(tmp_path / "a.npy")[0], [np.arange(7)])


def test_a_dataset_of_this_package_is_read_as_it_is(tiny):
    found, lines = read(tiny / "test.h5")
    assert (lines.sampling_rate_hz, lines.speed_of_sound_m_s) == (62.5e6, 1480)
    with h5py.File(tiny / "test.h5") as file:
        np.testing.assert_array_equal(found, file["rf"][:])


def test_an_array_is_sliced_and_not_read_whole(tmp_path):
    with h5py.File(tmp_path / "big.h5", "w") as file:  # 400 GB, were it ever written
        file.create_dataset("rf", (10_000_000, 10_000), np.float32, chunks=(1, 10_000))
    lines = formats.read(tmp_path / "big.h5")
    assert next(lines.blocks(3)).shape == (3, 10_000)
    assert lines.lines == 10_000_000


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.png", lambda path: path.write_text(""), "cannot read .png; give .mat"),
        ("a.csv", lambda path: path.write_text("# nothing\n"), "is empty"),
        ("a.csv", lambda path: path.write_text("first,second\n\n"), "not a table of numbers"),
        ("a.csv", lambda path: path.write_text("1,2,3\n4,x,6\n"), "not a table of numbers"),
        ("a.csv", lambda path: path.write_text("1,2\n4,5,6\n"), "not a table of numbers"),
        ("a.h5", lambda path: path.write_text("no HDF5"), "cannot be read"),
        ("a.npy", lambda path: np.save(path, np.ones((2, 9)) * 1j), ".IQ.: give modulation_hz="),
        ("a.npy", lambda path: np.save(path, np.ones((2, 3, 4, 5))), "give RF lines, elements ×"),
        ("a.npy", lambda path: np.save(path, np.array([{}])), "holds objects in place"),
        ("a.npz", lambda path: np.savez(path, x=LINES, y=LINES), r"x \(5, 30\), y .* key="),
        ("a.npz", lambda path: np.savez(path), "holds nothing"),
    ],
)
def test_bad_files_are_refused_in_one_line(name, write, message, tmp_path):
    write(tmp_path / name)
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_the_array_is_chosen_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", x=LINES, y=2 * LINES)
    np.testing.assert_array_equal(read(tmp_path / "a.npz", key="y")[0], 2 * LINES)
    with pytest.raises(InputError, match="has no 'z'"):
        read(tmp_path / "a.npz", key="z")
    with pytest.raises(InputError, match="no file"):
        read(tmp_path / "b.npz")


TEXTS = {
    "byte-order mark": "\ufeff1.5,-2\n3,4\n",
    "heading after a byte-order mark": "\ufeffa,b\n1.5,-2\n3,4\n",
    "heading of words and digits": "channel 1;channel 2\n1.5;-2\n3;4\n",
    "decimal commas between semicolons": "1,5;-2\n3;4,0\n",
    "decimal commas between tabs": "1,5\t-2\n3\t4\n",
    "decimal commas between blanks": "1,5 -2,0\n3 4\n",
    "commas and blanks": "1.5, -2\n3, 4\n",
    "comments": "# of 2 lines\n1.5,-2 # the first\n3,4\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_of_spreadsheets_are_understood(text, tmp_path):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    np.testing.assert_array_equal(read(tmp_path / "a.csv")[0], [[1.5, -2], [3, 4]])


COMMAS = "commas separate fields and decimals alike"
AMBIGUOUS = {
    "a row": ("0,12,-0,5,1,25\n", COMMAS),
    "zeros after the comma": ("1,05,2,5\n", COMMAS),
    "exponents": ("1,5e-3,2,5e-3\n", COMMAS),
    "a column": ("".join(f"{n // 7 - 9},{n}\n" for n in range(10, 90)), COMMAS),
    "points and commas": ("1.5;2,5\n", "mixes decimal points with commas"),
    "thousands": ("1.234,5;2\n", "not a table of numbers"),
    "a word among numbers": ("1,x,3\n4,5,6\n", "line 1 holds 'x' among numbers"),
    "errors of a spreadsheet": ("1;2\n#NV;3\n", "holds '#NV;3'"),
    "a heading of numbers": ("0,1,2\n.1,.2,.3\n", "the first row counts the columns"),
}


@pytest.mark.parametrize(("text", "message"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_texts_that_could_mean_two_things_are_refused(text, message, tmp_path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / "a.csv")
    assert "\n" not in str(error.value)


def test_tables_of_integers_are_no_decimals(tmp_path):
    counts = np.random.default_rng(0).integers(-50, 50, (4, 20))
    np.savetxt(tmp_path / "a.csv", counts, "%d", delimiter=",")
    np.testing.assert_array_equal(read(tmp_path / "a.csv")[0], counts)


def test_lines_of_millions_of_samples_are_refused_before_they_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"0," * 10_000_000)
    with h5py.File(tmp_path / "a.h5", "w") as file:  # declared and never written
        file.create_dataset("rf", (2**24, 64), np.float32, chunks=(1024, 64))
    tracemalloc.start()
    with pytest.raises(InputError, match="characters: cut the RF lines to 262144 samples"):
        formats.read(tmp_path / "a.csv")
    with pytest.raises(InputError, match="lines of 16777216 samples, more than 262144"):
        formats.read(tmp_path / "a.h5", transpose=True)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most_bytes < 2**26  # the lines of the second file are 4 GiB


@pytest.mark.parametrize("largest", [1e20, 1e-40, 1e300, 1e-300])
def test_amplitudes_that_no_receiver_records_are_refused(largest, tmp_path):
    np.save(tmp_path / "a.npy", LINES.astype(float) * [[1], [1], [largest], [1], [0]])
    with pytest.raises(InputError, match=r"line 2 reaches .*; give volts or counts"):
        read(tmp_path / "a.npy")


OWN = Scale(62.5e6, 1480, 1.7e6)


def test_settings_come_before_the_file_and_the_file_before_the_network():
    facts = {"fs": 40e6, "speed_of_sound_m_s": 1540, "start_s": 1e-6}
    told = recording_of_array("a", LINES, facts=facts)
    assert told.scale(OWN) == Scale(40e6, 1540, 1.7e6)
    assert told.start_s == 1e-6
    assert set(told.sources.values()) == {"file"}
    hints = Hints(sampling_rate_hz=50e6, speed_of_sound_m_s=1500, start_s=2e-6)
    given = recording_of_array("a", LINES, hints, facts)
    assert given.scale(OWN) == Scale(50e6, 1500, 1.7e6)
    assert given.start_s == 2e-6
    assert set(given.sources.values()) == {"setting"}
    bare = recording_of_array("a", LINES, Hints(sampling_rate_hz=50e6))
    assert bare.scale(OWN) == Scale(50e6, 1480, 1.7e6)
    assert "speed_of_sound_m_s" not in bare.sources


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "a.h5 does not say its sampling rate, .*: give sampling_rate_hz=, in Hz"),
        ({"fs": 62.5}, r"a\.h5: sampling_rate_hz=62\.5: give the rate in Hz"),
        ({"fs": 0.0}, "a.h5: sampling_rate_hz=0: give"),
        ({"fs": 40e6, "speed_of_sound_m_s": 0}, "a.h5: speed_of_sound_m_s=0: give"),
        ({"fs": 40e6, "speed_of_sound_m_s": -1480}, "a.h5: speed_of_sound_m_s=-1480: give"),
        ({"fs": 40e6, "speed_of_sound_m_s": np.nan}, "a.h5: speed_of_sound_m_s=nan: give"),
        ({"fs": 40e6, "speed_of_sound_m_s": 1.54}, "a.h5: speed_of_sound_m_s=1.54: give"),
    ],
)
def test_files_without_or_with_impossible_facts_are_refused(facts, message):
    with pytest.raises(InputError, match=message):
        recording_of_array("a.h5", LINES, facts=facts).scale(OWN)


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "v73.mat", "v5.mat"])
def test_frames_of_elements_are_read_one_by_one(name, tmp_path):
    frames = np.random.default_rng(1).standard_normal((4, 3, 20)).astype(np.float32)
    for transpose in (False, True):
        WRITERS[name](tmp_path / name, frames.T if transpose else frames)
        volts = formats.read(tmp_path / name, transpose=transpose).volts
        assert (len(volts), volts.shape) == (4, (4, 3, 20))
        assert volts[2].dtype == np.float32
        for place in (0, 2, -1):
            np.testing.assert_array_equal(volts[place], frames[place])
        np.testing.assert_array_equal(volts.lines(2, 8), frames.reshape(12, 20)[2:8])
        with pytest.raises(IndexError, match="frames 0 to 3"):
            volts[4]


TIMES = 1e-6 * (3 + 0.025 * np.arange(200))
COLUMNS = {
    "seconds": ("", 1, 10),
    "seconds, few digits": ("", 1, 4),
    "heading": ("time,volts\n", 1, 10),
    "µs": ("Time (us),a,b\n", 1e6, 6),
    "ns": ("time_ns;a;b\n", 1e9, 6),
    "comment": ("# t [µs] a b\n", 1e6, 6),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_of_times_tells_rate_and_start(case, tmp_path):
    heading, per_s, digits = COLUMNS[case]
    rows = np.column_stack([TIMES * per_s, LINES.ravel()[:0].sum() + np.sin(TIMES * 1e7), TIMES])
    text = heading + "".join(f"{t:.{digits}e},{v:.6e},1\n" for t, v, _ in rows)
    if ";" in heading:
        text = text.replace(",", ";")
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found, recording = read(tmp_path / "a.csv")
    assert recording.sampling_rate_hz == 40e6
    assert recording.start_s == pytest.approx(3e-6)
    np.testing.assert_allclose(found, [rows[:, 1], np.ones(200)], rtol=1e-5, atol=1e-7)


def test_a_column_that_numbers_the_samples_is_no_line(tmp_path):
    rows = "".join(f"{i},{v}\n" for i, v in enumerate(LINES.ravel()))
    (tmp_path / "a.csv").write_text(rows)
    found, recording = read(tmp_path / "a.csv")
    np.testing.assert_allclose(found, LINES.reshape(1, -1), rtol=1e-6)
    assert recording.sampling_rate_hz is None
    (tmp_path / "a.csv").write_text("time,volts\n" + rows)
    with pytest.raises(InputError, match=r"its column of times gives 1 samples per second"):
        read(tmp_path / "a.csv")
