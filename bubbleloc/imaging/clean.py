"""CLEAN over the elements of an array: the strongest bubble is taken away, then the next one.

After Högbom, Astronomy and Astrophysics Supplement 15 (1974), but bubbles lie between pixels, and
what is taken away are pulses of the lines of all elements, not of an image.
"""

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.imaging.array import Array, Region, back_way_m, sent_way_m
from bubbleloc.imaging.deconvolution import Deconvolved
from bubbleloc.imaging.echoes import Echo
from bubbleloc.imaging.positions import Positions
from bubbleloc.imaging.resolution import deviations
from bubbleloc.imaging.wiener import Wiener

ROUNDS = 5  # images of what is left, at most
POLISHES = 3
PIXEL_LOSS = 0.7  # of a peak, at least, is seen by the pixels around it
TURNS = 6  # of climbing along both axes
STEP, FINE_STEP = 1 / 6, 1 / 10  # of the resolution, of the first turns
SHRINK = 0.6  # of the steps, every other turn
STILL = 0.02  # of a step: a turn of less ends the climb
SAME = 0.98  # of its height is left of a bubble whose neighbours have not been taken away


@dataclass(frozen=True, eq=False)
class Clean:
    """Finds bubbles one by one in deconvolved lines, the strongest first.

    Candidates are the peaks of a delay-and-sum image. Each climbs to the maximum of the sum over
    elements, where its pulse is taken from all lines. Then candidates of the image of what is left
    follow, weaker ones where less noise is left. In the end, every bubble is put back and found
    again without the others.

    The height of a position is its amplitude relative to the mean echo. Its standard deviations
    tell what the lines that are left would do to it as noise, and how much sooner or later bubbles
    appear whose echo is not the mean one.
    """

    array: Array
    region: Region
    echo: Echo

    def __call__(self, rf: Float32s) -> Positions:
        """Find the bubbles in the lines (E, L) of a frame."""
        sharp = self.wiener.deconvolution(rf)
        return self._positions(self.take_bubbles(sharp), sharp)

    def take_bubbles(self, sharp: Deconvolved) -> Floats:
        """Take the pulses of bubbles from lines; return their x, z and heights (n, 3)."""
        size_m = np.array(self.wiener.resolution)
        lines, table = sharp.lines, sharp.pulse.table
        found = np.empty((0, 3))
        for _ in range(ROUNDS):
            weakest = sharp.weakest
            peaks = self.wiener.peaks(lines, PIXEL_LOSS * weakest)
            candidates = np.column_stack([peaks.x_m, peaks.z_m])
            new = _harvest(lines, self._geometry, table, candidates, weakest, size_m)
            found = np.concatenate([found, new])
            if not len(new):
                break
        for _ in range(POLISHES):
            order = np.argsort(-found[:, 2])
            _polish(lines, self._geometry, table, found, order, size_m)
        return np.asarray(found[found[:, 2] > 0])

    def _positions(self, found: Floats, sharp: Deconvolved) -> Positions:
        x_m, z_m, height = found.T
        slope = np.sqrt(np.mean(np.diff(sharp.lines, axis=1) ** 2))  # of what is left of the lines
        noise = slope / (sharp.pulse.bend * height)
        x_sigma, z_sigma = deviations(self.array, x_m, z_m, noise, self.echo.arrival_sigma)
        positions = Positions(x_m, z_m, x_sigma, z_sigma, height=height)
        return positions[self.region.holds(x_m, z_m)]

    @cached_property
    def wiener(self) -> Wiener:
        """What finds the candidates."""
        return Wiener(self.array, self.region, self.echo)

    @cached_property
    def _geometry(self) -> tuple[Any, ...]:
        array = self.wiener.deconvolution.lines_array
        return (*array.geometry, array.samples_per_m, array.delay_samples)


@njit(cache=True, nogil=True)
def _height(lines, geometry, x, z):  # type: ignore[no-untyped-def]
    """Mean over elements of lines (E, n) at the arrivals of an echo from (x, z)."""
    element, direction, fired, samples_per_m, delay = geometry
    sent_m = sent_way_m(x, z, direction, fired)
    total = 0.0
    for e in range(element.shape[1]):
        way_m = sent_m + back_way_m(x, z, element[0, e], element[1, e])
        sample = samples_per_m * way_m + delay
        before = int(np.floor(sample))
        if 0 <= before < lines.shape[1] - 1:
            low = lines[e, before]
            total += low + (sample - before) * (lines[e, before + 1] - low)
    return total / element.shape[1]


