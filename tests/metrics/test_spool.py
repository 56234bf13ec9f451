import numpy as np
import pytest

from bubbleloc.metrics import spool
from bubbleloc.metrics.spool import Spool


@pytest.fixture(params=[1, 100, 2**18])
def piece_bytes(request, monkeypatch):
    monkeypatch.setattr(spool, "_PIECE_BYTES", request.param)


@pytest.mark.usefixtures("piece_bytes")
def test_rows_come_back_as_they_went():
    rows = np.random.default_rng(0).random((7, 2, 3))
    kept = Spool()
    for first in (0, 4):
        kept.append(rows[first : first + 4])
        list(kept.pieces())  # reading between does no harm
    kept.append(rows[:0])
    assert len(kept) == 7
    np.testing.assert_array_equal(np.concatenate(list(kept.pieces())), rows)
    np.testing.assert_array_equal(kept.median(), np.median(rows, axis=0))


def test_rows_may_have_fields():
    rows = np.array([(0, 0.5), (1, 0.7)], dtype=[("signal", "i8"), ("f1", "f8")])
    kept = Spool()
    kept.append(rows)
    (piece,) = kept.pieces()
    np.testing.assert_array_equal(piece, rows)
    assert piece.dtype == rows.dtype


def test_nothing_comes_back_from_nothing():
    assert list(Spool().pieces()) == []
