"""Reads IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist)."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bubbleloc.errors import InputError
from bubbleloc.files import check_bytes

UNSIGNED_BYTES = 0x08  # the only type of data in MNIST
MOST_DIMENSIONS = 3
BYTES_PER_VALUE = 4  # of the numbers that pixels become


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, plain or compressed (``.gz``).

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
