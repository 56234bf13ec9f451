import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbleloc.digits import rows_of_numbers

FLOATS = np.array([False])


def written(value, whole=FLOATS):
    return rows_of_numbers(np.array([[value]], float), whole)


@given(st.floats(-1e9, 1e9))
def test_a_number_is_as_python_writes_it(value):
    assert written(value) in (None, f"{value:.8g}\n")


@given(st.integers(1, 10**8 - 1), st.integers(-7, 15), st.sampled_from([-1, 0, 1]))
def test_so_are_decimals_and_their_neighbours(number, places, side):
    value = (
        float(np.nextafter(number / 10.0**places, side * np.inf)) if side else number / 10.0**places
    )
    assert written(value) in (None, f"{value:.8g}\n")


@pytest.mark.parametrize(
    "value", [1.0, 9.99999996, 99999999.4, 0.00012345678, 0.00001, 1.5e-9, -331.68061, 1e7, 120.0]
)
def test_usual_numbers_are_written(value):
    assert written(value) == f"{value:.8g}\n"


@pytest.mark.parametrize("value", [np.inf, 0.0, -0.0, 1e8, 99999999.9, 1e-16, 1024.03125])
def test_others_are_left(value):
    assert written(value) is None


def test_fields_are_a_table():
    rng = np.random.default_rng(0)
    values = rng.gamma(0.5, 10.0, (500, 4))
    values[:, 0] = rng.integers(-(2**52), 2**52, 500)
    values[::7, 2] = np.nan
    lines = rows_of_numbers(values, np.array([True, False, False, False])).splitlines()
    for line, row in zip(lines, values, strict=True):
        number, *rest = row
        fields = ["" if np.isnan(value) else f"{value:.8g}" for value in rest]
        assert line == ",".join([str(int(number)), *fields])
