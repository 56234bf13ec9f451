"""Tissue taken out of the frames of a recording, by what changes from frame to frame.

The echo of tissue is strong and much the same in every frame, so that a few patterns over the
frames hold most of it: singular vectors of the matrix frames × samples. They are taken out of the
RF lines (Demené et al., IEEE Trans. Med. Imaging 34, 2015). How many there are is read from their
energies, see `cut`.
"""

from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.formats.recording import Recording
from bubbleloc.formats.volts import LEAST_VOLTS, Volts

BLOCK_FRAMES = 800  # the longer, the slower the bubbles that stay
LEAST_FRAMES = 16
MOST_CUT = 1 / 8  # of the patterns; more would take the bubbles, and fill the memory
HELD_BYTES = 2**28  # of lines that are read at once


class Clutter(NamedTuple):
    """What is taken out of a block of frames.

    Attributes:
        energies: of all patterns, the largest first (frames,).
        patterns: those of tissue over the frames (frames, k), orthonormal.
        lines: what each is over elements and samples (k, elements, samples).
    """

    energies: Floats
    patterns: Floats
    lines: Float32s


def without_clutter(recording: Recording, block_frames: int = BLOCK_FRAMES) -> Recording:
    """Return the recording without the echoes of tissue, see the module.

    Frames are filtered in blocks of about equal size, each of its own. Lines are read when they
    are asked for; the first of a block takes two readings of the whole block. The clutter of one
    block is held in memory, one eighth of the block's size at most.

    Raises:
        InputError: too few frames.
    """
    frames = recording.frames
    if min(frames, block_frames) < LEAST_FRAMES:
        raise InputError(
            f"{recording.source}: a clutter filter needs blocks of {LEAST_FRAMES} frames or more, "
            f"not {min(frames, block_frames)}: give more, or set clutter_filter=false"
        )
    count = max(1, round(frames / block_frames))
    volts = recording.volts
    ends = [frames * i // count for i in range(count + 1)]
    text = f"tissue filtered out in {count} block{'s' * (count > 1)} of {ends[1]} frames (SVD)"

    @lru_cache(maxsize=1)
    def block(index: int) -> Clutter:
        return find_clutter(volts.part(ends[index], ends[index + 1]))

    def piece(frame: int, elements: slice) -> Float32s:
        index = int(np.searchsorted(ends, frame, side="right")) - 1
        clutter = block(index)
        weight = clutter.patterns[frame - ends[index]].astype(np.float32)
        first = frame * volts.shape[1]
        lines = volts.lines(first + elements.start, first + elements.stop)
        lines = lines - np.tensordot(weight, clutter.lines[:, elements], axes=1)
        lines[np.abs(lines).max(axis=1) < LEAST_VOLTS] = 0  # what round-off leaves of tissue alone
        return lines

    return replace(
        recording,
        volts=Volts(recording.source, volts.shape, piece),
        steps=(*recording.steps, text),
    )


def find_clutter(volts: Volts) -> Clutter:
    """Return the clutter of a block of frames, which are read twice."""
    frames, elements, samples = volts.shape
    together = max(1, HELD_BYTES // (4 * frames * samples))  # elements that are read at once
    parts = [
        slice(first, min(first + together, elements)) for first in range(0, elements, together)
    ]
    gram = np.zeros((frames, frames))
    for part in parts:
        for line in np.moveaxis(_lines(volts, part), 1, 0):
            gram += line @ line.T  # of a line in single precision, of their sum in double
    energies, patterns = eigh(gram)
    energies, patterns = energies[::-1], patterns[:, ::-1]
    patterns = patterns[:, : cut(energies)]
    lines = np.empty((patterns.shape[1], elements, samples), dtype=np.float32)
    for part in parts:
        lines[:, part] = np.tensordot(patterns.T.astype(np.float32), _lines(volts, part), axes=1)
    return Clutter(energies, patterns, lines)


def _lines(volts: Volts, part: slice) -> Float32s:
    """Read some elements of all frames, (frames, elements, samples)."""
    frames, elements, _ = volts.shape
    first = elements * np.arange(frames)
    return np.stack([volts.lines(n + part.start, n + part.stop) for n in first])


def cut(energies: Floats) -> int:
    """Return how many patterns are tissue: those before the knee of the energies.

    The energies fall steeply as long as they are those of tissue, and slowly where bubbles begin.
    Over the logarithm of the rank, the knee is where their logarithm bends upwards most, from an
    octave before it to an octave after it.

    Args:
        energies: of all patterns, the largest first (n,).
    """
    floor = np.finfo(np.float32).eps ** 2 * energies[0]  # where round-off is all there is
    if not floor > 0:
        return 0
    height = np.log(np.maximum(energies, floor))
    rank = np.arange(1.0, len(energies) + 1)
    knee = np.arange(2, ceil(MOST_CUT * len(energies)) + 2)  # its rank, from 1
    before, after = (np.interp(np.log(knee * by), np.log(rank), height) for by in (0.5, 2.0))
    return int(knee[np.argmax(before + after - 2 * height[knee - 1])]) - 1