@njit(cache=True, nogil=True)
def _climb(lines, geometry, x, z, step):  # type: ignore[no-untyped-def]
    """Climb from (x, z) to a maximum, by parabolas along both axes in turn; return its height."""
    best = _height(lines, geometry, x, z)
    step_x, step_z = step
    for turn in range(TURNS):
        farthest = 0.0
        for axis in range(2):
            dx, dz = (step_x, 0.0) if axis == 0 else (0.0, step_z)
            low = _height(lines, geometry, x - dx, z - dz)
            high = _height(lines, geometry, x + dx, z + dz)
            bend = 2 * best - low - high
            part = 1.0 if high > low else -1.0
            if bend > 0:
                part = min(1.0, max(-1.0, 0.5 * (high - low) / bend))
            there = _height(lines, geometry, x + part * dx, z + part * dz)
            if there > best:
                x, z, best = x + part * dx, z + part * dz, there
                farthest = max(farthest, abs(part))
        if farthest < STILL:
            break
        if turn % 2 == 1:
            step_x, step_z = SHRINK * step_x, SHRINK * step_z
    return x, z, best


@njit(cache=True, nogil=True)
def _take(lines, geometry, table, x, z, height):  # type: ignore[no-untyped-def]
    """Take a pulse of a height from every line at the arrival of an echo from (x, z)."""
    element, direction, fired, samples_per_m, delay = geometry
    phases, width = table.shape[0] - 1, table.shape[1]
    sent_m = sent_way_m(x, z, direction, fired)
    for e in range(element.shape[1]):
        way_m = sent_m + back_way_m(x, z, element[0, e], element[1, e])
        sample = samples_per_m * way_m + delay
        before = int(np.floor(sample))
        phase = phases * (sample - before)
        row = int(phase)
        later = np.float32(height * (phase - row))
        sooner = np.float32(height) - later
        start = before - (width // 2 - 1)
        for i in range(max(0, -start), min(width, lines.shape[1] - start)):
            lines[e, start + i] -= sooner * table[row, i] + later * table[row + 1, i]


@njit(cache=True, nogil=True)
def _harvest(lines, geometry, table, candidates, weakest, size):  # type: ignore[no-untyped-def]
    """Take away bubbles from candidates (n, 2) on, the strongest first; return x, z, height.

    A candidate that has lost height to a neighbour climbs again, and waits for its turn. One that
    is then too weak, or has moved by more than the resolution, was a part of the neighbour.
    """
    step = (STEP * size[0], STEP * size[1])
    heap = [(0.0, 0.0, 0.0) for _ in range(0)]
    for i in range(len(candidates)):
        x, z, height = _climb(lines, geometry, candidates[i, 0], candidates[i, 1], step)
        if height > weakest:
            heap.append((-height, x, z))
    heapq.heapify(heap)
    found = np.empty((len(heap), 3))
    count = 0
    while len(heap):
        before, x, z = heapq.heappop(heap)
        height = _height(lines, geometry, x, z)
        if height < -SAME * before:
            was_x, was_z = x, z
            x, z, height = _climb(lines, geometry, x, z, step)
            moved = abs(x - was_x) > size[0] or abs(z - was_z) > size[1]
            if moved or height < weakest:
                continue
            if len(heap) and height < -heap[0][0]:
                heapq.heappush(heap, (-height, x, z))
                continue
        _take(lines, geometry, table, x, z, height)
        found[count] = x, z, height
        count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def _polish(lines, geometry, table, found, order, size):  # type: ignore[no-untyped-def]
    """Put back one bubble (n, 3) at a time, climb, and take it away from where it is then.

    One that climbs farther than half the resolution laterally, or all of it in depth, has found
    another bubble's peak, and stays where it was.
    """
    step = (FINE_STEP * size[0], FINE_STEP * size[1])
    for i in order:
        x, z, height = found[i]
        _take(lines, geometry, table, x, z, -height)
        new_x, new_z, height = _climb(lines, geometry, x, z, step)
        if abs(new_x - x) < size[0] / 2 and abs(new_z - z) < size[1]:
            x, z = new_x, new_z
        else:
            height = _height(lines, geometry, x, z)
        found[i] = x, z, max(height, 0.0)
        _take(lines, geometry, table, x, z, found[i, 2])
