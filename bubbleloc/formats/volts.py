"""RF lines of a file, read and conditioned when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bubbleloc.arrays import Float32s, Ints
from bubbleloc.errors import InputError
from bubbleloc.files import unreadable_is_input_error
from bubbleloc.formats.conditioning import Step

LEAST_VOLTS, MOST_VOLTS = 1e-9, 1e12  # of the largest sample of a line, unless all are zero

Piece = Callable[[int, slice], Any]
"""Reads elements of a frame, as stored: (elements, samples)."""


class Volts:
    """RF lines (frames, elements, samples) that may exceed the memory.

    ``volts[frame]`` is an array (elements, samples) of float32, in volts or counts.
    """

    def __init__(
        self,
        source: str | Path,
        shape: tuple[int, int, int],
        piece: Piece,
        steps: Sequence[Step] = (),
    ) -> None:
        self.source, self.shape = source, shape
        self._piece, self._steps = piece, steps

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, frame: int) -> Float32s:
        if not -len(self) <= frame < len(self):
            raise IndexError(f"{self.source} has frames 0 to {len(self) - 1}, not {frame}")
        elements = self.shape[1]
        first = frame % len(self) * elements
        return self.lines(first, first + elements)

    def lines(self, start: int, stop: int) -> Float32s:
        """Return lines `start` to `stop`, counted through all frames, as an array (b, samples).

        Raises:
            InputError: the file is damaged, or a value is NaN, infinite or beyond all physics.
        """
        return self._conditioned(self._read(start, stop), start)

    def some(self, numbers: Ints) -> tuple[Float32s, Float32s]:
        """Return lines of some ascending numbers, as `lines` and as `stored`; each is read once."""
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
        read = [(run[0], self._read(run[0], run[-1] + 1)) for run in runs]
        lines = [self._conditioned(volts, start) for start, volts in read]
        stored = [_as_stored(volts) for _, volts in read]
        return np.concatenate(lines), np.concatenate(stored)

    def _conditioned(self, volts: Any, start: int) -> Float32s:
        with np.errstate(over="ignore", invalid="ignore"):  # what that makes is refused
            for step in self._steps:
                volts = step.apply(volts)
        if self._steps:
            self._check(volts, start, f" after {self._steps[-1].text}", least=0.0)
        return np.asarray(volts, dtype=np.float32)

    def stored(self, start: int, stop: int) -> Float32s:
        """Return lines as they are in the file, (b, samples); of complex ones the real part."""
        return _as_stored(self._read(start, stop))

    def _read(self, start: int, stop: int) -> Any:
        frames, elements, _ = self.shape
        stop = min(stop, frames * elements)
        parts = []
        with unreadable_is_input_error(self.source):
            for frame in range(start // elements, -(-stop // elements)):
                first = max(start - frame * elements, 0)
                last = min(stop - frame * elements, elements)
                part = np.array(self._piece(frame, slice(first, last)), order="C")
                parts.append(part.astype(np.result_type(part.dtype, np.float64), copy=False))
            volts = np.concatenate(parts)
        self._check(volts, start)
        return volts

    def part(self, first: int, stop: int) -> Volts:
        """Return frames `first` to before `stop` alone."""

        def piece(frame: int, elements: slice) -> Any:
            return self._piece(first + frame, elements)

        return Volts(self.source, (stop - first, *self.shape[1:]), piece, self._steps)

    def then(self, step: Step, samples: int) -> Volts:
        """Return the lines after one more step, which makes them `samples` long."""
        shape = (*self.shape[:2], samples)
        return Volts(self.source, shape, self._piece, (*self._steps, step))

    def _check(self, volts: Any, start: int, after: str = "", least: float = LEAST_VOLTS) -> None:
        bad = np.argwhere(~np.isfinite(volts))
        if len(bad):
            line, sample = bad[0]
            raise InputError(
                f"{self.source}: line {start + line} is NaN or infinite at sample "
                f"{sample}{after}; repair it"
            )
        largest = np.abs(volts).max(axis=1)
        unphysical = (largest > MOST_VOLTS) | ((largest < least) & (largest > 0))
        if unphysical.any():
            line = int(unphysical.argmax())
            raise InputError(
                f"{self.source}: line {start + line} reaches {largest[line]:g}{after}; "
                f"give volts or counts, {LEAST_VOLTS:g} to {MOST_VOLTS:g}, or zeros"
            )


def _as_stored(volts: Any) -> Float32s:
    return np.asarray(np.real(volts), dtype=np.float32)


def in_element_order(piece: Piece, element: Ints) -> tuple[Piece, Ints]:
    """Return what reads lines in the order of their elements, and these, sorted.

    Args:
        piece: reads channels.
        element: of each channel.
    """
    order = np.argsort(element, kind="stable")
    if (np.diff(order) > 0).all():
        return piece, element

    def ordered(frame: int, elements: slice) -> Any:
        return piece(frame, slice(0, len(order)))[order[elements]]

    return ordered, element[order]
