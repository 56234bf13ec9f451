"""From RF lines in volts to a table of bubbles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Self

import numpy as np
import pandas as pd
from tqdm import tqdm

from bubbleloc.arrays import Float32s
from bubbleloc.errors import InputError, printable
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats import Recording
from bubbleloc.formats.conditioning import resample as resampled
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.detections import Detections
from bubbleloc.models.answers import answer
from bubbleloc.models.runs import TrainedNetwork
from bubbleloc.nn import Localizer
from bubbleloc.units import Scale

MOST_RATIO = 20  # of the network's sampling rate to that of the lines, or the other way round


@dataclass(frozen=True, eq=False)
class BubbleFinder:
    """A trained network, ready for the RF lines of a recording.

    Attributes:
        scale: of the RF lines.
        start_sample: arrival of an echo at the first sample of a line, in its samples.
        network_samples: of the network per sample of the RF lines.
        threshold: the least confidence of a bubble; None keeps all.
    """

    network: Localizer
    scale: Scale
    start_sample: float
    network_samples: Fraction
    threshold: float | None

    @classmethod
    def for_recording(
        cls,
        recording: Recording,
        trained: TrainedNetwork,
        *,
        threshold: float | None = None,
        tolerance: int = QUOTED_TOLERANCE,
        resample: bool = False,
    ) -> Self:
        """Prepare a network for a recording.

        Args:
            threshold: the least confidence; if None, the best one of a network that counts, at a
                tolerance in samples, and none for a network with emitters.
            resample: whether to convert lines of another rate than the network's.

        Raises:
            InputError: lines of unknown or another rate, or of a length that does not suit the
                network.
        """
        own = trained.card.scale
        scale = recording.scale(own)
        ratio = _rate_ratio(recording, scale.sampling_rate_hz, own.sampling_rate_hz, resample)
        recording.check_length(trained.network.receptive_field // 2 + 1, ratio)
        level = trained.threshold(tolerance) if threshold is None else float(threshold)
        start_sample = recording.start_s * scale.sampling_rate_hz
        return cls(trained.network, scale, start_sample, ratio, level)

    @property
    def network_scale(self) -> Scale:
        """Scale of the lines after resampling to the network's rate."""
        rate_hz = self.scale.sampling_rate_hz * float(self.network_samples)
        return replace(self.scale, sampling_rate_hz=rate_hz)

    def tables(
        self, recording: Recording, batch_size: int, finished: int = 0, progress: bool = False
    ) -> Iterator[pd.DataFrame]:
        """Find the bubbles of all lines; yield a table, see `find`, per batch of lines.

        Batches of long lines are smaller, so that the memory they take is bounded.

        Args:
            finished: batches to leave out, the first ones.
        """
        description = printable(f"localize {recording.source}")
        longest = ceil(recording.samples * self.network_samples)
        batch_size = min(batch_size, max(1, MOST_SAMPLES // longest))
        first = min(finished * batch_size, recording.lines)
        with tqdm(
            total=recording.lines,
            initial=first,
            desc=description,
            unit="line",
            disable=not progress,
        ) as bar:
            for volts in recording.blocks(batch_size, first):
                yield self.find(volts, first)
                first += len(volts)
                bar.update(len(volts))

    def find(self, volts: Float32s, first_line: int = 0) -> pd.DataFrame:
        """Find the bubbles of RF lines (n, L).

        Returns:
            A row per bubble, sorted by line and sample: ``line``, and the columns of
            `bubbleloc.metrics.detections.COLUMNS`.
        """
        detections = [of_line for _, _, of_line in self.detections(volts)]
        table = Detections.concatenate(detections).to_table(
            self.scale, self.start_sample, float(self.network_samples)
        )
        line = first_line + np.repeat(np.arange(len(detections)), list(map(len, detections)))
        table.insert(0, "line", line)
        return table

    def detections(self, volts: Float32s) -> Iterator[tuple[Float32s, Float32s, Detections]]:
        """Yield RF line, network output and detections of every line, at the network's rate."""
        volts = resampled(volts, self.network_samples)
        answered = answer(self.network, volts)
        detections = answered.detections(self.threshold)
        for line, output, of_line in zip(volts, answered.output, detections, strict=True):
            yield line, output.astype(np.float32), of_line


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
            "what the file says"
        )
    # at most a hundredth of a sample off at the end of a line
    return Fraction(wanted_hz / rate_hz).limit_denominator(1000)
