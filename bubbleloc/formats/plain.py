"""Recordings from plain arrays: which axis is which, and the numbers that come with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bubbleloc.console.settings.types import AXES
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats.recording import Carrier, Hints, Recording
from bubbleloc.formats.volts import Volts

FACTS = ("sampling_rate_hz", "fs", "speed_of_sound_m_s", "start_s", "receive_delay_s")
"""Numbers beside the RF lines of a file that are read; ``fs`` is the sampling rate too."""

OBJECTS = (
    "holds objects in place of numbers, such as lines of different lengths: cut them to one "
    "length, or give one line at a time"
)


def recording_of_array(
    source: str | Path,
    array: Any,
    hints: Hints | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Recording:
    """Take an array as RF lines; one of a single row, column or dimension is one line.

    Args:
        array: (elements, samples) or (frames, elements, samples), or of the axes that the hints
            name. Anything that can be sliced.
        facts: numbers that come with it, `FACTS` among them.

    Raises:
        InputError: no numbers, more than three dimensions, or lines that are too long.
    """
    hints = hints or Hints()
    return plain_recording(source, array, facts or {}, hints).with_hints(hints)


def plain_recording(
    source: str | Path,
    array: Any,
    facts: Mapping[str, Any],
    hints: Hints,
    sources: Mapping[str, str] | None = None,
    backwards: bool = False,
) -> Recording:
    """Take an array as `recording_of_array` does, before the hints of a user but for its axes.

    Args:
        sources: where facts come from, if it is not just the file.
        backwards: whether the axes are stored the other way round than the user sees them.
    """
    axes = _axes(source, array, hints, backwards)
    lengths = dict(zip(axes, map(int, array.shape), strict=True))
    shape = tuple(lengths.get(name, 1) for name in AXES)
    check_samples(source, shape[2])

    def piece(frame: int, elements: slice) -> Any:
        wanted = {"frames": frame, "elements": elements, "samples": slice(None)}
        block = np.asarray(array[tuple(wanted[name] for name in axes)])
        left = [name for name in axes if name != "frames"]
        if left == ["samples", "elements"]:
            block = block.T
        return block.reshape(-1, shape[2])

    is_line = shape[0] * shape[1] == 1  # an array of one row, column or dimension

    def line(_frame: int, _elements: slice) -> Any:
        return np.reshape(array[...], (1, -1))

    told = sources or {}
    return Recording(
        source,
        Volts(source, (shape[0], shape[1], shape[2]), line if is_line else piece),
        fact(facts, "sampling_rate_hz", "fs"),
        fact(facts, "start_s") or 0.0,
        fact(facts, "speed_of_sound_m_s"),
        receive_delay_s=fact(facts, "receive_delay_s") or 0.0,
        sources={
            "sampling_rate_hz" if name == "fs" else name: told.get(name, "file")
            for name in FACTS
            if name in facts
        },
        carrier=Carrier(None, None) if array.dtype.kind == "c" else None,
    )


def _axes(source: str | Path, array: Any, hints: Hints, backwards: bool) -> tuple[str, ...]:
    """Return the name of every axis of an array, as it is stored."""
    shape = tuple(int(length) for length in array.shape)
    seen = shape[::-1] if backwards else shape
    if array.dtype.kind == "O":
        raise InputError(f"{source} {OBJECTS}")
    if len(shape) not in (1, 2, 3) or array.size == 0 or array.dtype.kind not in "fiuc":
        in_file = ", choosing with key= if the file has others" * isinstance(source, Path)
        raise InputError(
            f"{source} holds {array.dtype} of shape {seen}: give RF lines, elements × samples or "
            f"frames × elements × samples{in_file}"
        )
    if hints.axes is not None:
        if len(hints.axes) != len(shape) or "samples" not in hints.axes:
            raise InputError(
                f"{source} holds an array of shape {seen}, axes={','.join(hints.axes)} names "
                f"{len(hints.axes)}: name all of them, samples among them"
            )
        names = hints.axes
    elif sum(length > 1 for length in shape) <= 1:  # one line: its longest axis are the samples
        longest = int(np.argmax(seen))
        others = iter(AXES[3 - len(shape) : -1])
        names = tuple("samples" if i == longest else next(others) for i in range(len(shape)))
    else:
        names = AXES[3 - len(shape) :]
        names = names[::-1] if hints.transpose else names
    return names[::-1] if backwards else names


def check_samples(source: str | Path, samples: int) -> None:
    """Refuse lines that are too long for any network.

    Raises:
        InputError: more than `MOST_SAMPLES`.
    """
    if samples > MOST_SAMPLES:
        raise InputError(
            f"{source} holds lines of {samples} samples, more than {MOST_SAMPLES}: if lines are "
            "columns, add transpose=true, else name the axes, such as axes=samples,frames, or cut "
            "them"
        )


def fact(facts: Mapping[str, Any], *names: str) -> float | None:
    """Return the first of some numbers that is there."""
    values = (float(np.asarray(facts[name]).item()) for name in names if name in facts)
    return next(values, None)
