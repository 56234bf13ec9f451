"""RF lines of a file or an array, read slice by slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bubbleloc.arrays import Float32s
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.physics.scale import Scale

LEAST_VOLTS, MOST_VOLTS = 1e-9, 1e12  # of the largest sample of a line, unless all are zero

FACTS = ("sampling_rate_hz", "fs", "speed_of_sound_m_s")
"""Numbers beside the RF lines of a file that are read; ``fs`` is the sampling rate too."""


@dataclass(frozen=True, eq=False)
class RFLines:
    """RF lines that are read when they are asked for, so that they may exceed the memory.

    Attributes:
        source: name of the file, for messages.
        array: what to slice, (lines, samples), or (samples, lines) if `transposed`.
        sampling_rate_hz, speed_of_sound_m_s: as the file says, None where it does not.
    """

    source: str | Path
    lines: int
    samples: int
    array: Any
    transposed: bool = False
    sampling_rate_hz: float | None = None
    speed_of_sound_m_s: float | None = None

    def check_length(self, needed: int, ratio: Fraction = Fraction(1)) -> None:
        """Refuse lines that are too short or too long for a network.

        Args:
            needed: samples of the network.
            ratio: samples of the network per sample of the lines.

        Raises:
            InputError: says how many samples there are.
        """
        said = f"{self.source} holds {self.lines} lines of {self.samples} samples"
        if self.samples * ratio < needed:
            raise InputError(
                f"{said}, shorter than the {needed} that the network needs: if lines are "
                "columns, add transpose=true"
            )
        if self.samples * ratio > MOST_SAMPLES:
            raise InputError(f"{said}, more than {MOST_SAMPLES} at the network's rate: cut them")

    def read(self, start: int, stop: int) -> Float32s:
        """Return lines `start` to `stop` as an array (b, samples).

        Raises:
            InputError: the file is damaged, or a value is NaN, infinite or beyond all physics.
        """
        with unreadable_is_input_error(self.source):
            if self.lines == 1:
                volts = np.reshape(self.array[...], (1, -1))
            elif self.transposed:
                volts = self.array[:, start:stop].T
            else:
                volts = self.array[start:stop]
            volts = np.array(volts, dtype=np.float64, order="C")
        bad = np.argwhere(~np.isfinite(volts))
        if len(bad):
            line, sample = bad[0]
            raise InputError(
                f"{self.source}: line {start + line} is NaN or infinite at sample {sample}; "
                "repair it"
            )
        largest = np.abs(volts).max(axis=1)
        unphysical = (largest > MOST_VOLTS) | ((largest < LEAST_VOLTS) & (largest > 0))
        if unphysical.any():
            line = int(unphysical.argmax())
            raise InputError(
                f"{self.source}: line {start + line} reaches {largest[line]:g}; give volts or "
                f"counts, {LEAST_VOLTS:g} to {MOST_VOLTS:g}, or zeros"
            )
        return volts.astype(np.float32)

    def scale(
        self,
        network: Scale,
        sampling_rate_hz: float | None = None,
        speed_of_sound_m_s: float | None = None,
    ) -> tuple[Scale, str]:
        """Return what a sample of the lines is worth, and who says the speed of sound.

        Args:
            network: scale of the lines that a network was trained on; its speed of sound holds
                where nothing else tells one.
            sampling_rate_hz, speed_of_sound_m_s: in place of what the file says.

        Raises:
            InputError: nothing tells the sampling rate, or a value outside its physical range.
        """
        rate_hz = self.sampling_rate_hz if sampling_rate_hz is None else sampling_rate_hz
        if rate_hz is None:
            raise InputError(
                f"{self.source} does not say its sampling rate, on which depths depend: give "
                "sampling_rate_hz=, in Hz"
            )
        speeds = {
            "setting": speed_of_sound_m_s,
            "file": self.speed_of_sound_m_s,
            "network": network.speed_of_sound_m_s,
        }
        source, speed_m_s = next((s, v) for s, v in speeds.items() if v is not None)
        try:
            return Scale(rate_hz, speed_m_s, network.frequency_hz), source
        except InputError as error:
            raise InputError(f"{self.source}: {error}") from None

    def blocks(self, size: int) -> Iterator[Float32s]:
        """Read all lines from the start, at most `size` at a time."""
        for start in range(0, self.lines, size):
            yield self.read(start, start + size)


def lines_of_array(
    source: str | Path, array: Any, transpose: bool = False, facts: Mapping[str, Any] | None = None
) -> RFLines:
    """Take an array as RF lines; one of a single row, column or dimension is one line.

    Args:
        array: (lines, samples), or (samples, lines) with `transpose`.
        facts: numbers that come with it, `FACTS` among them.

    Raises:
        InputError: no real numbers, more than two dimensions, or lines that are too long.
    """
    if array.ndim not in (1, 2) or array.size == 0 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{source} holds {array.dtype} of shape {array.shape}: give real RF lines, lines × "
            "samples, choosing with key= if the file has others"
        )
    one_line = array.ndim == 1 or min(array.shape) == 1
    lines, samples = (1, array.size) if one_line else array.shape
    if transpose and not one_line:
        lines, samples = samples, lines
    if samples > MOST_SAMPLES:
        raise InputError(
            f"{source} holds lines of {samples} samples, more than {MOST_SAMPLES}: if lines are "
            "columns, add transpose=true, else cut them"
        )
    facts = facts or {}
    numbers = {name: float(np.asarray(facts[name]).item()) for name in FACTS if name in facts}
    rate_hz = numbers.get("sampling_rate_hz", numbers.get("fs"))
    return RFLines(
        source, lines, samples, array, transpose, rate_hz, numbers.get("speed_of_sound_m_s")
    )


def choose_array(path: Path, shapes: Mapping[str, tuple[int, ...]], key: str | None) -> str:
    """Return the name of the array with the RF lines: `key`, else ``rf``, else the only array.

    Raises:
        InputError: none, or several.
    """
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "nothing"
    if key is None and "rf" in shapes:
        return "rf"
    if key is not None:
        if key not in shapes:
            raise InputError(f"{path} has no {key!r}; it holds {listed}")
        return key
    arrays = [name for name, shape in shapes.items() if len(shape) in (1, 2) and np.prod(shape) > 1]
    if len(arrays) != 1:
        raise InputError(f"{path} holds {listed}; choose the RF lines with key=")
    return arrays[0]


@contextmanager
def unreadable_is_input_error(source: str | Path) -> Iterator[None]:
    """Raise an InputError in place of the many exceptions of libraries for damaged files."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{source} cannot be read ({reason}); write it again") from error
