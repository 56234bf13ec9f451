"""Images of digits as sequences of pixels: MNIST from files, or scikit-learn's small digits."""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s, Ints
from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes

UNSIGNED_BYTES = 0x08  # the only type of data in MNIST
MOST_DIMENSIONS = 3
BYTES_PER_VALUE = 4  # of the numbers that pixels become
CLASSES = 10
LEAST_IMAGES = 20  # below, a tenth of them validates nothing
MOST_PIXELS = 4096
VALIDATION_SHARE = 0.1  # of the training images
TEST_SHARE = 0.2  # of the images where no test images are set apart
SPLIT_SEED = 0  # splits and the permutation are the same for every seed of a training

Labelled = tuple[NDArray[Any], NDArray[Any]]
"""Images (n, rows, columns) and labels (n,)."""


@dataclass(frozen=True)
class Part:
    """Sequences (n, L), scaled by mean and deviation of the training pixels, and labels (n,)."""

    sequences: Float32s
    labels: Ints

    def __getitem__(self, rows: Ints) -> Self:
        return type(self)(self.sequences[rows], self.labels[rows])


@dataclass(frozen=True)
class SequentialImages:
    """Training, validation and test part of one set of images, and its name."""

    name: str
    train: Part
    val: Part
    test: Part

    @property
    def samples(self) -> int:
        """Length of a sequence."""
        return self.train.sequences.shape[1]

    @property
    def description(self) -> str:
        """How many sequences of what length there are, in words."""
        train, val, test = (len(part.labels) for part in (self.train, self.val, self.test))
        counts = f"{train} training, {val} validation and {test} test sequences"
        return f"{self.name}: {counts} of {self.samples} pixels"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes (http://yann.lecun.com/exdb/mnist), plain or ``.gz``.

    The header is two zero bytes, the type of data, the number of dimensions, and each dimension as
    a big-endian 32-bit number. What it claims is checked before memory is allocated.

    Raises:
        InputError: damaged, cut, not of bytes, or too large.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            zeros, kind, dimensions = struct.unpack(">HBB", file.read(4))
            if zeros != 0 or kind != UNSIGNED_BYTES or not 1 <= dimensions <= MOST_DIMENSIONS:
                raise InputError(f"{path} is no IDX file of bytes; give MNIST's own files")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            claimed = math.prod(shape)
            check_bytes(path, BYTES_PER_VALUE * claimed)
            content = file.read(claimed + 1)
    except (struct.error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged; download it again") from error
    if len(content) != claimed:
        shown = " × ".join(map(str, shape))
        what = "less" if len(content) < claimed else "more"
        raise InputError(f"{path} is damaged: it holds {what} than the {shown} bytes it announces")
    return np.frombuffer(content, np.uint8).reshape(shape)


def load_mnist(folder: Path, permuted: bool = False) -> SequentialImages:
    """Read MNIST, or a set of the same form, pixel by pixel along the rows.

    A tenth of the training images is set apart for validation; the published code validates on the
    test images. `folder` holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
    ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each perhaps ``.gz``; `permuted`
    puts the pixels of all sequences into one random order.

    Raises:
        InputError: a file is missing, damaged or does not fit the others.
    """
    if not folder.is_dir():
        raise InputError(f"folder={folder} is no folder; give the one with MNIST's IDX files")
    (images, labels), test = (_read_pair(folder, part) for part in ("train", "t10k"))
    if images.shape[1:] != test[0].shape[1:]:
        raise InputError(
            f"{folder}: training images have {images.shape[1:]} pixels, test images "
            f"{test[0].shape[1:]}; take both from one set"
        )
    return _sequences("MNIST", (images, labels), test, permuted)


def load_digits(permuted: bool = False) -> SequentialImages:
    """Return the 1797 images of 8 × 8 pixels that come with scikit-learn, a fifth of them for test.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise InputError(
            "without folder=… the images are scikit-learn's, which is not installed: "
            "pip install 'bubbleloc[examples]'"
        ) from error
    digits = datasets.load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits.target))
    images, labels = digits.images[order], digits.target[order]
    held = round(TEST_SHARE * len(labels))
    train, test = ((images[part], labels[part]) for part in (slice(held, None), slice(held)))
    return _sequences("scikit-learn's digits", train, test, permuted)


def _read_pair(folder: Path, part: str) -> Labelled:
    images = read_idx(_find(folder, f"{part}-images-idx3-ubyte"))
    labels = read_idx(_find(folder, f"{part}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise InputError(
            f"{folder}: {part} images of shape {images.shape} do not fit labels of shape "
            f"{labels.shape}; they must be (n, rows, columns) and (n,)"
        )
    pixels = images[0].size if len(images) else 0
    if len(images) < LEAST_IMAGES or not 1 <= pixels <= MOST_PIXELS:
        raise InputError(
            f"{folder}: {len(images)} {part} images of {pixels} pixels; give {LEAST_IMAGES} or "
            f"more, of 1 to {MOST_PIXELS} pixels"
        )
    if labels.max() >= CLASSES:
        raise InputError(f"{folder}: a {part} label is {labels.max()}; labels must be 0 to 9")
    return images, labels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InputError(f"{folder} has no {name} (nor {name}.gz); it must hold MNIST's four files")


def _sequences(name: str, train: Labelled, test: Labelled, permuted: bool) -> SequentialImages:
    """Flatten, permute, scale and split images."""
    rng = np.random.default_rng(SPLIT_SEED)
    order = rng.permutation(len(train[0]))
    pixels = train[0][0].size
    pixel_order = rng.permutation(pixels) if permuted else np.arange(pixels)
    mean, deviation = train[0].mean(), max(float(train[0].std()), 1e-6)
    whole, tested = (
        Part(
            (((images - mean) / deviation).reshape(len(images), -1)[:, pixel_order]).astype(
                np.float32
            ),
            labels.astype(np.int64),
        )
        for images, labels in (train, test)
    )
    held = max(1, round(VALIDATION_SHARE * len(order)))
    return SequentialImages(name, whole[order[held:]], whole[order[:held]], tested)
