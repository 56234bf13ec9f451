"""Recordings from plain arrays: choose one among several, and tell its axes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats.recording import Hints, Recording
from bubbleloc.formats.volts import Volts

FACTS = ("sampling_rate_hz", "fs", "speed_of_sound_m_s", "start_s", "receive_delay_s")
"""Numbers beside the RF lines of a file that are read; ``fs`` is the sampling rate too."""

MOST_LISTED = 20  # arrays in a message


def recording_of_array(
    source: str | Path,
    array: Any,
    hints: Hints | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Recording:
    """Take an array as RF lines; one of a single row, column or dimension is one line.

    Args:
        array: (elements, samples) or (frames, elements, samples), or with ``transpose`` the other
            way round. Anything that can be sliced.
        facts: numbers that come with it, `FACTS` among them.

    Raises:
        InputError: no numbers, more than three dimensions, or lines that are too long.
    """
    hints, facts = hints or {}, facts or {}
    backwards = bool(hints.get("transpose"))
    shape = _shape(source, array, backwards)
    one_line = shape[0] * shape[1] == 1

    def piece(frame: int, elements: slice) -> Any:
        if one_line:
            return np.reshape(array[...], (1, -1))
        place = (frame, elements, slice(None))[3 - array.ndim :]
        return array[place[::-1]].T if backwards else array[place]

    recording = Recording(
        source,
        Volts(source, shape, piece),
        fact(facts, "sampling_rate_hz", "fs"),
        fact(facts, "start_s") or 0.0,
        fact(facts, "speed_of_sound_m_s"),
        sources={
            "sampling_rate_hz" if name == "fs" else name: "file" for name in FACTS if name in facts
        },
    ).with_hints(hints)
    late_s = fact(facts, "receive_delay_s")
    if late_s is not None and hints.get("receive_delay_s") is None:
        recording = recording.later_by(late_s, "file")
    if array.dtype.kind != "c":
        return recording
    if not hints.get("modulation_hz"):
        raise InputError(
            f"{source} holds {array.dtype} samples (IQ): give modulation_hz=, the frequency that "
            "was shifted to 0"
        )
    clock_s = recording.start_s + recording.receive_delay_s
    return recording.demodulated(hints["modulation_hz"] or 0.0, clock_s)


def _shape(source: str | Path, array: Any, backwards: bool) -> tuple[int, int, int]:
    """Return frames, elements and samples of an array."""
    shape = tuple(int(length) for length in array.shape)
    if len(shape) not in (1, 2, 3) or array.size == 0 or array.dtype.kind not in "fiuc":
        raise InputError(
            f"{source} holds {array.dtype} of shape {shape}: give RF lines, elements × samples or "
            "frames × elements × samples, choosing with key= if the file has others"
        )
    if sum(length > 1 for length in shape) <= 1:
        shape = (1, 1, int(array.size))
    elif backwards:
        shape = shape[::-1]
    frames, elements, samples = (1,) * (3 - len(shape)) + shape
    if samples > MOST_SAMPLES:
        raise InputError(
            f"{source} holds lines of {samples} samples, more than {MOST_SAMPLES}: if lines are "
            "columns, add transpose=true, else cut them"
        )
    return frames, elements, samples


def fact(facts: Mapping[str, Any], *names: str) -> float | None:
    """Return the first of some numbers that is there."""
    found = (float(np.asarray(facts[name]).item()) for name in names if name in facts)
    return next(found, None)


def choose_array(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array with the RF lines: `key`, else ``rf``, else the only array.

    Raises:
        InputError: none, or several.
    """
    listed = ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:MOST_LISTED])
    listed += ", …" * (len(shapes) > MOST_LISTED)
    if key is None and "rf" in shapes:
        return "rf"
    if key is not None:
        if key not in shapes:
            raise InputError(f"{path} has no {key!r}; it holds {listed or 'nothing'}")
        return key
    arrays = [name for name, shape in shapes.items() if len(shape) <= 3 and np.prod(shape) > 1]
    if len(arrays) != 1:
        raise InputError(f"{path} holds {listed or 'nothing'}; choose the RF lines with key=")
    return arrays[0]
