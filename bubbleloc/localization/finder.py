"""A network made ready for the lines of a recording: rate and pulse, their delay, their bubbles."""

import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.signal import hilbert
from tqdm import tqdm

from bubbleloc.arrays import Float32s, Floats, Ints
from bubbleloc.data.execution import cluster
from bubbleloc.errors import InputError, printable
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats import Recording
from bubbleloc.formats.conditioning import rate_ratio
from bubbleloc.formats.conditioning import resample as resampled
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.detections import Detections
from bubbleloc.models.answers import answer, field, found
from bubbleloc.models.runs import Run
from bubbleloc.nn import Localizer, build_model
from bubbleloc.nn.heads import EmitterHead
from bubbleloc.nn.inference import evaluating
from bubbleloc.physics import Setup, compress
from bubbleloc.physics.told import Told, standard_samples, standardised
from bubbleloc.process import ahead
from bubbleloc.units import MOST_RATIO, Scale

MOST_FRAMES = 64  # that are averaged to find the echo of a wire
REACH_MM = 3.0  # on either side of the wire's depth
MARGIN_MM = 1.0  # beyond, where a louder echo shows that what is within is its slope
LEAST_HEIGHT = 5.0  # of an echo over the median of the line
LEAD_MM = 1.5  # of an echo of the compressed pulse, before its peak
BLOCKS_PER_WORKER = 4  # of lines that are under way, so that no worker waits

Found = tuple[Detections, Ints]  # and the line of each

QUIET = 0.33  # of the echo: the most that comes before it
LOUD = 0.5  # of the loudest element's echo: elements above it are compared


