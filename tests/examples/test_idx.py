"""IDX files: what was written is read back, and damaged or boastful files are refused."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbleloc.errors import InputError
from bubbleloc.examples.idx import read_idx


def idx(array, kind=8):
    array = np.asarray(array, np.uint8)
    header = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return header + array.tobytes()


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
