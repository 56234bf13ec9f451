"""What a network says of RF lines: its output, and the bubbles in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bubbleloc.arrays import Float32s
from bubbleloc.metrics.certainty import calibrated
from bubbleloc.metrics.detections import Detections, pick_peaks
from bubbleloc.metrics.mixture import Mixture
from bubbleloc.metrics.one_to_one import PEAK_THRESHOLDS
from bubbleloc.nn import Localizer
from bubbleloc.nn.emitters import UNCALIBRATED, Calibration, EmitterHead
from bubbleloc.nn.inference import apply, apply_emitters

Outputs = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says of b lines.

    Attributes:
        output: one value per sample, (b, L).
        mixtures: Gaussians of each line where the method has a head of emitters.
        calibration: of the bubbles in `mixtures`.
    """

    output: Outputs
    mixtures: list[Mixture] | None = None
    calibration: Calibration = UNCALIBRATED

    @property
    def threshold(self) -> float | None:
        """0 where all bubbles that are found count; None where a threshold must be chosen."""
        return None if self.mixtures is None else 0.0

    def detections(self, least: float = PEAK_THRESHOLDS[0]) -> list[Detections]:
        """Return the bubbles of each line; of an output without emitters, peaks above `least`."""
        if self.mixtures is None:
            return [pick_peaks(line, least) for line in self.output]
        return [calibrated(mixture.bubbles(), self.calibration) for mixture in self.mixtures]


def answer(network: Localizer, rf: Float32s) -> Answer:
    """Apply a network to RF lines (b, L) in volts."""
    if not isinstance(network.head, EmitterHead):
        return Answer(apply(network, rf))
    output, values = apply_emitters(network, rf)
    own = np.arange(rf.shape[1])
    mixtures = [
        Mixture(expected, own + offset, sigma, np.exp(log_radius))
        for expected, offset, sigma, log_radius in values.astype(np.float64)
    ]
    return Answer(output, mixtures, network.head.calibration)
