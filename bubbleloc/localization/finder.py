"""From RF lines in volts to a table of bubbles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Self, TypedDict

import numpy as np
import pandas as pd
from scipy.signal import resample_poly
from tqdm import tqdm

from bubbleloc.arrays import Float32s
from bubbleloc.errors import InputError, printable
from bubbleloc.files import MOST_SAMPLES
from bubbleloc.formats import RFLines
from bubbleloc.metrics import QUOTED_TOLERANCE
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.nn import Localizer
from bubbleloc.nn.inference import apply
from bubbleloc.physics.scale import Scale
from bubbleloc.training.runs import TrainedNetwork

MOST_RATIO = 20  # of the network's sampling rate to that of the lines, or the other way round


class Choices(TypedDict, total=False):
    """Settings of `BubbleFinder.for_lines`."""

    threshold: float | None
    tolerance: int
    sampling_rate_hz: float | None
    speed_of_sound_m_s: float | None
    resample: bool


@dataclass(frozen=True, eq=False)
class BubbleFinder:
    """A trained network, ready for RF lines of one sampling rate and speed of sound.

    Attributes:
        scale: of the RF lines.
        speed_of_sound_from: ``setting``, ``file`` or ``network``, whichever tells it.
        network_samples: of the network per sample of the RF lines.
        threshold: of the network's output, above which a peak is a bubble.
    """

    network: Localizer
    scale: Scale
    speed_of_sound_from: str
    network_samples: Fraction
    threshold: float

    @classmethod
    def for_lines(
        cls,
        lines: RFLines,
        trained: TrainedNetwork,
        *,
        threshold: float | None = None,
        tolerance: int = QUOTED_TOLERANCE,
        sampling_rate_hz: float | None = None,
        speed_of_sound_m_s: float | None = None,
        resample: bool = False,
    ) -> Self:
        """Prepare a network for the lines of a file or an array.

        Args:
            threshold: the network's best one at a tolerance in samples if None.
            sampling_rate_hz, speed_of_sound_m_s: see `RFLines.scale`.
            resample: whether to convert lines of another rate than the network's.

        Raises:
            InputError: lines of unknown or another rate, or of a length that does not suit the
                network.
        """
        own = trained.card.scale
        scale, source = lines.scale(own, sampling_rate_hz, speed_of_sound_m_s)
        ratio = _rate_ratio(lines, scale.sampling_rate_hz, own.sampling_rate_hz, resample)
        lines.check_length(trained.network.receptive_field // 2 + 1, ratio)
        level = trained.threshold(tolerance) if threshold is None else float(threshold)
        return cls(trained.network, scale, source, ratio, level)

    @property
    def network_scale(self) -> Scale:
        """Scale of the lines after resampling to the network's rate."""
        rate_hz = self.scale.sampling_rate_hz * float(self.network_samples)
        return replace(self.scale, sampling_rate_hz=rate_hz)

    def tables(
        self, lines: RFLines, batch_size: int, progress: bool = False
    ) -> Iterator[pd.DataFrame]:
        """Find the bubbles of all lines; yield a table, see `find`, per batch of lines.

        Batches of long lines are smaller, so that the memory they take is bounded.
        """
        description = printable(f"localize {lines.source}")
        batch_size = min(
            batch_size, max(1, MOST_SAMPLES // ceil(lines.samples * self.network_samples))
        )
        with tqdm(total=lines.lines, desc=description, unit="line", disable=not progress) as bar:
            for first in range(0, lines.lines, batch_size):
                volts = lines.read(first, first + batch_size)
                yield self.find(volts, first)
                bar.update(len(volts))

    def find(self, volts: Float32s, first_line: int = 0) -> pd.DataFrame:
        """Find the bubbles of RF lines (n, L).

        Returns:
            A row per bubble, sorted by line and sample, see `localize_lines`.
        """
        found = [peaks for _, _, peaks in self.detections(volts)]
        sample = np.concatenate([peaks.sample for peaks in found]) / float(self.network_samples)
        return pd.DataFrame(
            {
                "line": first_line + np.repeat(np.arange(len(found)), [len(f) for f in found]),
                "sample": sample,
                "sample_sigma": np.nan,
                "depth_mm": self.scale.depth_mm(sample),
                "probability": np.nan,
                "amplitude": np.concatenate([peaks.confidence for peaks in found]),
            }
        )

    def detections(self, volts: Float32s) -> Iterator[tuple[Float32s, Float32s, Detections]]:
        """Yield RF line, network output and detections of every line, at the network's rate."""
        if self.network_samples != 1:
            up, down = self.network_samples.numerator, self.network_samples.denominator
            volts = resample_poly(volts, up, down, axis=1).astype(np.float32)
        for line, output in zip(volts, apply(self.network, volts), strict=True):
            yield line, output, pick_peaks(output, self.threshold)


def _rate_ratio(lines: RFLines, rate_hz: float, wanted_hz: float, resample: bool) -> Fraction:
    """Samples of the network per sample of the lines."""
    if np.isclose(rate_hz, wanted_hz, rtol=1e-6):
        return Fraction(1)
    if not 1 / MOST_RATIO <= wanted_hz / rate_hz <= MOST_RATIO:
        raise InputError(
            f"{lines.source} is sampled at {rate_hz / 1e6:g} MHz, too far from the "
            f"{wanted_hz / 1e6:g} MHz of the network: give the rate in Hz, in the file or as "
            "sampling_rate_hz="
        )
    if not resample:
        raise InputError(
            f"{lines.source} is sampled at {rate_hz / 1e6:g} MHz, the network wants "
            f"{wanted_hz / 1e6:g} MHz: resample=true converts it, sampling_rate_hz= corrects "
            "what the file says"
        )
    # at most a hundredth of a sample off at the end of a line
    return Fraction(wanted_hz / rate_hz).limit_denominator(1000)
