"""All bubbles of a frame fitted at once: their positions and strengths, with one echo for all.

They follow from least squares by the method of Gauss and Newton. Lines are filtered so that their
echoes are short (Wiener's filter of the echo). All inner products of echoes then depend on the
distance of two arrivals alone, so that they come from a table, and those with the lines from
correlations, computed once.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit
from scipy import fft
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import KDTree

from bubbleloc.arrays import Complexes, Float32s, Floats, Ints
from bubbleloc.imaging.array import Array

PHASES = 8  # per sample, of the table
EPSILON = 1e-5  # of the largest power of the echo: frequencies with less of it count less
LAG_S = 2.4e-6  # between arrivals of echoes that are told apart, after the filter
DAMPING = 0.01  # of the diagonal, added to it
TRUST = 0.02  # of the spread of strengths, against the lines
STRENGTHS = (0.05, 4.0)  # least and most, in echoes
FARTHEST = 1.0  # samples that an arrival may move in a step


@dataclass(frozen=True, eq=False)
class Bubbles:
    """Bubbles of a frame.

    Attributes:
        x_m: lateral positions (B,).
        z_m: depths (B,).
        strength: how strong their echoes are, in echoes, (B,).
    """

    x_m: Floats
    z_m: Floats
    strength: Floats

    def __len__(self) -> int:
        return len(self.x_m)

    def __getitem__(self, chosen: Ints) -> Self:
        return type(self)(self.x_m[chosen], self.z_m[chosen], self.strength[chosen])

    def joined(self, x_m: Floats, z_m: Floats, strength: Floats) -> Self:
        """Return them and others."""
        rows = zip((self.x_m, self.z_m, self.strength), (x_m, z_m, strength), strict=True)
        return type(self)(*(np.concatenate(pair) for pair in rows))

    def above(self, least: float) -> Self:
        """Return those that are stronger."""
        return self[np.flatnonzero(self.strength > least)]

    def merged(self, across_m: float, down_m: float) -> Self:
        """Return them with those that lie within an ellipse of each other made one, their sum."""
        order = np.argsort(-self.strength)
        points = np.stack([self.x_m / across_m, self.z_m / down_m], axis=1)[order]
        strength, kept = self.strength[order].copy(), np.ones(len(order), dtype=np.bool_)
        for i, j in sorted(KDTree(points).query_pairs(1.0)) if len(points) else ():
            if kept[i] and kept[j]:
                strength[i] += strength[j]
                kept[j] = False
        return replace(self[order[kept]], strength=strength[kept])


NO_BUBBLES = Bubbles(*np.empty((3, 0)))


@dataclass(frozen=True, eq=False)
class JointFit:
    """Fits bubbles to the lines of a frame.

    Attributes:
        array: of the lines, in which echoes from everywhere are as strong.
        echo: (n,), from the arrival on.
        spread: standard deviation of the strength from bubble to bubble; its mean is 1.
    """

    array: Array
    echo: Floats
    spread: float

    def __call__(self, lines: Float32s, bubbles: Bubbles, steps: int) -> Bubbles:
        """Return bubbles after some steps of least squares on lines (E, L)."""
        correlations = self._correlations(lines)
        for _ in range(steps):
            bubbles = self._step(correlations, bubbles)
        return bubbles

    def lines(self, bubbles: Bubbles, samples: int) -> Floats:
        """Return what lines (E, samples) of these bubbles are."""
        arrival = self.array.arrival_sample(bubbles.x_m, bubbles.z_m)
        size = fft.next_fast_len(samples + len(self.echo), real=True)
        spectrum = fft.rfft(impulses(arrival, bubbles.strength, samples), size)
        return np.asarray(fft.irfft(spectrum * fft.rfft(self.echo, size), size)[:, :samples])

    def own_strength(self, bubbles: Bubbles) -> Floats:
        """Return the strengths (B,) that the lines alone tell, if all other bubbles are kept.

        In the end of a fit, what pulls a strength from 1 is as strong as the trust in its spread.
        """
        return 1 + (bubbles.strength - 1) * (1 + TRUST / self.spread**2)

    def deviations(self, lines: Float32s, bubbles: Bubbles) -> Floats:
        """Return standard deviations (2, B) of x and z in m.

        They tell what the bubbles leave of lines (E, L) would do to positions as noise, by the
        inverse of the normal matrix, so that bubbles close to others are less certain.
        """
        if not len(bubbles):
            return np.empty((2, 0))
        left = self._correlations(lines - self.lines(bubbles, lines.shape[1]))
        matrix, _ = self._equations(left, bubbles)
        noise = np.mean(left[1] ** 2) / np.abs(self._table[2]).max()
        return np.sqrt(noise * np.linalg.inv(matrix).diagonal().reshape(-1, 3)[:, 1:].T)

    def _equations(self, correlations: Floats, bubbles: Bubbles) -> tuple[Floats, Floats]:
        """Normal matrix and right side, with the trust in the spread of strengths."""
        arrival = self.array.arrival_sample(bubbles.x_m, bubbles.z_m)
        slope = self.array.slopes(bubbles.x_m, bubbles.z_m)
        matrix, right = _normal_equations(
            correlations, self._table, arrival.T.copy(), slope, bubbles.strength
        )
        trust = TRUST * self._table[0].max() * len(self.array) / self.spread**2
        matrix[::3, ::3] += trust * np.eye(len(bubbles))
        right[::3] += trust * (1 - bubbles.strength)
        return matrix, right

    def _step(self, correlations: Floats, bubbles: Bubbles) -> Bubbles:
        matrix, right = self._equations(correlations, bubbles)
        slope = self.array.slopes(bubbles.x_m, bubbles.z_m)
        change, *move_m = _solved(matrix, right).reshape(-1, 3).T
        strength = np.clip(bubbles.strength + np.clip(change, -0.5, 0.5), *STRENGTHS)
        later = np.abs(np.einsum("bed,db->be", slope, move_m)).max(axis=1)
        part = np.minimum(1, FARTHEST / np.maximum(later, 1e-9))
        return Bubbles(bubbles.x_m + part * move_m[0], bubbles.z_m + part * move_m[1], strength)

    def _filtered(self, size: int) -> tuple[Complexes, Complexes]:
        """Spectra of the filter, and of the filtered echo."""
        spectrum = fft.rfft(self.echo, size)
        power = np.abs(spectrum) ** 2
        inverse = spectrum.conj() / (power + EPSILON * power.max())
        inverse = inverse / fft.irfft(spectrum * inverse, size)[0]
        return inverse, spectrum * inverse

    @cached_property
    def _table(self) -> Floats:
        """Inner product of two filtered echoes and its two derivatives, (3, T).

        Entry t is for arrivals of the second t / `PHASES` − lag samples after those of the first.
        """
        lag = round(LAG_S * self.array.scale.sampling_rate_hz)
        size = fft.next_fast_len(max(8 * len(self.echo), 4 * lag), real=True)
        turn = 2j * np.pi * fft.rfftfreq(size)
        power = np.abs(self._filtered(size)[1]) ** 2
        products = np.stack([power, turn * power, turn**2 * power])
        fine = PHASES * fft.irfft(products, PHASES * size)
        return np.roll(fine, PHASES * lag, axis=1)[:, : 2 * PHASES * lag + 2].copy()

    def _correlations(self, lines: Floats | Float32s) -> Floats:
        """Inner products of lines with a filtered echo at every sample, derivatives: (2, E, L)."""
        size = fft.next_fast_len(lines.shape[1] + 2 * len(self.echo), real=True)
        inverse, echo = self._filtered(size)
        products = fft.rfft(lines.astype(np.float64), size) * (inverse * echo.conj())
        turn = 2j * np.pi * fft.rfftfreq(size)
        both = fft.irfft(np.stack([products, turn * products]), size)
        return np.ascontiguousarray(both[..., : lines.shape[1]])


def _solved(matrix: Floats, right: Floats) -> Floats:
    """Solve damped normal equations, with more damping where cut tables made them indefinite."""
    diagonal = np.sqrt(matrix.diagonal())
    scaled = matrix / diagonal[:, None] / diagonal
    damping = DAMPING
    while True:
        np.fill_diagonal(scaled, 1 + damping)
        try:
            factor = cho_factor(scaled, check_finite=False)
        except np.linalg.LinAlgError:
            damping *= 4
        else:
            return np.asarray(cho_solve(factor, right / diagonal) / diagonal)


def impulses(arrival: Floats, strength: Floats, samples: int) -> Floats:
    """Return impulses (E, samples) between the samples around arrivals (E, B)."""
    before = np.floor(arrival).astype(np.int64)
    part, row = arrival - before, samples * np.arange(len(arrival))[:, None]
    total = np.zeros(len(arrival) * samples)
    for sample, weight in ((before, 1 - part), (before + 1, part)):
        kept = (sample >= 0) & (sample < samples)
        total += np.bincount((row + sample)[kept], (weight * strength)[kept], total.size)
    return total.reshape(-1, samples)


@njit(cache=True, nogil=True)
def _block(block, table, first, second, slope, other_slope, strength, other):  # type: ignore[no-untyped-def]
    """Fill the block (3, 3) of two bubbles with arrivals (E,), slopes (E, 2) and strengths."""
    middle = (table.shape[1] - 2) // 2
    block[:] = 0
    for e in range(len(first)):
        at = (second[e] - first[e]) * PHASES + middle
        if at < 0 or at >= table.shape[1] - 1:
            continue
        t = int(at)
        part = at - t
        block[0, 0] += (1 - part) * table[0, t] + part * table[0, t + 1]
        rise = (1 - part) * table[1, t] + part * table[1, t + 1]
        bend = -strength * other * ((1 - part) * table[2, t] + part * table[2, t + 1])
        for axis in range(2):
            block[0, 1 + axis] += other * other_slope[e, axis] * rise
            block[1 + axis, 0] -= strength * slope[e, axis] * rise
            for cross in range(2):
                block[1 + axis, 1 + cross] += slope[e, axis] * other_slope[e, cross] * bend


@njit(cache=True, nogil=True)
def _heard(correlations, arrival, slope, strength):  # type: ignore[no-untyped-def]
    """Inner products of lines with the changes of a bubble, (3,)."""
    right = np.zeros(3)
    for e in range(len(arrival)):
        before = int(np.floor(arrival[e]))
        if before < 0 or before >= correlations.shape[2] - 1:
            continue
        part = arrival[e] - before
        line, rise = correlations[0, e], correlations[1, e]
        right[0] += (1 - part) * line[before] + part * line[before + 1]
        steep = strength * ((1 - part) * rise[before] + part * rise[before + 1])
        right[1] += slope[e, 0] * steep
        right[2] += slope[e, 1] * steep
    return right


@njit(cache=True, nogil=True)
def _normal_equations(correlations, table, arrival, slope, strength):  # type: ignore[no-untyped-def]
    """Matrix and right side of the least squares of changes of strength, x and z of bubbles.

    Args:
        arrival: (B, E).
        slope: of arrivals with x and z, (B, E, 2).
        strength: (B,).
    """
    bubbles, reach = len(strength), (table.shape[1] - 2) // 2 / PHASES
    matrix, right = np.zeros((3 * bubbles, 3 * bubbles)), np.zeros(3 * bubbles)
    block = np.empty((3, 3))
    for i in range(bubbles):
        at = 3 * i
        right[at : at + 3] += _heard(correlations, arrival[i], slope[i], strength[i])
        for j in range(i + 1):
            if np.abs(arrival[j] - arrival[i]).min() >= reach:
                continue
            to = 3 * j
            _block(
                block, table, arrival[i], arrival[j], slope[i], slope[j], strength[i], strength[j]
            )
            for k in range(3):
                for m in range(3):
                    matrix[at + k, to + m] = matrix[to + m, at + k] = block[k, m]
                right[at + k] -= block[k, 0] * strength[j]
                if j < i:
                    right[to + k] -= block[0, k] * strength[i]
    return matrix, right
