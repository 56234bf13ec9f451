"""One recording: RF lines in element order, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, cos, floor, sin
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import h5py

from bubbleloc.arrays import Float32s, Floats
from bubbleloc.errors import InputError
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats.conditioning import Step, band_pass, iq_to_rf, region, undo_gain
from bubbleloc.formats.transmits import Sent, sent
from bubbleloc.formats.volts import Volts
from bubbleloc.matfile import MatFile
from bubbleloc.units import Scale

if TYPE_CHECKING:
    import pandas as pd

MOST_DELAY_S = 1.0  # of a first sample; more is another unit


@dataclass(frozen=True)
class Hints:
    """What a user tells of a file, in place of what it says itself, see `read`.

    Attributes:
        key: name of the array, ``RcvData2`` for a buffer, the group of a UFF or zea file.
        frames: numbers, from 0, of the first and the last frame to read.
        transpose: whether the axes of a plain array are the other way round, samples first.
        axes: what every axis of a plain array is, in its order: frames, elements, samples.
        sampling_rate_hz: of the lines, or of their complex samples.
        speed_of_sound_m_s: of the medium.
        start_s: time of the first sample, in seconds after time 0, see `Recording`.
        receive_delay_s: how late the receiver's filters and electronics make an echo.
        transmit: number, from 0, of the transmit of each frame to read.
        modulation_hz: frequency of complex samples (IQ).
    """

    key: str | None = None
    frames: tuple[int, int] | None = None
    transpose: bool = False
    axes: tuple[str, ...] | None = None
    sampling_rate_hz: float | None = None
    speed_of_sound_m_s: float | None = None
    start_s: float | None = None
    receive_delay_s: float | None = None
    transmit: int | None = None
    modulation_hz: float | None = None


class OpenFile:
    """A file that readers look into in turn, opened once for all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def mat(self) -> MatFile:
        """The file as one of MATLAB."""
        return MatFile(self.path)

    @cached_property
    def hdf5(self) -> h5py.File:
        """The file as HDF5."""
        return h5py.File(self.path)

    def close(self) -> None:
        """Close what was opened; arrays of a recording open the file again when they are read."""
        if "hdf5" in self.__dict__:
            self.hdf5.close()


class Carrier(NamedTuple):
    """What complex samples (IQ) were multiplied by; None is unknown.

    Attributes:
        frequency_hz: frequency that was shifted to 0.
        start_s: time of the first sample on the clock of the demodulator; None for the start of
            the record, before the delay of the receiver is taken off.
    """

    frequency_hz: float | None
    start_s: float | None


