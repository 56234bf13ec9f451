"""Sets of images: how they are split and put in order, and what does not fit together."""

import builtins

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.examples.images import load_digits, load_mnist
from tests.examples.test_idx import idx

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
    with pytest.raises(InputError, match="is no folder"):
        load_mnist(tmp_path / "nowhere")
