"""Positions of bubbles in a frame."""

import numpy as np
import pytest

from bubbleloc.errors import InputError
from bubbleloc.imaging.positions import POSITION_COLUMNS, Positions


def test_what_is_not_told_is_nan_and_units_are_mm():
    found = Positions([1e-3, 2e-3], [30e-3, 31e-3], height=[3.0, 1.0])
    table = found.to_table(frame=7)
    assert list(table) == POSITION_COLUMNS
    assert table["x_mm"].tolist() == [1.0, 2.0]
    assert table["frame"].tolist() == [7, 7]
    assert table[["x_sigma_mm", "probability"]].isna().all(axis=None)


def test_confidence_is_the_probability_or_else_the_height():
    found = Positions([0.0, 1.0], [0.0, 0.0], probability=[0.9, np.nan], height=[5.0, 0.2])
    assert found.confidence.tolist() == [0.9, 0.2]
    assert len(found.above(0.5)) == 1
    assert len(found.above(None)) == 2


def test_rows_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="z_m of shape"):
        Positions([0.0, 1.0], [0.0, 0.0, 0.0])
