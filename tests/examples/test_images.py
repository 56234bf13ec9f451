"""Images in IDX files: what is read, how sets are split and put in order, and what is refused."""

import builtins
import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbleloc.errors import InputError
from bubbleloc.examples.images import load_digits, load_mnist, read_idx


def idx(array, kind=8):
    array = np.asarray(array, np.uint8)
    header = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return header + array.tobytes()


FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def write_mnist(folder, **other):
    """Write a small set in the form of MNIST; ``other`` gives arrays by file, None for none."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for name in FILES:
        count = 60 if name.startswith("train") else 30
        labels = np.arange(count) % 10
        array = rng.integers(0, 256, (count, 5, 4)) if "images" in name else labels
        array = other.get(name.rsplit("-", 1)[0].replace("-", "_"), array)
        if array is not None:
            (folder / name).write_bytes(idx(array))
    return folder


def test_sequences_run_along_the_rows_in_their_scale(tmp_path):
    bright = np.tile(np.arange(20).reshape(5, 4), (30, 1, 1))
    data = load_mnist(write_mnist(tmp_path / "set", t10k_images_idx3=bright))
    assert (len(data.train.labels), len(data.val.labels), len(data.test.labels)) == (54, 6, 30)
    assert data.samples == 20
    steps = np.diff(data.test.sequences, axis=1)
    np.testing.assert_allclose(steps, steps[0, 0], rtol=1e-4)
    pixels = np.concatenate([data.train.sequences, data.val.sequences])
    assert abs(pixels.mean()) < 1e-4
    assert abs(pixels.std() - 1) < 1e-4


def test_permuting_puts_all_pixels_in_the_same_other_order(tmp_path):
    folder = write_mnist(tmp_path / "set")
    plain, permuted = load_mnist(folder), load_mnist(folder, permuted=True)
    assert not np.array_equal(plain.test.sequences, permuted.test.sequences)
    order = [
        int(np.flatnonzero((plain.test.sequences == column[:, None]).all(axis=0))[0])
        for column in permuted.test.sequences.T
    ]
    assert sorted(order) == list(range(20))
    np.testing.assert_array_equal(plain.train.sequences[:, order], permuted.train.sequences)


def test_digits_are_split_without_overlap():
    pytest.importorskip("sklearn", reason="pip install bubbleloc[examples]")
    data = load_digits()
    parts = (data.train, data.val, data.test)
    assert [len(part.labels) for part in parts] == [1294, 144, 359]
    assert data.samples == 64
    for part in parts:
        assert set(part.labels) == set(range(10))


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    found = builtins.__import__

    def missing(name, *arguments, **others):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return found(name, *arguments, **others)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"pip install 'bubbleloc\[examples\]'"):
        load_digits()


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"t10k_labels_idx1": None}, "has no t10k-labels-idx1-ubyte"),
        ({"train_labels_idx1": np.arange(59) % 10}, "do not fit labels of shape"),
        ({"train_labels_idx1": np.zeros((60, 1))}, "do not fit labels of shape"),
        ({"train_images_idx3": np.zeros((60, 20))}, "do not fit labels of shape"),
        ({"t10k_images_idx3": np.zeros((30, 6, 4))}, "take both from one set"),
        ({"t10k_images_idx3": np.zeros((0, 5, 4)), "t10k_labels_idx1": np.zeros(0)}, "0 t10k"),
        ({"train_images_idx3": np.zeros((60, 0, 4))}, "of 0 pixels"),
        ({"train_images_idx3": np.zeros((60, 80, 80))}, "of 6400 pixels"),
        ({"train_labels_idx1": np.full(60, 10)}, "label is 10"),
    ],
)
def test_sets_that_do_not_fit_are_refused(tmp_path, spoilt, message):
    with pytest.raises(InputError, match=message):
        load_mnist(write_mnist(tmp_path / "set", **spoilt))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"folder=.*nowhere is no folder"):
        load_mnist(tmp_path / "nowhere")


# --- single files


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    seed=st.integers(0, 99),
    packed=st.booleans(),
)
def test_arrays_come_back(tmp_path_factory, shape, seed, packed):
    array = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path_factory.mktemp("idx") / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    found = read_idx(path)
    assert found.shape == array.shape
    assert (found == array).all()


GOOD = idx(np.zeros((3, 4, 4)))
PACKED = gzip.compress(GOOD, mtime=0)
BOASTFUL = struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty", b"", "is damaged"),
        ("header", GOOD[:9], "is damaged"),
        ("cut", GOOD[:-1], "holds less than the 3 × 4 × 4 bytes"),
        ("long", GOOD + b"0", "holds more than the 3 × 4 × 4 bytes"),
        ("floats", idx(np.zeros((3, 4)), kind=0x0D), "is no IDX file of bytes"),
        ("picture", b"\x89PNG\r\n\x1a\n", "is no IDX file of bytes"),
        ("deep", idx(np.zeros((1, 1, 1, 1))), "is no IDX file of bytes"),
        ("boastful", BOASTFUL, "GiB in one piece"),
        ("boastful.gz", gzip.compress(BOASTFUL, mtime=0), "GiB in one piece"),
        ("plain.gz", GOOD, "is damaged"),
        ("cut.gz", PACKED[:-9], "is damaged"),
        ("broken.gz", PACKED[:12] + b"\xff\xff\xff" + PACKED[15:], "is damaged"),
        ("bomb.gz", gzip.compress(GOOD + bytes(10**7), mtime=0), "holds more than"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        read_idx(tmp_path / name)
    assert name in str(refusal.value)