@dataclass(frozen=True, eq=False)
class Recording:
    """RF lines and what is known of them; None is unknown.

    Time 0 is when the start of the transmitted pulse leaves the face of the transducer at x = 0.
    Sample i of a line is at ``start_s + i / sampling_rate_hz``, so that the echo of a bubble at
    depth z, distance r from the element, starts at (z + r)/c. The start of the record, delays of
    transmit and receiver and the way through the lens are in ``start_s``.

    Attributes:
        source: name of the file, for messages.
        element_m: positions (elements, 3) of the elements.
        frequency_hz: centre frequency of the transmitted pulse.
        lens_s: time through the lens, one way; already in ``start_s``.
        delay_s: delay of the transmit at each element (elements,); already in ``start_s``.
        angle_rad: angle of the transmitted plane wave.
        waveform: transmitted pulse (n,) at ``waveform_rate_hz``.
        waveform_file: file that `bubbleloc.physics.Setup` takes as this waveform.
        transducer_file: file that `bubbleloc.physics.Setup` takes as the transducer.
        probe_hz: centre frequency of the probe.
        probe_bandwidth: width at −6 dB of the probe's echoes, there and back, over ``probe_hz``.
        gain: gain that the receiver applied to each sample (samples,); undone in ``volts``.
        receive_delay_s: how late the receiver makes an echo; already in ``start_s``.
        first_frame: number of frame 0 of ``volts`` in the file.
        sources: where each fact comes from: the place in the file, ``setting``, or what is assumed.
        steps: what was done to the samples of the file.
        notes: what a user should know of the choice of the lines.
        carrier: what complex samples were multiplied by; `with_hints` makes RF lines of them.
    """

    source: str | Path
    volts: Volts
    sampling_rate_hz: float | None = None
    start_s: float = 0.0
    speed_of_sound_m_s: float | None = None
    element_m: Floats | None = None
    frequency_hz: float | None = None
    lens_s: float | None = None
    delay_s: Floats | None = None
    angle_rad: float | None = None
    waveform: Floats | None = None
    waveform_rate_hz: float | None = None
    waveform_file: str | None = None
    transducer_file: str | None = None
    probe_hz: float | None = None
    probe_bandwidth: float | None = None
    gain: Floats | None = None
    receive_delay_s: float = 0.0
    first_frame: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    carrier: Carrier | None = None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.volts.shape[0]

    @property
    def elements(self) -> int:
        """Lines of a frame."""
        return self.volts.shape[1]

    @property
    def samples(self) -> int:
        """Samples of a line."""
        return self.volts.shape[2]

    @property
    def lines(self) -> int:
        """Lines of all frames."""
        return self.frames * self.elements

    def blocks(self, size: int, first: int = 0) -> Iterator[Float32s]:
        """Read all lines from line `first` on, at most `size` at a time."""
        for start in range(first, self.lines, size):
            yield self.volts.lines(start, start + size)

    def with_hints(self, hints: Hints) -> Recording:
        """Return what a reader found as a recording of RF lines.

        The facts that a user gives take the place of its own; then the delay of the receiver is
        taken off, complex samples become RF lines, and the frames that are asked for are kept.

        Raises:
            InputError: a start that is no time in seconds, an unknown frequency of complex samples,
                or fewer frames.
        """
        names = ("sampling_rate_hz", "speed_of_sound_m_s", "start_s")
        told = {name: value for name in names if (value := getattr(hints, name)) is not None}
        sources = {**self.sources, **dict.fromkeys(told, "setting")}
        changed: Recording = replace(self, **told, sources=sources, receive_delay_s=0.0)
        if hints.receive_delay_s is not None:
            changed = changed.later_by(hints.receive_delay_s, "setting")
        elif self.receive_delay_s:
            changed = changed.later_by(self.receive_delay_s, "file")
        if not abs(changed.start_s) <= MOST_DELAY_S:
            raise InputError(f"{self.source}: start_s={changed.start_s:g}: give seconds")
        changed = changed._as_rf(hints.modulation_hz)
        return changed if hints.frames is None else changed._only_frames(*hints.frames)

    def _as_rf(self, modulation_hz: float | None) -> Recording:
        """Return the RF lines of complex samples, see `iq_to_rf`."""
        if self.carrier is None:
            return self
        frequency_hz, start_s = self.carrier
        frequency_hz = frequency_hz if modulation_hz is None else modulation_hz
        if frequency_hz is None:
            raise InputError(
                f"{self.source} holds complex samples (IQ): give modulation_hz=, the frequency "
                "that was shifted to 0"
            )
        start_s = self.start_s + self.receive_delay_s if start_s is None else start_s
        step, up, rate_hz = iq_to_rf(frequency_hz, self.sampling_rate_hz or 0.0, start_s)
        return replace(
            self,
            volts=self.volts.then(step, self.samples * up),
            sampling_rate_hz=rate_hz,
            steps=(*self.steps, step.text),
            carrier=None,
        )

    def _only_frames(self, first: int, last: int) -> Recording:
        """Return frames `first` to `last` alone; their numbers stay."""
        if last >= self.frames:
            raise InputError(
                f"frames=[{first},{last}]: {self.source} has frames 0 to {self.frames - 1}"
            )
        return replace(self, volts=self.volts.part(first, last + 1), first_frame=first)

    def later_by(self, delay_s: float, where: str) -> Recording:
        """Return the recording with one more delay of its receiver taken off its times."""
        start = self.sources.get("start_s", "0")
        return replace(
            self,
            start_s=self.start_s - delay_s,
            receive_delay_s=self.receive_delay_s + delay_s,
            sources={**self.sources, "start_s": f"{start} − receive_delay_s ({where})"},
        )

    def sent(self, speed_m_s: float) -> Sent:
        """Return the transmitted wave, see `bubbleloc.formats.transmits.sent`."""
        return sent(self.element_m, self.delay_s, self.angle_rad, speed_m_s)

    def below_elements(self, table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
        """Return detections with the depth below their element, by the angle of a plane wave.

        Args:
            table: columns ``line``, ``time_us`` and ``depth_mm``, c/2 times the time, and its
                ``depth_sigma_mm``.
        """
        angle = self.sent(scale.speed_of_sound_m_s).angle_rad
        if not angle or self.element_m is None:
            return table
        x_mm = 1e3 * self.element_m[table["line"] % self.elements, 0]
        part = 2 / (1 + cos(angle))  # (z + z·cos θ + x·sin θ)/c is the time
        depth_mm = part * (table["depth_mm"] - x_mm * sin(angle) / 2)
        return table.assign(depth_mm=depth_mm, depth_sigma_mm=part * table["depth_sigma_mm"])

    def noting(self, note: str) -> Recording:
        """Return the recording with one more note for its user."""
        return replace(self, notes=(*self.notes, note))

    def without_gain(self, gain: Floats, where: str) -> Recording:
        """Return the recording with the gain (samples,) of its receiver undone."""
        step = undo_gain(gain, where)
        return replace(
            self,
            volts=self.volts.then(step, self.samples),
            gain=gain,
            sources={**self.sources, "gain": where},
            steps=(*self.steps, step.text),
        )

    def as_iq(self, step: Step | None, samples: int, carrier_hz: float | None) -> Recording:
        """Return the recording after a step that makes complex samples of bandwidth sampling.

        Args:
            step: `pairs_to_iq` or `undersampled_to_iq`; None for RF lines, which stay.
            samples: of a line after the step.
        """
        if step is None:
            return self
        return replace(
            self,
            volts=self.volts.then(step, samples),
            steps=(*self.steps, step.text),
            carrier=Carrier(carrier_hz, 0.0),  # which starts with the first sample
        )

    def in_band(self, low_hz: float, high_hz: float) -> Recording:
        """Return the recording with other frequencies filtered out, see `band_pass`."""
        step = band_pass(low_hz, high_hz, self.sampling_rate_hz or 0.0)
        volts = self.volts.then(step, self.samples)
        return replace(self, volts=volts, steps=(*self.steps, step.text))

    def between(self, begin_s: float, end_s: float) -> Recording:
        """Return the part of the recording between two times, see `region`.

        Raises:
            InputError: nothing was recorded between them.
        """
        rate_hz = self.sampling_rate_hz or 0.0
        first = max(ceil((begin_s - self.start_s) * rate_hz - 1e-6), 0)
        last = min(floor((end_s - self.start_s) * rate_hz + 1e-6) + 1, self.samples)
        if first >= last:
            whole = [1e6 * (self.start_s + i / rate_hz) for i in (0, self.samples - 1)]
            raise InputError(
                f"{self.source} was recorded from {whole[0]:.4g} to {whole[1]:.4g} µs, which the "
                f"region of {1e6 * begin_s:.4g} to {1e6 * end_s:.4g} µs lies outside of"
            )
        step = region(first, last, rate_hz)
        return replace(
            self,
            volts=self.volts.then(step, last - first),
            start_s=self.start_s + first / rate_hz,
            steps=(*self.steps, step.text),
        )

    def describe(self, scale: Scale) -> list[str]:
        """Return lines that say what the recording is, and where each fact comes from.

        Args:
            scale: that of its lines, see `Recording.scale`.
        """
        counts = {"frame": self.frames, "element": self.elements, "sample": self.samples}
        size = " × ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in counts.items())
        unsaid = {"sampling_rate_hz": "file", "speed_of_sound_m_s": "network", "start_s": "assumed"}
        rate_source, speed_source, start_source = (
            self.sources.get(name, otherwise) for name, otherwise in unsaid.items()
        )
        return [
            f"{self.source}: {size} at {scale.sampling_rate_hz / 1e6:g} MHz ({rate_source})",
            f"speed of sound {scale.speed_of_sound_m_s:g} m/s ({speed_source}), "
            f"first sample at {1e6 * self.start_s:.3f} µs ({start_source})",
            *self.steps,
            *(f"note: {note}" for note in self.notes),
        ]

    def check_length(self, needed: int, ratio: Fraction = Fraction(1)) -> None:
        """Refuse lines that are too short or too long for a network.

        Args:
            needed: samples of the network.
            ratio: samples of the network per sample of the lines.

        Raises:
            InputError: says how many samples there are.
        """
        count = f"{self.lines} line{'s' * (self.lines != 1)}"
        held = f"{self.source} holds {count} of {self.samples} samples"
        if self.samples * ratio < needed:
            is_turned = max(self.volts.shape) * ratio >= needed
            remedy = (
                "if lines are columns, add transpose=true, or name the axes, such as "
                "axes=samples,frames"
                if is_turned
                else f"give lines of {ceil(needed / ratio)} samples or more"
            )
            raise InputError(f"{held}, shorter than the {needed} that the network needs: {remedy}")
        if self.samples * ratio > MOST_SAMPLES:
            raise InputError(f"{held}, more than {MOST_SAMPLES} at the network's rate: cut them")

    def scale(self, network: Scale) -> Scale:
        """Return what a sample of the lines is worth.

        Args:
            network: scale of the lines that a network was trained on; its speed of sound holds
                where nothing else tells one.

        Raises:
            InputError: nothing tells the sampling rate, or a value outside its physical range.
        """
        if self.sampling_rate_hz is None:
            raise InputError(
                f"{self.source} does not say its sampling rate, on which depths depend: give "
                "sampling_rate_hz=, in Hz"
            )
        speed_m_s = self.speed_of_sound_m_s
        speed_m_s = network.speed_of_sound_m_s if speed_m_s is None else speed_m_s
        try:
            return Scale(self.sampling_rate_hz, speed_m_s, network.frequency_hz)
        except InputError as error:
            raise InputError(f"{self.source}: {error}") from None