@dataclass(frozen=True, eq=False)
class BubbleFinder:
    """A trained network, ready for RF lines of one sampling rate.

    Attributes:
        run: the run of the network.
        precision: ``float32`` or ``bf16``, see `Localizer.in_bfloat16`.
        network: the network in this precision, in evaluation mode.
        scale: what a sample of the RF lines is worth.
        network_samples: the samples of the network per sample of the RF lines.
        threshold: the least confidence of a bubble; None keeps all.
        told: the pulse of the lines, for a network of standard lines; None for any other.
    """

    run: Run
    precision: str
    network: Localizer
    scale: Scale
    network_samples: Fraction
    threshold: float | None
    told: Told | None = None

    @classmethod
    def for_recording(
        cls,
        recording: Recording,
        run: Run,
        *,
        told: Told | None = None,
        threshold: float | None = None,
        tolerance: int = QUOTED_TOLERANCE,
        resample: bool = False,
        precision: str = "float32",
    ) -> Self:
        """Prepare a network for the lines of a recording.

        Args:
            told: the pulse of the lines; for a network of standard lines, and only for one.
            threshold: the least confidence; if None, the best one of a network that counts, at a
                tolerance in samples, and none for a network with emitters.
            resample: whether to convert lines of another rate than the network's.
            precision: ``float32`` or ``bf16``, see `Localizer.in_bfloat16`.

        Raises:
            InputError: lines of unknown or another rate, or of a length that does not suit the
                network; a threshold that is no probability where it has to be one.
        """
        tells_probability = isinstance(run.network.head, EmitterHead)
        if threshold is not None and tells_probability and not 0 <= threshold <= 1:
            raise InputError(
                f"threshold={threshold:g}: {printable(run.name)} tells probabilities; give 0 to 1"
            )
        trained_on = run.card.scale
        scale = recording.scale(trained_on)
        rate_hz, wanted_hz = scale.sampling_rate_hz, trained_on.sampling_rate_hz
        if told is None:
            ratio = _rate_ratio(recording, rate_hz, wanted_hz, resample)
        else:
            ratio = standard_samples(rate_hz, told)
            scale = replace(scale, frequency_hz=told.centre_hz)
        level = run.threshold(tolerance) if threshold is None else float(threshold)
        network = _in_precision(run.network, precision)
        finder = cls(run, precision, network, scale, ratio, level, told)
        finder.check_length(recording)
        return finder

    @property
    def network_scale(self) -> Scale:
        """Scale of the lines after resampling to the network's rate."""
        rate_hz = self.scale.sampling_rate_hz * float(self.network_samples)
        return replace(self.scale, sampling_rate_hz=rate_hz)

    def ready(self, volts: Float32s) -> Float32s:
        """Return RF lines (n, L) as the network takes them: at its rate, with its pulse."""
        if self.told is None:
            return resampled(volts, self.network_samples)
        return standardised(volts, self.scale.sampling_rate_hz, self.told)

    def check_length(self, recording: Recording) -> None:
        """Refuse lines that are too short or too long for the network.

        Raises:
            InputError: says how many samples there are.
        """
        recording.check_length(self.network.receptive_field // 2 + 1, self.network_samples)

    def tables(
        self,
        recording: Recording,
        batch_size: int,
        finished: int = 0,
        progress: bool = False,
        address: str | None = None,
    ) -> Iterator[pd.DataFrame]:
        """Find the bubbles of all lines; yield a table, see `table`, per batch of lines.

        Batches of long lines are smaller, so that the memory they take is bounded.

        Args:
            finished: batches to leave out, the first ones.
            address: of a Dask scheduler, whose workers apply the network.
        """
        description = printable(f"localize {recording.source}")
        longest = ceil(recording.samples * self.network_samples)
        batch_size = min(batch_size, max(1, MOST_SAMPLES // longest))
        first = min(finished * batch_size, recording.lines)
        blocks = map(self.ready, recording.blocks(batch_size, first))
        answers = self._found(blocks) if address is None else self._found_by(address, blocks)
        with tqdm(
            total=recording.lines,
            initial=first,
            desc=description,
            unit="line",
            disable=not progress,
        ) as bar:
            for bubbles in answers:
                table = self.table(bubbles, recording.start_s, first)
                yield recording.below_elements(table, self.scale)
                lines = min(batch_size, recording.lines - first)
                first += lines
                bar.update(lines)

    def _found(self, blocks: Iterable[Float32s]) -> Iterator[Found]:
        """Find the bubbles of blocks of lines that are `ready`.

        While those of a block are found, one thread applies the network to the next one, and
        another reads the one after that.
        """
        with evaluating(self.network):
            for said in ahead(field(self.network, rf) for rf in ahead(blocks)):
                yield found(self.network, said, self.threshold)

    def _found_by(self, address: str, blocks: Iterable[Float32s]) -> Iterator[Found]:
        """Find the bubbles of blocks of lines on the workers of a Dask cluster."""
        with cluster(address) as client:
            trained = self.run.network
            packed = pickle.dumps(
                (self.run.card.model, trained.state_dict(), trained.head, self.precision)
            )
            # as a task: the cluster does it again where a worker that has it dies
            network = client.submit(bytes, packed)
            most = BLOCKS_PER_WORKER * max(1, sum(client.ncores().values()))
            waiting: deque[Any] = deque()
            for rf in blocks:
                waiting.append(client.submit(_found_in, network, rf, self.threshold, pure=False))
                if len(waiting) == most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def table(self, bubbles: Found, start_s: float, first_line: int) -> pd.DataFrame:
        """Return bubbles in RF lines as a table.

        Args:
            bubbles: in samples of the network, and the line of each, from 0.
            start_s: time of the first sample of the lines.
            first_line: the number of the first line.

        Returns:
            A row per bubble, sorted by line and sample: ``line`` and the columns of
            `bubbleloc.metrics.detections.COLUMNS`.
        """
        detections, line = bubbles
        start_sample = start_s * self.scale.sampling_rate_hz
        table = detections.to_table(self.scale, start_sample, float(self.network_samples))
        table.insert(0, "line", first_line + line)
        return table

    def detections(self, volts: Float32s) -> Iterator[tuple[Float32s, Float32s, Detections]]:
        """Yield RF line, network output and detections of every line, at the network's rate."""
        volts = self.ready(volts)
        answered = answer(self.network, volts)
        detections = answered.detections(self.threshold)
        for line, output, of_line in zip(volts, answered.output, detections, strict=True):
            yield line, output.astype(np.float32), of_line

    def calibrated(self, recording: Recording, setup: Setup, wire_mm: float) -> Recording:
        """Return the recording with the delay of its receiver taken off, as a wire's echo tells it.

        The lines of each element are averaged over frames and correlated with the pulse that the
        network was trained on, as received. The peak of the envelope is where the echo begins, in
        either polarity. The earliest of the loud elements is the one above the wire.

        Args:
            setup: the physics of the lines that the network was trained on, or is told of.
            wire_mm: the depth of the wire, below the face of the transducer.

        Raises:
            InputError: no echo near this depth.
        """
        scale = self.scale if self.told is not None else self.network_scale
        setup = replace(setup, sampling_rate_hz=scale.sampling_rate_hz)
        begin = recording.start_s * scale.sampling_rate_hz
        expected = wire_mm / float(scale.depth_mm(1))
        reach, margin = np.array([REACH_MM, MARGIN_MM]) / float(scale.depth_mm(1))
        lines = np.zeros((recording.elements, recording.samples), np.float32)
        for frame in range(frames := min(recording.frames, MOST_FRAMES)):
            lines += recording.volts[frame] / frames
        lines = lines - lines.mean(axis=1, keepdims=True)
        lines = lines if self.told is not None else resampled(lines, self.network_samples)
        envelope = np.abs(hilbert(compress(lines, setup), axis=1))
        first, stop = (max(int(expected + side * (reach + margin) - begin), 0) for side in (-1, 1))
        lead = int(LEAD_MM / float(scale.depth_mm(1)))
        late = begin - expected + _first_echo(envelope, first, stop, lead)
        if not abs(late) < reach:
            raise InputError(
                f"{recording.source}: no echo stands out within {REACH_MM:g} mm of calibrate="
                f"{wire_mm:g} mm; give the depth of the wire, in mm"
            )
        late_s = late / scale.sampling_rate_hz
        changed = recording.later_by(late_s, f"wire at {wire_mm:g} mm")
        return changed.noting(
            f"the echo of the wire at {wire_mm:g} mm came {1e6 * late_s:.3f} µs late, which is "
            f"taken off; for other recordings of this system give "
            f"receive_delay_s={changed.receive_delay_s:.4g}"
        )


def _in_precision(network: Localizer, precision: str) -> Localizer:
    return network.in_bfloat16() if precision == "bf16" else network


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Localizer:
    """Return a trained network on a worker, which has no files; a network cannot be pickled.

    Args:
        packed: what `build_model` takes, weights, head with its calibration, and precision.
    """
    model, weights, head, precision = pickle.loads(packed)
    network = build_model(**model).eval()
    network.load_state_dict(weights)
    network.head = head
    return _in_precision(network, precision)


def _found_in(packed: bytes, rf: Float32s, threshold: float | None) -> Found:
    """Return the bubbles of lines, on a worker, whose copy of them is read-only."""
    network = _unpacked(packed)
    return found(network, field(network, rf.copy()), threshold)


def _first_echo(envelope: Floats, first: int, stop: int, lead: int) -> float:
    """Return the sample of the earliest loud echo from `first` to `stop`; NaN if none stands out.

    It stands out from the line, and from what comes more than `lead` samples before it, where a
    wire has nothing above it. What comes later may be another wire.

    Args:
        envelope: magnitude of lines (n, L).
    """
    near = envelope[:, first:stop]
    height = near.max(axis=1, initial=0.0)
    loud = height > np.maximum(
        LOUD * height.max(initial=0.0), LEAST_HEIGHT * np.median(envelope, axis=1)
    )
    if not loud.any():
        return np.nan
    near, top = near[loud], near[loud].argmax(axis=1)
    sample = _between_samples(envelope[loud], first + top)
    earliest = int(sample.argmin())
    before = near[earliest, : max(top[earliest] - lead, 0)].max(initial=0.0)
    return float(sample[earliest]) if before < QUIET * height[loud][earliest] else np.nan


def _rate_ratio(recording: Recording, rate_hz: float, wanted_hz: float, resample: bool) -> Fraction:
    """Samples of the network per sample of the lines."""
    if np.isclose(rate_hz, wanted_hz, rtol=1e-6):
        return Fraction(1)
    if not 1 / MOST_RATIO <= wanted_hz / rate_hz <= MOST_RATIO:
        raise InputError(
            f"{recording.source} is sampled at {rate_hz / 1e6:g} MHz, too far from the "
            f"{wanted_hz / 1e6:g} MHz of the network: give the rate in Hz, in the file or as "
            "sampling_rate_hz="
        )
    if not resample:
        raise InputError(
            f"{recording.source} is sampled at {rate_hz / 1e6:g} MHz, the network wants "
            f"{wanted_hz / 1e6:g} MHz: resample=true converts it, sampling_rate_hz= corrects "
            "the rate"
        )
    return rate_ratio(rate_hz, wanted_hz)


def _between_samples(envelopes: Floats, top: Ints) -> Floats:
    """Return where envelopes (n, L) peak near their samples `top` (n,), by a parabola."""
    top = np.clip(top, 1, envelopes.shape[1] - 2)
    rows = np.arange(len(envelopes))
    before, at, after = (envelopes[rows, top + step] for step in (-1, 0, 1))
    return np.asarray(top + 0.5 * (before - after) / (before - 2 * at + after))
