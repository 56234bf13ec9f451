"""Optimal one-to-one pairs of two sorted lists of positions, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True)
def _align_block(
    a: Floats,
    b: Floats,
    rows: tuple[int, int],
    columns: tuple[int, int],
    tolerance: float,
    pairs: Ints,
    n: int,
) -> int:
    """Append the best pairs of a[rows] and b[columns] to the first n of `pairs`; return n."""
    size_a, size_b = rows[1] - rows[0], columns[1] - columns[0]
    # one pair more outweighs any change in total distance: most pairs first, then least distance
    worth = (min(size_a, size_b) + 1) * tolerance + 1.0
    best = np.zeros((size_a + 1, size_b + 1))
    for i in range(1, size_a + 1):
        for j in range(1, size_b + 1):
            score = max(best[i - 1, j], best[i, j - 1])
            distance = abs(a[rows[0] + i - 1] - b[columns[0] + j - 1])
            if distance <= tolerance:
                score = max(score, best[i - 1, j - 1] + worth - distance)
            best[i, j] = score
    i, j = size_a, size_b
    while i > 0 and j > 0:
        if best[i, j] == best[i - 1, j]:
            i -= 1
        elif best[i, j] == best[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs[n, 0], pairs[n, 1] = rows[0] + i, columns[0] + j
            n += 1
    return n


@njit(cache=True)
def align_sorted(a: Floats, b: Floats, tolerance: float) -> tuple[Ints, Ints]:
    """Indices of the best non-crossing pairs of two ascending lists.

    Wherever neighbours of the merged list are farther apart than the tolerance no pair can reach
    across, so the list falls into short blocks, and the work grows with n + m in practice.
    """
    pairs = np.empty((min(a.size, b.size), 2), dtype=np.int64)
    i, j, n = 0, 0, 0
    while i < a.size and j < b.size:
        i_end, j_end = i, j
        last = min(a[i], b[j])
        while True:
            if i_end < a.size and a[i_end] - last <= tolerance:
                last = max(last, a[i_end])
                i_end += 1
            elif j_end < b.size and b[j_end] - last <= tolerance:
                last = max(last, b[j_end])
                j_end += 1
            else:
                break
        n = _align_block(a, b, (i, i_end), (j, j_end), tolerance, pairs, n)
        i, j = i_end, j_end
    return pairs[:n, 0], pairs[:n, 1]
