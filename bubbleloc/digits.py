"""Many numbers as text at once, in compiled code that lets other threads run."""

from math import floor, log10

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bubbleloc.arrays import Floats

DIGITS = 8
LONGEST = 20  # characters of a field and what is after it
UNCERTAIN = 1e-7  # of the last digit: a product of two float64 below 1e8 is off by 1e-8 at most
TENS = 10.0 ** np.arange(23)  # each exact
MOST_WHOLE = 2**53

Bytes = NDArray[np.uint8]


def rows_of_numbers(values: Floats, whole: NDArray[np.bool_]) -> str | None:
    """Return lines of CSV, whole numbers as they are and others as ``"%.8g"`` gives them.

    NaN is an empty field.

    >>> print(rows_of_numbers(np.array([[1.0, 0.125], [20.0, np.nan]]), np.array([True, False])))
    1,0.125
    20,
    <BLANKLINE>

    Args:
        values: (rows, columns).
        whole: whether all in a column are whole numbers, (columns,).

    Returns:
        None where a number is infinite, beyond 1e-15 to 1e8, or too close to the middle between
        two texts to be told quickly: then write all of them otherwise.
    """
    text = np.empty(values.size * LONGEST, np.uint8)
    end = _write_rows(values, whole, text)
    return None if end < 0 else text[:end].tobytes().decode("ascii")


@njit(cache=True, nogil=True)
def _write_rows(values: Floats, whole: NDArray[np.bool_], text: Bytes) -> int:
    """Write all rows; return where they end, or −1."""
    end = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if column:
                text[end] = ord(",")
                end += 1
            if whole[column] and abs(value) < MOST_WHOLE:
                if value < 0:
                    text[end] = ord("-")
                    end += 1
                end = _write_whole(text, end, abs(int(value)), 1)
            elif value == value:
                end = _write_number(text, end, value)
                if end < 0:
                    return end
        text[end] = ord("\n")
        end += 1
    return end


@njit(cache=True, nogil=True)
def _write_number(text: Bytes, end: int, value: float) -> int:
    """Write a number with 8 digits from `end` on; return where it ends, or −1."""
    if value < 0:
        text[end] = ord("-")
        end += 1
    value = abs(value)
    if value == 0 or not 1e-15 <= value < 1e8:
        return -1
    exponent = floor(log10(value))
    scaled = value * TENS[DIGITS - 1 - exponent]
    if scaled < TENS[DIGITS - 1]:  # the logarithm was rounded up
        exponent -= 1
        scaled = value * TENS[DIGITS - 1 - exponent]
    if abs(scaled - floor(scaled) - 0.5) < UNCERTAIN:
        return -1
    number = floor(scaled + 0.5)
    if number >= 10**DIGITS:
        number, exponent = number // 10, exponent + 1
    if exponent >= DIGITS:
        return -1
    count = DIGITS
    while count > 1 and number % 10 == 0:
        number, count = number // 10, count - 1
    if exponent < -4:
        end = _write_parts(text, end, number, count - 1, count)
        text[end], text[end + 1] = ord("e"), ord("-")
        return _write_whole(text, end + 2, -exponent, 2)
    if count <= exponent + 1:
        return _write_whole(text, end, number * 10 ** (exponent + 1 - count), 1)
    return _write_parts(text, end, number, count - 1 - exponent, count)


@njit(cache=True, nogil=True)
def _write_parts(text: Bytes, end: int, number: int, behind: int, count: int) -> int:
    """Write a number of `count` digits, `behind` of them behind a point."""
    power = 1
    for _ in range(min(behind, count)):
        power *= 10
    end = _write_whole(text, end, number // power, 1)
    if behind == 0:
        return end
    text[end] = ord(".")
    return _write_whole(text, end + 1, number % power, behind)


@njit(cache=True, nogil=True)
def _write_whole(text: Bytes, end: int, number: int, least: int) -> int:
    """Write a whole number, with zeros in front up to `least` digits."""
    count, left = 1, number // 10
    while left > 0:
        count, left = count + 1, left // 10
    count = max(count, least)
    for place in range(end + count - 1, end - 1, -1):
        text[place] = ord("0") + number % 10
        number //= 10
    return end + count
